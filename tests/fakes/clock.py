"""A clock that the test moves."""

from __future__ import annotations


class Clock:
    """Seconds since 1970, standing still until told otherwise."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now

    def __call__(self) -> float:
        return self._now

    def forward(self, seconds: float) -> None:
        self._now += seconds
