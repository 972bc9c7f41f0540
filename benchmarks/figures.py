"""A row of the table: what was measured, beside what, and how far it was to reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """``value`` in ``unit`` (``×``: times what stands in ``beside``); ``most`` or ``least`` is the reach.

    With neither it is only told. ``detail`` has the figures that the value is made of.
    """

    what: str
    value: float
    unit: str
    beside: str = ""
    most: float | None = None
    least: float | None = None
    detail: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether it is as far as it was to be; None where nothing is asked."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.least is None else self.value >= self.least

    @property
    def reach(self) -> str:
        """The reach, to read."""
        if self.most is not None:
            return f"≤ {self.most:g}"
        return "" if self.least is None else f"≥ {self.least:g}"

    def to_json(self) -> dict[str, Any]:
        """All of it, and whether it is reached."""
        return {**asdict(self), "reached": self.reached}


Progress = Callable[[str], object]  # is told what is being measured now


def median(taken: Sequence[float]) -> float:
    """The one in the middle: what the machine did besides has no weight in it."""
    return statistics.median(taken)
