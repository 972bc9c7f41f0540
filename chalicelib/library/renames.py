"""An owner's renames of labels, and the owner's vocabulary: how a recogniser's labels are shown.

With a vocabulary, a label is shown as the vocabulary's term for it; a label without a term is hidden.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from chalicelib.errors import Conflict, NotFound, TooMuch, Unavailable
from chalicelib.expressions import Item, Key, Put, Update
from chalicelib.ids import new_id, rfc3339
from chalicelib.library.record import packed, unpacked
from chalicelib.model import Correction, Label, Terms, normalised
from chalicelib.table import ConditionFailed, Table

MOST_RENAMES = 500  # of an owner: all of them are read for every image that is labelled
MOST_BYTES = 100_000  # of all names together: they are one item
CHANGE_TRIES = 8


@dataclass(frozen=True)
class Rename:
    """The label ``old`` (normalised) is shown as ``new``, since ``at`` (RFC 3339)."""

    old: str
    new: str
    at: str


@dataclass(frozen=True)
class Rules:
    """How an owner's labels are shown: the renames (``names``: normalised old name → new name) and ``terms``.

    ``terms`` is the owner's vocabulary. ``sidecars`` says whether the owner's part of the bucket has XMP
    sidecars with people's keywords.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    sidecars: bool = False
    terms: Terms = Terms()  # noqa: RUF009 - frozen

    @classmethod
    def from_item(cls, item: Item | None) -> Rules:
        """The rules in the row of :func:`rules_key`; empty rules if there is no row."""
        if item is None:
            return cls()
        names = {one.old: one.new for one in _renames_in(item)}
        return cls(names, "sidecars_since" in item, Terms.from_entries(terms_in(item)))

    def concern(self, names: Iterable[str]) -> bool:
        """Whether the rules would rename or hide any of these names."""
        if self.terms:
            return any(self.terms.term(name) != name for name in names)
        return bool(self.names) and any(normalised(name) in self.names for name in names)

    def name(self, name: str) -> str:
        """The name that ``name`` is shown as, after all renames in turn."""
        while (newer := self.names.get(normalised(name))) is not None:
            name = newer
        return name

    def labels(self, labels: Iterable[Label]) -> tuple[Label, ...]:
        """The labels as they are shown: renamed, then as terms of the vocabulary if there is one."""
        renamed = self.renamed(labels)
        if not self.terms.names:
            return renamed
        return _each_merged(term for label in renamed if (term := self._as_term(label)))

    def renamed(self, labels: Iterable[Label]) -> tuple[Label, ...]:
        """The labels under their new names; labels that now share a name are merged into the first."""
        return _each_merged(map(self._label, labels))

    def _as_term(self, label: Label) -> Label | None:
        """The label as the vocabulary's term for its name, an alias or a parent; None if there is none."""
        term = self.terms.of_any((label.name, *label.aliases, *label.parents))
        if term is None:
            return None
        parents = _each_once(filter(None, map(self.terms.term, label.parents)), but=term)
        return dataclasses.replace(label, name=term, parents=parents, aliases=())

    def corrections(self, corrections: Iterable[Correction]) -> tuple[Correction, ...]:
        """The corrections under their new names; of two corrections of one label the later counts."""
        renamed = map(self._correction, sorted(corrections, key=lambda one: one.at))
        return tuple({normalised(one.name): one for one in renamed}.values())

    def _correction(self, correction: Correction) -> Correction:
        name = self.name(correction.name)
        parents = None if correction.parents is None else self._names(correction.parents, but=name)
        return dataclasses.replace(correction, name=name, parents=parents)

    def _names(self, names: Iterable[str], *, but: str) -> tuple[str, ...]:
        return _each_once(map(self.name, names), but=but)

    def _label(self, label: Label) -> Label:
        name = self.name(label.name)
        parents, aliases = self._names(label.parents, but=name), self._names(label.aliases, but=name)
        return dataclasses.replace(label, name=name, parents=parents, aliases=aliases)


class Renames:
    """Reads and writes the renames and vocabularies of owners: one row each."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def of(self, owner: str) -> list[Rename]:
        """An owner's renames, by old name."""
        return _renames_in(self._table.get(rules_key(owner)))

    def rules(self, owner: str) -> Rules:
        """An owner's rules, ready to apply."""
        return Rules.from_item(self._table.get(rules_key(owner)))

    def add(self, owner: str, old: str, new: str) -> None:
        """Show ``old`` as ``new`` from now on; a rename of ``new`` is removed, so that no cycle arises.

        :raises Conflict: there are too many renames.
        :raises TooMuch: all names together are too long.
        """
        added = Rename(normalised(old), new, rfc3339(self._now()))

        def change(known: list[Rename]) -> list[Rename]:
            kept = [one for one in known if one.old not in (added.old, normalised(new))]
            if len(kept) >= MOST_RENAMES:
                raise Conflict(
                    f"There may be {MOST_RENAMES} renames; take one back.", code="too-many-renames"
                )
            renames = [*kept, added]
            size = sum(len(f"{one.old}{one.new}".encode()) for one in renames)
            if size > MOST_BYTES:
                raise TooMuch(
                    f"The names in all renames would have {size} bytes; the maximum is {MOST_BYTES}: "
                    "take one back.",
                    data={"bytes": size, "most": MOST_BYTES},
                )
            return renames

        self._change(owner, change)

    def remove(self, owner: str, old: str) -> None:
        """Remove a rename: future results show ``old`` again.

        :raises NotFound: there is no such rename.
        """

        def change(known: list[Rename]) -> list[Rename]:
            kept = [one for one in known if one.old != normalised(old)]
            if len(kept) == len(known):
                raise NotFound(f"{old} has not been renamed.", code="no-such-rename")
            return kept

        self._change(owner, change)

    def vocabulary(self, owner: str) -> list[list[str]]:
        """An owner's vocabulary: lists of a term and its aliases; empty if there is none."""
        return terms_in(self._table.get(rules_key(owner)))

    def set_vocabulary(self, owner: str, entries: list[list[str]]) -> None:
        """Show only these terms from now on; without ``entries`` all labels.

        :raises TooMuch: all terms together are too long.
        """
        size = sum(len(one.encode()) for entry in entries for one in entry)
        if size > MOST_BYTES:
            raise TooMuch(
                f"The vocabulary would have {size} bytes; the maximum is {MOST_BYTES}.",
                data={"bytes": size, "most": MOST_BYTES},
            )
        written: Item = {"vocabulary": packed([{"said": one} for one in entries]), "revision": new_id()}
        self._table.write(Update(rules_key(owner), set=written))

    def note_sidecars(self, owner: str) -> float:
        """Make labelers look for sidecars beside an owner's photos.

        Returns since when they do, in seconds since 1970.
        """
        known = self._table.get(rules_key(owner)) or {}
        if "sidecars_since" not in known:
            now = self._now()
            with contextlib.suppress(ConditionFailed):  # another worker has noted it at this moment
                self._table.write(
                    Update(
                        rules_key(owner),
                        set={"sidecars_since": now, "revision": new_id()},
                        when={"sidecars_since": None},
                    )
                )
            return now
        return float(known["sidecars_since"])

    def _change(self, owner: str, change: Callable[[list[Rename]], list[Rename]]) -> None:
        for _ in range(CHANGE_TRIES):
            item = self._table.get(rules_key(owner))
            changed = sorted(change(_renames_in(item)), key=lambda one: one.old)
            rows: Item = {
                **_beside(item),
                "rules": packed([dataclasses.asdict(one) for one in changed]),
                "revision": new_id(),
            }
            with contextlib.suppress(ConditionFailed):
                self._table.write(Put(rules_key(owner), rows, {"revision": (item or {}).get("revision")}))
                return
        raise Unavailable("The renames keep changing; ask again.")


def rules_key(owner: str) -> Key:
    """The key of the row that holds an owner's renames and vocabulary."""
    return Key(f"{owner}#renames", "rules")


def _renames_in(item: Item | None) -> list[Rename]:
    return [Rename(**one) for one in unpacked(item["rules"])] if item and "rules" in item else []


def terms_in(item: Item | None) -> list[list[str]]:
    """The vocabulary in the row of :func:`rules_key`."""
    entries = unpacked(item["vocabulary"]) if item and "vocabulary" in item else []
    return [list(one["said"]) for one in entries]


def _beside(item: Item | None) -> Item:
    """The attributes of the row besides the renames."""
    return {name: value for name, value in (item or {}).items() if name in ("sidecars_since", "vocabulary")}


def _each_merged(labels: Iterable[Label]) -> tuple[Label, ...]:
    merged: dict[str, Label] = {}
    for label in labels:
        name = normalised(label.name)
        merged[name] = _merged(merged[name], label) if name in merged else label
    return tuple(merged.values())


def _merged(one: Label, other: Label) -> Label:
    """The more confident of two labels of one name, with the parents, aliases and boxes of both."""
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
