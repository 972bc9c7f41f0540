"""The catalogue: every label of an owner with the exact number of images that carry it.

The counts of an owner are packed into a few rows, so that a batch of changes moves all of them in one
transaction, and one query reads them. Only the projection and the repair write them. A row holds an attribute
for each counted term and ``moves``, which only ever grows: who reads the same number twice knows that nothing
was counted in between. The name of a label that no image has any more goes: out of its row, or with it.
"""

from __future__ import annotations

import contextlib
import heapq
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.errors import BadRequest
from chalicelib.expressions import Item, Key, Update, Value
from chalicelib.library.index import LABEL, TAKEN, label_name
from chalicelib.model import normalised
from chalicelib.table import ConditionFailed, Table

ROWS = 16  # 3,000 names are 3 KB a row; 20,000 names are 20 KB
LONGEST_PACKED = 60  # bytes; a longer term has a row of its own, so that no row outgrows an item
OWN = "term#"
ZERO_SECONDS = 2 * 86_400  # that the row of a long term without images stays: longer than any counting takes
MOST_FORGOTTEN = 100  # terms of a row at a time: an expression has 4 KB (DynamoDB, "Service quotas")
MOST_SORTED = 5000  # labels: as many as one request puts in the order of their counts
_ALL_ROWS = 100_000


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
    """Reads the counts."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def by_name(self, owner: str, *, prefix: str, limit: int, after: LabelCount | None) -> CountPage:
        """Labels whose names begin with ``prefix``, in the order of their names, behind ``after``."""
        behind = [one for one in self._labels(owner, prefix) if after is None or one.name > after.name]
        return _page(heapq.nsmallest(limit + 1, behind, key=lambda one: one.name), limit)

    def by_count(self, owner: str, *, prefix: str, limit: int, after: LabelCount | None) -> CountPage:
        """Labels whose names begin with ``prefix``, the most frequent first, behind ``after``.

        :raises BadRequest: there are more than :data:`MOST_SORTED` of them.
        """
        found = self._labels(owner, prefix)
        if len(found) > MOST_SORTED:
            raise BadRequest(
                f"More than {MOST_SORTED} labels cannot be sorted by count; narrow them by prefix.",
                code="too-many-labels",
                pointer="?sort",
            )
        behind = [one for one in found if after is None or _falling(one) > _falling(after)]
        return _page(heapq.nsmallest(limit + 1, behind, key=_falling), limit)

    def names(self, owner: str) -> list[str]:
        """Every label that finds an image, in one read."""
        return [one.name for one in self._labels(owner, "")]

    def months(self, owner: str) -> list[LabelCount]:
        """How many photos were taken in each month (``2019-05``), the last first; the name ``""`` has those
        without a date."""
        counts = counts_of(self._table, owner).items()
        months = [LabelCount(term.removeprefix(TAKEN), n) for term, n in counts if term.startswith(TAKEN)]
        return sorted(months, key=lambda one: one.name, reverse=True)

    def _labels(self, owner: str, prefix: str) -> list[LabelCount]:
        wanted = normalised(prefix)
        named = ((label_name(term), count) for term, count in counts_of(self._table, owner).items())
        return [LabelCount(name, count) for name, count in named if name and name.startswith(wanted)]


def counts_of(table: Table, owner: str) -> dict[str, int]:
    """How many images carry each counted term, without those that none does any more."""
    rows = table.query(_partition(owner), limit=_ALL_ROWS)
    return {term: count for row in rows for term, count in _counts_in(row).items() if count > 0}


def sizes_of(table: Table, owner: str, terms: Iterable[str]) -> dict[str, int]:
    """How many images carry each of some counted terms, by one call."""
    keys = {term: row_key(owner, term) for term in terms}
    rows = table.get_many(list(dict.fromkeys(keys.values())))
    return {term: max(0, int(rows.get(key, {}).get(attribute(term), 0))) for term, key in keys.items()}


def row_key(owner: str, term: str) -> Key:
    """The row that a counted term is counted in."""
    if term.startswith(TAKEN):  # months lie together, so that they make no label's row longer
        return Key(_partition(owner), "months")
    if len(term.encode("utf-8", "surrogatepass")) > LONGEST_PACKED:
        return Key(_partition(owner), f"{OWN}{term}")
    return Key(_partition(owner), f"row#{zlib.crc32(term.encode()) % ROWS:02d}")


def attribute(term: str) -> str:
    """The attribute that counts a term: short for a label's, of which a row holds hundreds."""
    name = label_name(term)
    return term if name is None else f".{name}"


def updates(owner: str, moved: Mapping[str, int]) -> list[Update]:
    """The writes that move the counts of terms by so many images, one for each row."""
    rows: defaultdict[Key, dict[str, int]] = defaultdict(lambda: {"moves": 1})
    for term, by in moved.items():
        if by:
            rows[row_key(owner, term)][attribute(term)] = by
    return [counted(key, added) for key, added in rows.items()]


def counted(key: Key, added: Mapping[str, int], when: Mapping[str, Value | None] | None = None) -> Update:
    """The write that moves counts of a row, and keeps one that was about to expire."""
    return Update(key, add=added, remove=("expires_at",) if _is_own(key) else (), when=when or {})


def forget_zeros(table: Table, owner: str, moved: Mapping[str, int], now: float) -> None:
    """Drop terms that no image has any more, from those rows in which some have become fewer.

    One that counts again meanwhile stays. The row of a long term expires, so that its ``moves`` outlive
    whoever is counting.
    """
    keys = {row_key(owner, term) for term, by in moved.items() if by < 0}
    for key, row in table.get_many(list(keys)).items():
        zeros = [name for name, count in _attributes_of(row).items() if not count][:MOST_FORGOTTEN]
        if not zeros or "expires_at" in row:
            continue
        own = {"expires_at": int(now) + ZERO_SECONDS} if _is_own(key) else {}
        forget = Update(key, set=own, remove=() if own else zeros, when=dict.fromkeys(zeros, 0))
        with contextlib.suppress(ConditionFailed):
            table.write(forget)


def _counts_in(row: Item) -> dict[str, int]:
    return {LABEL + name[1:] if name[0] == "." else name: n for name, n in _attributes_of(row).items()}


def _attributes_of(row: Item) -> dict[str, int]:
    others = ("pk", "sk", "moves", "expires_at")
    return {name: int(value) for name, value in row.items() if name not in others}


def _is_own(key: Key) -> bool:
    """Whether the row is that of one long term alone."""
    return key.sk.startswith(OWN)


def _partition(owner: str) -> str:
    return f"{owner}#counts"


def _page(found: list[LabelCount], limit: int) -> CountPage:
    return CountPage(tuple(found[:limit]), found[limit - 1] if len(found) > limit else None)


def _falling(one: LabelCount) -> tuple[int, str]:
    return -one.count, one.name
