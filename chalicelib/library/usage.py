"""What recognition was used for, by owner and day: counters that move in the transactions of what they count.

A call is counted when its answer is kept, for then it was paid for, whatever becomes of the image; an image
and what it was spared are counted with its result. Each is counted once, however often the work was tried.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.expressions import Key, Update, Write
from chalicelib.table import Table

IMAGES = "images"
SPARED = "duplicates_spared"
_CALLS = "calls:"
SHARDS = 4  # rows for each day: results that are stored at the same moment need not wait for each other


@dataclass(frozen=True)
class Day:
    """One ``day`` (``2026-11-21``, UTC): images with a first result, duplicates spared, ``calls`` by name."""

    day: str
    images: int
    duplicates_spared: int
    calls: Mapping[str, int]


class Usage:
    """Reads the counters."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def days(self, owner: str, first: str, last: str, *, most: int) -> list[Day]:
        """The days from ``first`` to ``last``, both included, with anything on them, at most ``most``."""
        items = self._table.query(_partition(owner), limit=most * SHARDS, after=first, at_most=f"{last}~")
        sums: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        for item in items:
            day = str(item["sk"]).partition("#")[0]
            for name in item.keys() - {"pk", "sk"}:
                sums[day][name] += int(item[name])
        return [_day(day, counts) for day, counts in sums.items()]


def counted(
    owner: str, day: str, image_id: str, calls: Mapping[str, int], *, images: int = 0, spared: int = 0
) -> list[Write]:
    """The write that goes along with an image's result: what was called for it, or what was spared."""
    counts = {IMAGES: images, SPARED: spared, **{_CALLS + name: number for name, number in calls.items()}}
    moved = {name: number for name, number in counts.items() if number}
    shard = zlib.crc32(image_id.encode()) % SHARDS
    return [Update(Key(_partition(owner), f"{day}#{shard}"), add=moved)] if moved else []


def _day(day: str, counts: Mapping[str, int]) -> Day:
    calls = {name.removeprefix(_CALLS): counts[name] for name in sorted(counts) if name.startswith(_CALLS)}
    return Day(day, counts.get(IMAGES, 0), counts.get(SPARED, 0), calls)


def _partition(owner: str) -> str:
    return f"{owner}#usage"
