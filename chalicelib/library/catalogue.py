"""The catalogue: every label of an owner with the exact number of images that carry it."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.expressions import Key, Update, Write
from chalicelib.library.index import label_name
from chalicelib.model import normalised
from chalicelib.table import Table


@dataclass(frozen=True)
class LabelCount:
    """A label's normalised ``name`` and how many images are found by it."""

    name: str
    count: int


@dataclass(frozen=True)
class CountPage:
    """A page of the catalogue by name; ``next_after`` is the last name where more may follow."""

    counts: tuple[LabelCount, ...]
    next_after: str | None


class Catalogue:
    """Reads the counts, which are written by the transactions that write the index."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, owner: str, *, prefix: str, limit: int, after: str | None) -> CountPage:
        """Labels whose names begin with ``prefix``, in the order of their names, behind ``after``."""
        found: list[LabelCount] = []
        while len(found) < limit:
            items = self._table.query(_partition(owner), prefix=normalised(prefix), after=after, limit=limit)
            found += [LabelCount(str(i["sk"]), int(i["count"])) for i in items if int(i["count"]) > 0]
            if len(items) < limit:
                return CountPage(tuple(found[:limit]), found[limit - 1].name if len(found) > limit else None)
            after = str(items[-1]["sk"])
        return CountPage(tuple(found[:limit]), found[limit - 1].name)


def counted(owner: str, term: str, by: int) -> list[Write]:
    """The write that moves a label's count, none for a term that is no label's."""
    name = label_name(term)
    return [] if name is None else [Update(Key(_partition(owner), name), add={"count": by})]


def _partition(owner: str) -> str:
    return f"{owner}#labels"
