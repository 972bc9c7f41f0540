"""What lets a process that lives on do more in the same time: longer turns, and less looking for garbage."""

from __future__ import annotations

import contextlib
import gc
import os

NEW_OBJECTS = 10_000  # after which Python looks at the new ones; its own 700 suits small programs
ROUNDS = 20  # of the young before it looks at the older, and of those before it looks at all


def take_long_turns() -> None:
    """Let threads that wake wait for the end of another's turn; for this thread, and for all that it starts.

    Half of an image is arithmetic, which reads its numbers anew from memory after each interruption. When
    each of the requests beside it cut it short, a fifth fewer images were labelled (Linux, sched(7),
    "SCHED_BATCH").
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # a sandbox may refuse it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def spare_what_is_loaded() -> None:
    """Let Python's collector never look again at what is there now: modules, AWS's descriptions, the app."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, ROUNDS, ROUNDS)
