"""The catalogue: every label of an owner with the exact number of images that carry it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.errors import BadRequest
from chalicelib.expressions import Item
from chalicelib.library.index import LABEL, label_name
from chalicelib.library.sizes import count_key, shards_of
from chalicelib.model import normalised
from chalicelib.table import Table

MOST_SORTED = 5000  # labels: as many as one request may read to put them in the order of their counts
BATCH = 200


@dataclass(frozen=True)
class LabelCount:
    """A label's normalised ``name`` and how many images are found by it."""

    name: str
    count: int


@dataclass(frozen=True)
class CountPage:
    """A page of the catalogue; ``next_after`` is its last label where more may follow."""

    counts: tuple[LabelCount, ...]
    next_after: LabelCount | None


class Catalogue:
    """Reads the counts, which are written by the transactions that write the index."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def by_name(self, owner: str, *, prefix: str, limit: int, after: LabelCount | None) -> CountPage:
        """Labels whose names begin with ``prefix``, in the order of their names, behind ``after``."""
        found: list[LabelCount] = []
        for counts in self._batches(owner, prefix, after.name if after else None, limit + 1):
            found += counts
            if len(found) > limit:
                break
        return _page(found, limit)

    def by_count(self, owner: str, *, prefix: str, limit: int, after: LabelCount | None) -> CountPage:
        """Labels whose names begin with ``prefix``, the most frequent first, behind ``after``.

        :raises BadRequest: there are more than :data:`MOST_SORTED` of them.
        """
        found: list[LabelCount] = []
        for counts in self._batches(owner, prefix, None, BATCH):
            found += counts
            if len(found) > MOST_SORTED:
                raise BadRequest(
                    f"More than {MOST_SORTED} labels cannot be sorted by count; narrow them by prefix.",
                    code="too-many-labels",
                    pointer="?sort",
                )
        behind = [one for one in found if after is None or _falling(one) > _falling(after)]
        return _page(heapq.nsmallest(limit + 1, behind, key=_falling), limit)

    def _batches(self, owner: str, prefix: str, after: str | None, size: int) -> Iterator[list[LabelCount]]:
        """All the labels, a batch at a time, without those that nothing carries any more."""
        first = LABEL + normalised(prefix)
        at = None if after is None else LABEL + after
        while True:
            rows = self._table.query(count_key(owner, "", 0).pk, prefix=first, after=at, limit=size)
            yield [one for one in self._totals(owner, rows) if one.count > 0]
            if len(rows) < size:
                return
            at = str(rows[-1]["sk"])

    def _totals(self, owner: str, rows: Sequence[Item]) -> Iterator[LabelCount]:
        keys = {
            str(row["sk"]): [count_key(owner, str(row["sk"]), shard) for shard in range(1, shards_of(row))]
            for row in rows
        }
        others = self._table.get_many([key for some in keys.values() for key in some])
        for row in rows:
            term = str(row["sk"])
            shards = [row, *(others.get(key, {}) for key in keys[term])]
            yield LabelCount(label_name(term) or "", sum(int(one.get("count", 0)) for one in shards))


def _page(found: Sequence[LabelCount], limit: int) -> CountPage:
    return CountPage(tuple(found[:limit]), found[limit - 1] if len(found) > limit else None)


def _falling(one: LabelCount) -> tuple[int, str]:
    return -one.count, one.name
