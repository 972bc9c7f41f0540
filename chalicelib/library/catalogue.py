"""The catalogue: every label of an owner with the exact number of its images.

The counts of an owner are packed into a few rows, so that one transaction writes the changes of a batch and
one query reads all counts. Only the projection and the repair write them. A row has one attribute for each
counted term, and ``moves``, which grows with every write: a reader that finds the same number twice knows
that nothing was counted in between. A term without images is removed from its row, or expires with it.
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

ROWS = 16  # with 3,000 names a row has 3 KB, with 20,000 names 20 KB
LONGEST_PACKED = 60  # bytes; a longer term has a row of its own, so that no row outgrows an item
OWN = "term#"
ZERO_SECONDS = 2 * 86_400  # until the row of a long term without images expires: longer than a repair takes
MOST_FORGOTTEN = 100  # terms of a row in one write: an expression has 4 KB (DynamoDB, "Service quotas")
MOST_SORTED = 5000  # labels that one request sorts by count
_ALL_ROWS = 100_000


@dataclass(frozen=True)
class LabelCount:
    """A label's normalised ``name``, and the number of its images."""

    name: str
    count: int


@dataclass(frozen=True)
class CountPage:
    """A page of the catalogue; ``next_after`` is its last label, None if no more follow."""

    counts: tuple[LabelCount, ...]
    next_after: LabelCount | None


class Catalogue:
    """Reads the counts."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def by_name(self, owner: str, *, prefix: str, limit: int, after: LabelCount | None) -> CountPage:
        """Labels whose names begin with ``prefix``, sorted by name, those after ``after``."""
        behind = [one for one in self._labels(owner, prefix) if after is None or one.name > after.name]
        return _page(heapq.nsmallest(limit + 1, behind, key=lambda one: one.name), limit)

    def by_count(self, owner: str, *, prefix: str, limit: int, after: LabelCount | None) -> CountPage:
        """Labels whose names begin with ``prefix``, the most frequent first, those after ``after``.

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
        """Every label with an image, in one read."""
        return [one.name for one in self._labels(owner, "")]

    def months(self, owner: str) -> list[LabelCount]:
        """How many photos were taken in each month (``2019-05``), the latest first.

        Photos without a date are under the name ``""``.
        """
        counts = counts_of(self._table, owner).items()
        months = [LabelCount(term.removeprefix(TAKEN), n) for term, n in counts if term.startswith(TAKEN)]
        return sorted(months, key=lambda one: one.name, reverse=True)

    def _labels(self, owner: str, prefix: str) -> list[LabelCount]:
        wanted = normalised(prefix)
        named = ((label_name(term), count) for term, count in counts_of(self._table, owner).items())
        return [LabelCount(name, count) for name, count in named if name and name.startswith(wanted)]


def counts_of(table: Table, owner: str) -> dict[str, int]:
    """The number of images of each counted term, without terms that have none."""
    rows = table.query(_partition(owner), limit=_ALL_ROWS)
    return {term: count for row in rows for term, count in _counts_in(row).items() if count > 0}


def sizes_of(table: Table, owner: str, terms: Iterable[str]) -> dict[str, int]:
    """The number of images of each of some counted terms, in one call."""
    keys = {term: row_key(owner, term) for term in terms}
    rows = table.get_many(list(dict.fromkeys(keys.values())))
    return {term: max(0, int(rows.get(key, {}).get(attribute(term), 0))) for term, key in keys.items()}


def row_key(owner: str, term: str) -> Key:
    """The row that holds the count of a term."""
    if term.startswith(TAKEN):  # months have a row of their own, so that no label's row grows by them
        return Key(_partition(owner), "months")
    if len(term.encode("utf-8", "surrogatepass")) > LONGEST_PACKED:
        return Key(_partition(owner), f"{OWN}{term}")
    return Key(_partition(owner), f"row#{zlib.crc32(term.encode()) % ROWS:02d}")


def attribute(term: str) -> str:
    """The attribute with the count of a term: short for labels, because a row holds hundreds."""
    name = label_name(term)
    return term if name is None else f".{name}"


def updates(owner: str, deltas: Mapping[str, int]) -> list[Update]:
    """The writes that add ``deltas`` (by term) to the counts, one for each row."""
    rows: defaultdict[Key, dict[str, int]] = defaultdict(lambda: {"moves": 1})
    for term, by in deltas.items():
        if by:
            rows[row_key(owner, term)][attribute(term)] = by
    return [counted(key, added) for key, added in rows.items()]


def counted(key: Key, added: Mapping[str, int], when: Mapping[str, Value | None] | None = None) -> Update:
    """The write that adds to the counts of a row, and stops a row of its own from expiring."""
    return Update(key, add=added, remove=("expires_at",) if _is_own(key) else (), when=when or {})


def forget_zeros(table: Table, owner: str, deltas: Mapping[str, int], now: float) -> None:
    """Remove terms without images from the rows in which a count has fallen.

    A term that has an image again meanwhile stays. The row of a long term expires later, so that a running
    repair still finds its ``moves``.
    """
    keys = {row_key(owner, term) for term, by in deltas.items() if by < 0}
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
    """Whether the row holds one long term only."""
    return key.sk.startswith(OWN)


def _partition(owner: str) -> str:
    return f"{owner}#counts"


def _page(found: list[LabelCount], limit: int) -> CountPage:
    return CountPage(tuple(found[:limit]), found[limit - 1] if len(found) > limit else None)


def _falling(one: LabelCount) -> tuple[int, str]:
    return -one.count, one.name
