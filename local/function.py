"""One Lambda function of the app, called the way Lambda calls it."""

from __future__ import annotations

import contextvars
import ctypes
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from chalice.local import LambdaContext

from local import loop_detection

Json = dict[str, Any]


class TimedOut(Exception):
    """The function ran longer than it may, and was stopped."""


class Failed(Exception):
    """A function in another process failed: the class of its error, and what that says."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")


def in_words(error: Exception) -> str:
    """An error of a function in a line."""
    return str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"


class _Stopped(BaseException):
    """What a handler's thread is ended with; no handler catches it."""


class Invocable(Protocol):
    """A function as those see it that feed it; what it raises is its failure."""

    @property
    def name(self) -> str: ...

    @property
    def may_go_in_circles(self) -> bool:
        """Whether it feeds itself on purpose (``RecursiveLoop: Allow``)."""

    def __call__(self, event: Json) -> Any:
        """Run the handler on a copy of ``event``; answers what it returns."""


@dataclass(frozen=True)
class Function:
    """A handler with its ``name`` and ``timeout`` in seconds, at which it is stopped.

    What it sends carries the chain of calls that led to it.
    """

    name: str
    handler: Callable[[Json, Any], Any]
    timeout: int = 60
    may_go_in_circles: bool = False

    def __call__(self, event: Json) -> Any:
        """Run the handler on ``event`` in JSON, as on the wire; see :meth:`invoke`."""
        return self.invoke(json.dumps(event))

    def invoke(self, payload: str) -> Any:
        """Run the handler on an event in JSON; whatever it raises goes through.

        :raises TimedOut: it was not done in time. A thread waiting for a lock or for another computer is
            left behind and ends when that does.
        """
        ends: list[tuple[Any, BaseException | None]] = []

        def run() -> None:
            try:
                ends.append((self._handled(payload), None))
            except BaseException as error:
                ends.append((None, error))

        worker = threading.Thread(
            target=contextvars.copy_context().run, args=(run,), name=f"run-{self.name}", daemon=True
        )
        worker.start()
        worker.join(self.timeout)
        if not ends:
            _stop(worker)
            raise TimedOut(f"Task timed out after {self.timeout:.2f} seconds")
        reply, error = ends[0]
        if error is not None:
            raise error
        return reply

    def _handled(self, payload: str) -> Any:
        with loop_detection.carried(loop_detection.extended(loop_detection.current(), self.name)):
            context = LambdaContext(self.name, 128, self.timeout * 1000)
            return self.handler(json.loads(payload), context)


def _stop(thread: threading.Thread) -> None:
    """Raise :exc:`_Stopped` in a thread, at its next step of Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stopped))
