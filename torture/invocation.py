"""Who is at work, and when it dies: what a Lambda function's sandbox is to the code inside it."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

TIMEOUT = 60.0  # seconds
EFFECTS = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}
    | {"SendMessage", "ChangeMessageVisibility", "DeleteMessage", "Publish"}
    | {"PutObject", "DeleteObject", "DetectLabels", "POST"}
)


class Killed(BaseException):
    """The process ends here. What no handler of the code under test may catch."""


class Invocation:
    """One run of a function, or of a client's request, over all its threads.

    It dies before its effect number ``dies_at`` (from 1), or after all its work if there are fewer; None: it
    lives. ``slept`` are the seconds that it has waited, on a clock of its own; at its ``timeout`` it is
    stopped.
    """

    def __init__(self, dies_at: int | None = None, timeout: float = TIMEOUT) -> None:
        self._dies_at = dies_at
        self._timeout = timeout
        self._lock = threading.Lock()
        self.effects = 0
        self.dead = False
        self.slept = 0.0

    def about_to(self, operation: str) -> None:
        """:raises Killed: it dies here, or another of its threads has died."""
        with self._lock:
            self.effects += operation in EFFECTS
            self.dead = self.dead or (self._dies_at is not None and self.effects >= self._dies_at)
            if self.dead:
                raise Killed

    def sleep(self, seconds: float) -> None:
        """Wait.

        :raises Killed: it is stopped at its timeout.
        """
        with self._lock:
            self.slept += seconds
            if self.slept >= self._timeout:
                self.dead = True
                raise Killed

    def time_left(self) -> float:
        """Seconds until the function would be stopped."""
        return self._timeout - self.slept

    def run(self, work: Callable[[], object]) -> object:
        """Do ``work`` in this invocation; what comes of it.

        :raises Killed: it died on the way, or right after it.
        """
        return contextvars.copy_context().run(self._enter, work)

    def _enter(self, work: Callable[[], object]) -> object:
        _current.set(self)
        made = work()
        if self._dies_at is not None:
            self.dead = True
            raise Killed
        return made


class Trace:
    """Something that was had from outside in an invocation: an answer of the recogniser, one of a receiver.

    ``outage``: a call to AWS that followed on it failed in all its tries.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.outage = False
        self._invocation = current()
        _latest.set(self)

    @property
    def worker_died(self) -> bool:
        return self._invocation.dead


def given_up(**_: object) -> None:
    """Note that a call has failed in all its tries."""
    trace = _latest.get()
    if trace:
        trace.outage = True


def current() -> Invocation:
    """The invocation that this thread works for."""
    return _current.get() or _nobody


def at_work() -> Invocation | None:
    """The invocation that this thread works for, None where it is for nobody's."""
    return _current.get()


def now_in(clock: Callable[[], float]) -> Callable[[], float]:
    """What time it is for whoever is at work, who may have waited since the clock was moved."""
    return lambda: clock() + current().slept


def sleep(seconds: float) -> None:
    """Wait, on the invocation's own clock."""
    if at_work():
        current().sleep(seconds)


_current: contextvars.ContextVar[Invocation | None] = contextvars.ContextVar("invocation", default=None)
_latest: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("trace", default=None)
_nobody = Invocation()
