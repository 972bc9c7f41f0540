"""The call rate of jobs: how many calls a second the recogniser takes, learnt from its throttling.

All workers of a stage share one row. Whoever is throttled counts it there. Jobs can wait, so they read the
row about once a second. While nothing is throttled they go a little faster, and faster still the longer that
lasts; once something is, they slow down at once, by as much as was refused. Uploads are never held back, so
jobs get what uploads leave.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.errors import Transient
from chalicelib.expressions import Item, Key, Update
from chalicelib.ids import new_id
from chalicelib.table import ConditionFailed, Table

KEY = Key("~recogniser#pace", "pace")  # no owner's
FIRST = 5.0  # calls a second: Rekognition's smallest quota
LOWEST, HIGHEST = 0.2, 1000.0
WINDOW = 1.0  # seconds
STEP_DOWN = 0.94  # of what was done at a rate that was too high
DEEPEST = 0.4  # of the rate: what was done is a little old news
MOST_HELD = 0.6  # of it, let go by until those who were refused have had their turn
REST = 2.0  # seconds in which what is refused still comes from before the last step down
RECOVERY = 0.3  # of the rate and a second, back to what was done
CREEP, LEAP = 0.006, 0.35  # of the rate and a second: near a rate that was too high, and far from it
CALM = 17.0  # seconds without a refusal after which the quota must have grown, and so many calls
CALM_CALLS = 90.0
LONGEST_CALM = 25.0
DOUBLES = 0.8  # seconds, after that
USED = 0.7  # of the rate; who does not use it learns nothing by going faster


@dataclass(frozen=True)
class Pace:
    """The ``rate`` (calls a second) since a time, and when it was last too high.

    The ``ceiling`` is what was done then, a second. Of what was ``throttled`` so much has been ``seen``.
    """

    rate: float = FIRST
    at: float = 0.0
    refused_at: float = 0.0
    ceiling: float = 0.0
    throttled: int = 0
    seen: int = 0
    revision: str = ""

    @classmethod
    def from_item(cls, item: Item | None) -> Pace:
        if item is None:
            return cls()
        rate, at, refused_at, ceiling = (
            float(item.get(name, 0)) for name in ("rate", "at", "refused_at", "ceiling")
        )
        throttled, seen = (int(item.get(name, 0)) for name in ("throttled", "seen"))
        return cls(rate or FIRST, at, refused_at, ceiling, throttled, seen, str(item.get("revision", "")))


def next_rate(pace: Pace, now: float, used: float) -> tuple[float, float]:
    """The rate from ``now`` on and its ceiling, where ``used`` calls a second were made at the one before."""
    passed = max(WINDOW, now - pace.at)
    refused = pace.throttled - pace.seen
    if refused > 0:
        if now - pace.refused_at < REST:
            return pace.rate, pace.ceiling
        share = refused / (refused + used * passed)
        ceiling = min(max(pace.rate, pace.ceiling), max(used, pace.rate * DEEPEST))
        return max(LOWEST, ceiling * (STEP_DOWN - min(MOST_HELD, share))), ceiling
    if used < USED * pace.rate and pace.rate >= pace.ceiling * STEP_DOWN:
        return pace.rate, pace.ceiling
    passed = min(passed, 3.0)
    if pace.rate < pace.ceiling * STEP_DOWN:
        return min(pace.ceiling * STEP_DOWN, pace.rate * (1 + RECOVERY * passed)), pace.ceiling
    calm = now - pace.refused_at - max(CALM, min(LONGEST_CALM, CALM_CALLS / pace.rate))
    growth = min(LEAP, CREEP * 2 ** min(20.0, max(0.0, calm) / DOUBLES))
    return min(HIGHEST, pace.rate * (1 + growth * passed)), pace.ceiling


class Governor:
    """Reads the row and changes it."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def throttled(self) -> None:
        """Count a call that the recogniser throttled; a fault of the table is ignored."""
        with contextlib.suppress(Transient):
            self._table.write(Update(KEY, add={"throttled": 1}))

    def look(self) -> float:
        """The present rate, in calls a second."""
        return Pace.from_item(self._table.get(KEY)).rate

    def rate(self, used: float) -> float:
        """Calls a second that may be made from now on; ``used`` is how many were made of late.

        Of several workers that ask within the same second, one changes the rate.
        """
        now = self._now()
        pace = Pace.from_item(self._table.get(KEY))
        if now - pace.at < WINDOW:
            return pace.rate
        rate, ceiling = next_rate(pace, now, used)
        moved: dict[str, str | int | float] = {
            "rate": round(rate, 3),
            "ceiling": round(ceiling, 3),
            "at": round(now, 3),
            "seen": pace.throttled,
            "revision": new_id(),
        }
        if pace.throttled > pace.seen and now - pace.refused_at >= REST:
            moved["refused_at"] = round(now, 3)
        try:
            self._table.write(Update(KEY, set=moved, when={"revision": pace.revision or None}))
        except ConditionFailed:
            return pace.rate
        return rate
