"""A worker in a process of its own that is killed right after its n-th effect on the world.

``python -m tests.pipeline.dying_worker N`` takes one batch off the deliveries queue of the stage in its
environment, delivers it and deletes its messages, as Lambda's poller would. An effect is a write to AWS, the
sending or deleting of a message, or a POST to a receiver. It ends with :data:`KILLED` where N effects have
happened, else with 0.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from chalicelib import pipeline
from chalicelib.outbound import Outbound, Reply
from tests.stubs.stage import StageServices

KILLED = 9
EFFECTS = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "SendMessage", "DeleteMessage")


class Fuse:
    """Ends the process, without any clean-up, after so many effects."""

    def __init__(self, effects: int) -> None:
        self._left = effects
        self._lock = threading.Lock()

    def burn(self, **_: Any) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os._exit(KILLED)


class DeadlyOutbound(Outbound):
    """The real thing; an attempt that was sent is an effect."""

    fuse: Fuse

    def post(self, url: str, **arguments: Any) -> Reply:
        try:
            return super().post(url, **arguments)
        finally:
            self.fuse.burn()


def main(effects: int) -> None:
    services: Any = StageServices(dict(os.environ))
    fuse = Fuse(effects)
    services.outbound = DeadlyOutbound(allow_private=True, allowed_ports=frozenset())
    services.outbound.fuse = fuse
    for operation in EFFECTS:
        services.clients.session.events.register(f"after-call.*.{operation}", fuse.burn)
    messages = services.waiting()
    assert messages, "there is nothing to deliver"
    pipeline.deliver({"Records": [{"body": message["Body"]} for message in messages]}, services)
    services.take_off(messages)


if __name__ == "__main__":
    main(int(sys.argv[1]))
