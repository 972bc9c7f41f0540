"""An owner's other names for labels: what a recogniser calls so is called otherwise here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from chalicelib.errors import Conflict, NotFound
from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import rfc3339
from chalicelib.model import Correction, Label, normalised
from chalicelib.table import Table

MOST_RENAMES = 500  # an owner: all are read for every image that is labelled


@dataclass(frozen=True)
class Rename:
    """What is called ``old`` (normalised) is called ``new`` since ``at``."""

    old: str
    new: str
    at: str


@dataclass(frozen=True)
class Rules:
    """All renames of an owner, by normalised old name."""

    names: Mapping[str, str]

    def name(self, name: str) -> str:
        """What ``name`` is called; renames follow each other."""
        while (newer := self.names.get(normalised(name))) is not None:
            name = newer
        return name

    def labels(self, labels: Iterable[Label]) -> tuple[Label, ...]:
        """The labels under their new names; those that now share one become one, where the first stood."""
        made: dict[str, Label] = {}
        for label in map(self._label, labels):
            name = normalised(label.name)
            made[name] = _merged(made[name], label) if name in made else label
        return tuple(made.values())

    def corrections(self, corrections: Iterable[Correction]) -> tuple[Correction, ...]:
        """What a person said, under its new names; of two words on one label the later counts."""
        renamed = map(self._correction, sorted(corrections, key=lambda one: one.at))
        return tuple({normalised(one.name): one for one in renamed}.values())

    def _correction(self, said: Correction) -> Correction:
        name = self.name(said.name)
        parents = None if said.parents is None else self._names(said.parents, but=name)
        return dataclasses.replace(said, name=name, parents=parents)

    def _names(self, names: Iterable[str], *, but: str) -> tuple[str, ...]:
        return _each_once(map(self.name, names), but=but)

    def _label(self, label: Label) -> Label:
        name = self.name(label.name)
        parents, aliases = self._names(label.parents, but=name), self._names(label.aliases, but=name)
        return dataclasses.replace(label, name=name, parents=parents, aliases=aliases)


class Renames:
    """Reads and writes the renames of owners."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def of(self, owner: str) -> list[Rename]:
        """An owner's renames, by old name."""
        items = self._table.query(_partition(owner), limit=MOST_RENAMES)
        return [Rename(str(item["sk"]), str(item["new"]), str(item["at"])) for item in items]

    def rules(self, owner: str) -> Rules:
        """An owner's renames, to be applied."""
        return Rules({one.old: one.new for one in self.of(owner)})

    def add(self, owner: str, old: str, new: str) -> None:
        """Call ``old`` ``new`` from now on, and ``new`` by no other name, so that nothing goes round.

        :raises Conflict: there are too many renames.
        """
        known = {one.old for one in self.of(owner)}
        if len(known | {normalised(old)}) > MOST_RENAMES:
            raise Conflict(f"There may be {MOST_RENAMES} renames; take one back.", code="too-many-renames")
        rule: Item = {"new": new, "at": rfc3339(self._now())}
        self._table.transact([Put(_key(owner, old), rule), Delete(_key(owner, new))])

    def remove(self, owner: str, old: str) -> None:
        """Let future results call it ``old`` again.

        :raises NotFound: it is not called otherwise.
        """
        if self._table.get(_key(owner, old)) is None:
            raise NotFound(f"{old} has not been renamed.", code="no-such-rename")
        self._table.write(Delete(_key(owner, old)))


def _merged(one: Label, other: Label) -> Label:
    """The surer of two labels of one name, with what both know."""
    sure, less = sorted((one, other), key=lambda label: -label.confidence)
    return dataclasses.replace(
        sure,
        parents=_each_once((*sure.parents, *less.parents), but=sure.name),
        aliases=_each_once((*sure.aliases, *less.aliases), but=sure.name),
        categories=tuple(dict.fromkeys((*sure.categories, *less.categories))),
        instances=tuple(dict.fromkeys((*sure.instances, *less.instances))),
    )


def _each_once(names: Iterable[str], *, but: str) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(normalised(name), name)
    first.pop(normalised(but), None)
    return tuple(first.values())


def _partition(owner: str) -> str:
    return f"{owner}#renames"


def _key(owner: str, old: str) -> Key:
    return Key(_partition(owner), normalised(old))
