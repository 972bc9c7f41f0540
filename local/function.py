"""One Lambda function of the app, called the way Lambda calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalice.local import LambdaContext

Json = dict[str, Any]


@dataclass(frozen=True)
class Function:
    """A handler with its ``name`` and ``timeout`` in seconds.

    Unlike Lambda, nothing stops a handler at its timeout; the context tells it the remaining time.
    """

    name: str
    handler: Callable[[Json, Any], Any]
    timeout: int = 60

    def __call__(self, event: Json) -> Any:
        """Run the handler on a copy of ``event``; whatever it raises goes through."""
        # Through JSON, as on the wire: an event that is not JSON fails here, and none is shared.
        return self.handler(json.loads(json.dumps(event)), LambdaContext(self.name, 128, self.timeout * 1000))
