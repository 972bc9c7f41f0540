"""Ctrl-C and its like, so that the first one is always enough."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import NoReturn

TURN_SECONDS = 0.2


class AskedToStop(KeyboardInterrupt):
    """Somebody wants this to stop.

    A class of its own: where a plain ``KeyboardInterrupt`` leaves an ``exec`` or ``eval`` of text, as modules
    with data classes do while they are imported, Python ends the process as killed, though it was caught.
    """


class Stop:
    """Turns ``signals`` into :exc:`AskedToStop` in the main thread, from when it is made."""

    def __init__(self, *signals: signal.Signals) -> None:
        self._signals = signals
        self._asked = threading.Event()
        for one in signals:
            signal.signal(one, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        # Remembered too: where it happens to strike a library's destructor, the exception is swallowed.
        self._asked.set()
        raise AskedToStop

    def wait(self) -> NoReturn:
        """Return by :exc:`AskedToStop` alone, once asked to stop.

        In turns: Python runs a signal's handler between two of the main thread's steps, and a signal that
        comes just before an endless wait, or to another thread, does not end that wait.
        """
        while not self._asked.wait(TURN_SECONDS):
            pass
        raise AskedToStop

    def ignore(self) -> None:
        """Let further signals pass without effect: everything is being stopped already."""
        for one in self._signals:
            signal.signal(one, signal.SIG_IGN)
