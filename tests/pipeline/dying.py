"""A function in a process of its own that is killed right after its n-th effect on the world.

The worker takes its batch off the deliveries queue itself and deletes its messages, as Lambda's poller would.
An effect is a write to AWS, the sending or deleting of a message, a call of the recogniser or a POST to a
receiver. The process is forked from one that has imported everything and done nothing yet.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalicelib import pipeline
from chalicelib.model import Label
from chalicelib.outbound import Outbound, Reply
from tests.fakes.recogniser import FakeRecogniser
from tests.stubs.stage import StageServices

KILLED = 9
PATIENCE_SECONDS = 180
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])
EFFECTS = (
    *("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "PutObject", "DeleteObject"),
    *("BatchWriteItem", "PublishBatch", "SendMessage", "ChangeMessageVisibility", "DeleteMessage"),
)


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


def services_of(stage: dict[str, str], ahead: float, called: Callable[[], None] = lambda: None) -> Any:
    """A stage's services, with a recogniser that sees a cat and notes each call in the stage's file."""
    services: Any = StageServices(stage, ahead)

    def note() -> None:
        with Path(stage["CALLS"]).open("a") as calls:
            calls.write("asked\n")
        called()

    services.recogniser = FakeRecogniser(Label("Cat", 93.0), before=note)
    return services


def bring_waiting(event: Any, services: Any) -> None:
    """Deliver what waits on the queue."""
    services.bring_waiting()


def project(event: Any, services: Any) -> None:
    """Let everything that is derived follow the records."""
    services.project()


STEPS: dict[str, Callable[[Any, Any], None]] = {
    "label": pipeline.label_messages,
    "project": project,
    "fan out": pipeline.fan_out,
    "deliver": bring_waiting,
    "sweep": lambda event, services: pipeline.sweep(services),
}


def killed_after(effects: int, step: str, event: Any, stage: dict[str, str]) -> int:
    """Run one step of an image's way; :data:`KILLED` where so many effects have happened, else 0."""
    child = PROCESSES.Process(target=_run, args=(effects, step, event, stage))
    child.start()
    child.join(PATIENCE_SECONDS)
    assert child.exitcode in (0, KILLED)
    return child.exitcode


def _run(effects: int, step: str, event: Any, stage: dict[str, str]) -> None:
    os.environ.update(stage)
    fuse = Fuse(effects)
    services = services_of(stage, float(stage["AHEAD"]), called=fuse.burn)
    services.outbound = DeadlyOutbound(allow_private=True, allowed_ports=frozenset())
    services.outbound.fuse = fuse
    for operation in EFFECTS:
        services.clients.session.register(f"after-call.*.{operation}", fuse.burn)
    STEPS[step](event, services)
