"""Streams of image ids, newest first, that can skip ahead without reading what lies between.

A stream has one operation, ``seek(at_most)``: it returns the newest id that is not above ``at_most``. The
argument of successive calls only ever falls. ``at`` is the position that has been reached: the stream has no
id between the last ``at_most`` and ``at``, even after a read was interrupted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from chalicelib.expressions import Item
from chalicelib.library.index import IndexEntry
from chalicelib.table import Table

TOP = "~"  # above every id
END = ""  # below every id
LEAST_STRIDE = 16  # entries in a read: up to 40 of them cost as much as one
LONGEST_STRIDE = 256
MOST_AT_ONCE = 500


class Exhausted(Exception):
    """The request has read as many items as it may."""


class Reads:
    """The read budget of one request: ``left`` items. ``wanted`` is how many ids are still to be found."""

    def __init__(self, table: Table, most: int) -> None:
        self._table = table
        self.left = most
        self.wanted = 0

    def spend(self, items: int) -> None:
        """Take items off the budget; :exc:`Exhausted` if it has fewer left."""
        if items > self.left:
            raise Exhausted
        self.left -= items

    def entries(self, partition: str, at_most: str, limit: int) -> tuple[list[Item], bool]:
        """Up to ``limit`` entries that are not above ``at_most``, and whether no more follow."""
        self.spend(1)  # a read that finds nothing has a cost, too
        limit = min(limit, self.left // 2 + 1)  # the other half is for the records of these entries
        items = self._table.query(partition, limit=limit, at_most=at_most, newest_first=True)
        self.left -= max(0, len(items) - 1)
        return items, len(items) < limit


class Stream(Protocol):
    """Ids in falling order."""

    at: str

    def seek(self, at_most: str) -> str | None:
        """The newest id that is not above ``at_most``, or None."""


class IndexStream:
    """The ids under one term that a condition admits, from ``oldest`` to ``newest``.

    ``share`` is how many entries will probably be read here for each wanted id: 1 if this stream alone gives
    the candidates, more if other conditions have to hold too. If a read was too short, the next one is twice
    as long.
    """

    def __init__(
        self,
        reads: Reads,
        partition: str,
        *,
        admits: Callable[[IndexEntry], bool],
        newest: str,
        oldest: str,
        share: float,
    ) -> None:
        self.at = TOP
        self._reads = reads
        self._partition = partition
        self._admits = admits
        self._newest = newest
        self._oldest = oldest
        self._share = share
        self._known: deque[tuple[str, IndexEntry]] = deque()
        self._ended = False
        self._stride = 0

    def seek(self, at_most: str) -> str | None:
        self.at = min(at_most, self._newest)
        while self.at and self.at >= self._oldest:
            found, entry = self._head(self.at)
            self.at = found
            if found < self._oldest or entry is None:
                break
            if self._admits(entry):
                return found
            self.at = below(found)
        self.at = END
        return None

    def _head(self, at_most: str) -> tuple[str, IndexEntry | None]:
        """The newest entry not above ``at_most``."""
        passed = 0
        while self._known and self._known[0][0] > at_most:
            self._known.popleft()
            passed += 1
        if not self._known and not self._ended:
            skipped_all = bool(passed) and passed == self._stride  # the last read was of no use
            self._stride = (
                self._likely() if skipped_all else max(self._likely(), min(2 * self._stride, LONGEST_STRIDE))
            )
            items, self._ended = self._reads.entries(self._partition, at_most, self._stride)
            self._known.extend((str(item["sk"]), IndexEntry.from_item(item)) for item in items)
        return self._known[0] if self._known else (END, None)

    def _likely(self) -> int:
        """How many entries will probably give the wanted number of ids."""
        expected = self._share * self._reads.wanted
        if self._share == 1:
            return max(1, math.ceil(expected))
        return min(max(LEAST_STRIDE, math.ceil(expected + 2 * math.sqrt(expected))), MOST_AT_ONCE)


class Listed:
    """A stream of ids that have been read already."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.at = TOP
        self._ids = sorted(ids, reverse=True)

    def seek(self, at_most: str) -> str | None:
        found = next((one for one in self._ids if one <= at_most), None)
        self.at = found or END
        return found


class Both:
    """The ids that are in all ``wanted`` streams and in none of the ``unwanted``."""

    def __init__(self, wanted: Sequence[Stream], unwanted: Sequence[Stream]) -> None:
        self.at = TOP
        self._wanted = wanted
        self._unwanted = unwanted

    def seek(self, at_most: str) -> str | None:
        self.at = at_most
        while self.at != END:
            proposed = self._ask(self._wanted[0])
            if proposed is None or any(self._ask(stream) != proposed for stream in self._wanted[1:]):
                continue  # each seek has moved self.at down
            if not any(stream.seek(proposed) == proposed for stream in self._unwanted):
                return proposed
            self.at = below(proposed)
        return None

    def _ask(self, stream: Stream) -> str | None:
        try:
            return stream.seek(self.at)
        finally:
            self.at = min(self.at, stream.at)


class Either:
    """The ids that are in any of the streams."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self.at = TOP
        self._streams = streams

    def seek(self, at_most: str) -> str | None:
        try:
            found = [stream.seek(at_most) for stream in self._streams]
        finally:
            self.at = min(at_most, max(stream.at for stream in self._streams))
        return max((one for one in found if one), default=None)


def below(image_id: str) -> str:
    """A text that sorts below an id and above all older ids."""
    return image_id[:-1] + chr(ord(image_id[-1]) - 1) + TOP
