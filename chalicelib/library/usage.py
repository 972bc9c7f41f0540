"""Usage of recognition by owner and day: counters that the projection increments with each result.

A result holds the number of its recogniser calls, so that each call is counted once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.expressions import Key, Update
from chalicelib.library.record import StoredImage
from chalicelib.table import Table

IMAGES = "images"
SPARED = "duplicates_spared"
_CALLS = "calls:"


@dataclass(frozen=True)
class Day:
    """One ``day`` (``2026-11-21``, UTC): first results, duplicates that cost no call, ``calls`` by name."""

    day: str
    images: int
    duplicates_spared: int
    calls: Mapping[str, int]


class Usage:
    """Reads the counters."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def days(self, owner: str, first: str, last: str, *, most: int) -> list[Day]:
        """The days with any usage from ``first`` to ``last``, both included, at most ``most``."""
        rows = self._table.query(_partition(owner), limit=most, after=_before(first), at_most=last)
        return [
            _day(str(row["sk"]), {n: int(v) for n, v in row.items() if n not in ("pk", "sk")}) for row in rows
        ]


def updates(owner: str, results: Iterable[StoredImage], first: Iterable[StoredImage]) -> list[Update]:
    """The writes that count results, one for each day.

    ``first`` are those of them that are the first published result of their image.
    """
    days: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for stored in first:
        days[_day_of(stored)][IMAGES] += 1
    for stored in results:
        counts = days[_day_of(stored)]
        if stored.kind not in ("recognised", "copied", "failed"):
            continue
        counts[SPARED] += stored.kind == "copied"
        counts.update({_CALLS + name: number for name, number in stored.calls.items()})
    return [called(owner, day, +counts) for day, counts in days.items() if +counts]


def called(owner: str, day: str, counts: Mapping[str, int]) -> Update:
    """The write that adds to the counters of a day."""
    return Update(Key(_partition(owner), day), add=counts)


def calls_counted(calls: Mapping[str, int]) -> dict[str, int]:
    """Calls under the names of the counters."""
    return {_CALLS + name: number for name, number in calls.items() if number}


def _day_of(stored: StoredImage) -> str:
    return str(stored.document["completed_at"] or stored.document["created_at"])[:10]


def _before(day: str) -> str:
    """A text that sorts below a day and above all earlier days."""
    return day[:-1] + chr(ord(day[-1]) - 1) + "~"


def _day(day: str, counts: Mapping[str, int]) -> Day:
    calls = {name.removeprefix(_CALLS): counts[name] for name in sorted(counts) if name.startswith(_CALLS)}
    return Day(day, counts.get(IMAGES, 0), counts.get(SPARED, 0), calls)


def _partition(owner: str) -> str:
    return f"{owner}#usage"
