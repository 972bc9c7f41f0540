"""What moto's DynamoDB lacks as a server: calls that do not see each other half done.

moto answers every request in a thread of its own, without locks: between a condition and its write another
write comes in, and of a transaction one item is seen before the next. DynamoDB isolates such calls from each
other (Amazon DynamoDB developer guide, "DynamoDB transactions: how it works"). One at a time costs nothing in
speed, as Python runs one thread at a time in any case, once no call takes long (:mod:`local.moto_tables`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class IsolatedTables:
    """A WSGI application that lets one DynamoDB call into ``app`` at a time, and all others as they come."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._turn = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._app(environ, start_response)
        with self._turn:
            return self._app(environ, start_response)
