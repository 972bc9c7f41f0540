"""How much a test tries of what has no end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def examples(by_night: int, by_day: int | None = None) -> int:
    """How many examples to make up: a quarter of them by day, where nothing else is said."""
    return by_night if "NIGHTLY" in os.environ else by_night // 4 if by_day is None else by_day


def some_of(cases: Sequence[T]) -> Sequence[T]:
    """The cases to try: all by night; by day every fourth, and the last."""
    return cases if "NIGHTLY" in os.environ else [*cases[:-1:4], cases[-1]]
