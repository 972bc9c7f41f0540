"""Streams of image ids, newest first, that skip ahead unread over what cannot be asked for.

A stream answers one question, ``seek(at_most)``: which is the newest of its ids that is not above
``at_most``? Questions only ever go down. ``at`` says how far it has come: nothing of the stream lies between
the last question and ``at``, even where reading broke off half-way.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from chalicelib.expressions import Item
from chalicelib.library.index import Entry
from chalicelib.table import Table

TOP = "~"  # above every id
END = ""  # below every id
LONGEST_STRIDE = 32


class Exhausted(Exception):
    """The request has read as many items as it may."""


class Reads:
    """What one request may read: ``left`` items in all, of which ``wanted`` ids are still to be found."""

    def __init__(self, table: Table, most: int) -> None:
        self._table = table
        self.left = most
        self.wanted = 0

    def spend(self, items: int) -> None:
        """Take items off what may be read; :exc:`Exhausted` where there are not as many."""
        if items > self.left:
            raise Exhausted
        self.left -= items

    def entries(self, partition: str, at_most: str, limit: int) -> tuple[list[Item], bool]:
        """Up to ``limit`` entries that are not above ``at_most``, and whether those are all there are."""
        self.spend(1)  # also a read that finds nothing costs
        limit = min(limit, self.left + 1)
        items = self._table.query(partition, limit=limit, at_most=at_most, newest_first=True)
        self.left -= max(0, len(items) - 1)
        return items, len(items) < limit


class Stream(Protocol):
    """Ids in falling order."""

    at: str

    def seek(self, at_most: str) -> str | None:
        """The newest id that is not above ``at_most``, None if there is none."""


class Shard:
    """The entries of one shard of a term."""

    def __init__(self, reads: Reads, partition: str) -> None:
        self._reads = reads
        self._partition = partition
        self._known: deque[tuple[str, Entry]] = deque()
        self._ended = False
        self._stride = 1

    def head(self, at_most: str, likely: int) -> tuple[str, Entry] | None:
        """The newest entry not above ``at_most``; reads ``likely`` ones at a time, or as it proves useful.

        Where questions follow each other closely (``likely`` is 0) the strides grow; after a leap over
        what had been read in vain they begin anew.
        """
        passed = 0
        while self._known and self._known[0][0] > at_most:
            self._known.popleft()
            passed += 1
        if not self._known and not self._ended:
            followed = 0 < passed <= max(2, self._stride // 2)
            self._stride = min(2 * self._stride, LONGEST_STRIDE) if followed else 1
            items, self._ended = self._reads.entries(self._partition, at_most, likely or self._stride)
            self._known.extend((str(item["sk"]), Entry.from_item(item)) for item in items)
        return self._known[0] if self._known else None


class Entries:
    """The ids under one term, all shards merged, that a condition admits, from ``oldest`` to ``newest``.

    ``share`` is how much of the ids that are wanted will probably come from here; 0 for a stream that
    only confirms what another proposes.
    """

    def __init__(
        self,
        reads: Reads,
        shards: Sequence[Shard],
        *,
        admits: Callable[[Entry], bool],
        newest: str,
        oldest: str,
        share: float,
    ) -> None:
        self.at = TOP
        self._reads = reads
        self._shards = shards
        self._admits = admits
        self._newest = newest
        self._oldest = oldest
        self._share = share

    def seek(self, at_most: str) -> str | None:
        self.at = min(at_most, self._newest)
        while self.at and self.at >= self._oldest:
            heads = [shard.head(self.at, self._likely()) for shard in self._shards]
            found, entry = max((head for head in heads if head), key=_id_of, default=(END, None))
            self.at = found
            if found < self._oldest or entry is None:
                break
            if self._admits(entry):
                return found
            self.at = below(found)
        self.at = END
        return None

    def _likely(self) -> int:
        """How many more ids this surely has to give: two deviations under what is to be expected."""
        expected = self._share * self._reads.wanted
        if len(self._shards) == 1 and self._share == 1:
            return max(1, math.ceil(expected))
        expected /= len(self._shards)
        return max(1, math.floor(expected - 2 * math.sqrt(expected))) if self._share else 0


class Both:
    """The ids that all of the ``wanted`` streams have and none of the ``unwanted`` does."""

    def __init__(self, wanted: Sequence[Stream], unwanted: Sequence[Stream]) -> None:
        self.at = TOP
        self._wanted = wanted
        self._unwanted = unwanted

    def seek(self, at_most: str) -> str | None:
        self.at = at_most
        while self.at != END:
            proposed = self._ask(self._wanted[0])
            if proposed is None or any(self._ask(stream) != proposed for stream in self._wanted[1:]):
                continue  # each answer has moved on what is proposed next
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
    """The ids that any of the streams has."""

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
    """What sorts below an id and above all that are older."""
    return image_id[:-1] + chr(ord(image_id[-1]) - 1) + TOP


def _id_of(head: tuple[str, Entry]) -> str:
    return head[0]
