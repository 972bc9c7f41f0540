"""Python's garbage collector in a process that lives on: what is loaded stays, and need not be looked at."""

from __future__ import annotations

import gc

NEW_OBJECTS = 10_000  # after which it looks at the new ones; Python's own 700 suits small programs
ROUNDS = 20  # of the young before it looks at the older, and of those before it looks at all


def spare_what_is_loaded() -> None:
    """Let it never look again at what is there now: modules, AWS's descriptions, the app."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, ROUNDS, ROUNDS)
