"""The rate limit: an owner may send so many requests in any minute.

A request that waits counts once more for each second, because it occupies a function for that time. A request
that is refused for another reason counts like any other.

The counts are in the table, not in memory: Lambda runs an owner's parallel requests in separate containers,
so a count in each would limit nothing. This costs one small write per request, and one read per minute in
each container.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.errors import TooManyRequests
from chalicelib.expressions import Item, Key
from chalicelib.table import Table

T = TypeVar("T")

WINDOW_SECONDS = 60
SLOT_SECONDS = 1  # the step in which the minute moves on; so a row stays under a kilobyte
_SLOTS = WINDOW_SECONDS // SLOT_SECONDS  # in a row, which holds one minute of the clock
SETTLED_SECONDS = 2  # after the end of a minute, until the last clock has moved on
MOST_REMEMBERED = 1000  # owners, in this process


@dataclass(frozen=True)
class Allowance:
    """How many requests of ``limit`` are ``left``; one more is free in ``seconds``."""

    limit: int
    left: int
    seconds: int


class RateLimiter:
    """Counts requests by owner; a ``limit`` of 0 turns it off."""

    def __init__(self, table: Table, now: Callable[[], float], limit: int) -> None:
        self._table = table
        self._now = now
        self._limit = limit
        self._before: dict[str, tuple[int, Item]] = {}  # the last full minute
        self._full_until: dict[str, float] = {}

    def take(self, owner: str) -> Allowance | None:
        """Count one request; gives None if there is no limit.

        An owner who was refused and comes back too early is refused again without being counted.

        :raises TooManyRequests: the limit for the last minute is reached.
        """
        if not self._limit:
            return None
        now = self._now()
        if self._full_until.get(owner, 0.0) > now:
            raise self._too_many(self._full_until[owner] - now)
        used = self._counted(owner, now)
        total, slot = sum(used), int(now) // SLOT_SECONDS - _SLOTS  # the oldest slot that counts
        if total <= self._limit:
            oldest = next(place for place, count in enumerate(used) if count)
            return Allowance(self._limit, self._limit - total, _end(slot + oldest) - int(now))
        while total >= self._limit and used:
            total, slot = total - used.pop(0), slot + 1
        _remember(self._full_until, owner, float(_end(slot - 1)))
        raise self._too_many(_end(slot - 1) - now)

    def take_second(self, owner: str) -> bool:
        """Count one more second of a waiting request, as one request; gives whether it may go on waiting."""
        try:
            self.take(owner)
        except TooManyRequests:
            return False
        return True

    def _counted(self, owner: str, now: float) -> list[int]:
        """The counts of the last minute by slot, oldest first; this request is in the last one."""
        minute, passed = divmod(int(now), WINDOW_SECONDS)
        slot = passed // SLOT_SECONDS
        row = self._table.tally(_key(owner, minute), f"s{slot}", expires_at=(minute + 3) * WINDOW_SECONDS)
        before = self._minute_before(owner, minute, settled=passed >= SETTLED_SECONDS)
        return [
            *(_at(before, one) for one in range(slot, _SLOTS)),
            *(_at(row, one) for one in range(slot + 1)),
        ]

    def _minute_before(self, owner: str, minute: int, *, settled: bool) -> Item:
        known, row = self._before.get(owner, (0, {}))
        if known == minute:
            return row
        row = self._table.get(_key(owner, minute - 1)) or {}
        if settled:
            _remember(self._before, owner, (minute, row))
        return row

    def _too_many(self, seconds: float) -> TooManyRequests:
        return TooManyRequests(f"More than {self._limit} requests a minute.", retry_after=seconds)


def _end(slot: int) -> int:
    """When a slot no longer counts (seconds since 1970)."""
    return (slot + _SLOTS + 1) * SLOT_SECONDS


def _at(row: Item, slot: int) -> int:
    return int(row.get(f"s{slot}", 0))


def _remember(known: dict[str, T], owner: str, what: T) -> None:
    if len(known) >= MOST_REMEMBERED:
        known.clear()
    known[owner] = what


def _key(owner: str, minute: int) -> Key:
    return Key(f"{owner}#requests", str(minute))
