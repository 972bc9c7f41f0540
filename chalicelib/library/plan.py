"""The query planner: turns a query into streams of index entries that contain every match.

The streams may contain more than the matches, never less: the record of each candidate is checked at the end.

* For conditions joined by *and*, the rarest one gives the candidates. A condition that is at most
  :data:`MERGED` times as common is merged with it, both streams skipping ahead. More common ones are checked
  in the record, which is read anyway.
* A period of dates taken gives candidates if it has few photos; else it is checked in the record.
* A negated condition is only ever subtracted from the candidates.
* The count of a term also says how many entries to read in one call, so that a page takes a few calls.
* For images in the bin only the bin's term is read; all other conditions are checked in the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.ids import first_id_of
from chalicelib.library.conditions import (
    LAST_CHARACTER,
    After,
    Before,
    FileNamed,
    HasStatus,
    Labelled,
    Named,
    Taken,
    Written,
)
from chalicelib.library.index import (
    ALL,
    BINNED,
    FAILED,
    STEMS,
    TAKEN,
    IndexEntry,
    counted_as,
    image_in,
    partition,
    status_term,
    stem_terms,
)
from chalicelib.library.query_algebra import And, Node, Not, Or, every
from chalicelib.library.streams import END, TOP, Both, Either, IndexStream, Listed, Reads, Stream, below
from chalicelib.library.words import STEM

MERGED = 2.0
FEW = 200  # photos of a period that are read at once
Leaf = Labelled | HasStatus | FileNamed | Written


@dataclass(frozen=True)
class Span:
    """The range of ids from ``oldest`` to ``newest``."""

    newest: str = TOP
    oldest: str = END

    def within(self, conditions: Sequence[Node]) -> Span:
        """The part of the span that meets all ``before:`` and ``after:`` conditions."""
        ends = [below(first_id_of(one.millisecond)) for one in conditions if isinstance(one, Before)]
        starts = [first_id_of(one.millisecond) for one in conditions if isinstance(one, After)]
        return Span(min([self.newest, *ends]), max([self.oldest, *starts]))


class Plan:
    """Makes the streams of one request from a query whose negations have been moved inward.

    ``sizes`` are the counts of its terms.
    """

    def __init__(self, reads: Reads, owner: str, sizes: Mapping[str, int]) -> None:
        self._reads = reads
        self._owner = owner
        self._sizes = sizes
        self._few: dict[Taken, list[str]] = {}

    def look_up(self, node: Node | None) -> None:
        """Read the photos of a required period of dates taken, if they are few."""
        for one in _parts(node):
            if isinstance(one, Taken) and not self._few:
                items, whole = self._reads.entries(partition(self._owner, TAKEN), one.newest, FEW)
                places = [place for item in items if (place := str(item["sk"])) >= one.oldest]
                if whole or len(places) < len(items):
                    self._few[one] = [image_in(place) for place in places]

    def is_narrow(self, node: Node | None) -> bool:
        """Whether a required condition other than a period may leave few images."""
        return any(not isinstance(one, Not | Taken | Named | None) for one in _parts(node))

    def by_date(self, node: Node | None) -> Stream:
        """The positions ``<date taken>#<id>`` of all candidates for ``node``, in the whole library."""
        periods = [one for one in _parts(node) if isinstance(one, Taken)]
        undated = any(one == Not(Taken()) for one in _parts(node))
        everything = max(1, self._sizes.get(ALL, 0))
        return IndexStream(
            self._reads,
            partition(self._owner, TAKEN),
            admits=_any,
            newest=min(["#" + LAST_CHARACTER if undated else TOP, *(one.newest for one in periods)]),
            oldest=max(["", *(one.oldest for one in periods)]),
            share=max(1.0, everything / max(1, self.size_of(node) or everything)),
        )

    def stream(self, node: Node | None, span: Span = Span(), share: float = 1.0) -> Stream:
        """The ids of all candidates for ``node`` within ``span``; all ids if ``node`` is None."""
        match node:
            case And():
                return self._both(node.parts, span, share)
            case Or():
                shares = self._shares(node.parts, share)
                return Either(
                    [self.stream(part, span, each) for part, each in zip(node.parts, shares, strict=True)]
                )
            case Not() | Before() | After() | Taken() | Named():
                return self._both((node,), span, share)
            case None:
                return self._entries(ALL, span, share)
        return self._leaf(node, span, share)

    def _both(self, parts: Sequence[Node], span: Span, share: float) -> Stream:
        span = span.within(parts)
        asked: list[Node] = [
            part for part in parts if not isinstance(part, Not | Before | After | Taken | Named)
        ]
        asked += [part for part in parts if isinstance(part, Taken) and part in self._few]
        banned = [part.part for part in parts if isinstance(part, Not) and is_exact(part.part)]
        everything = max(1, self._sizes.get(ALL, 0))
        most = MERGED * min(self._known(asked) or [everything])
        first, *more = [*sorted(self._merged(asked, most), key=self._rarity), None]
        others = [part for part in more if part]
        for other in others:  # each passes only some of the candidates
            share *= everything / max(1, self.size_of(other) or everything)
        base = max(1, self.size_of(first) or everything)
        unwanted = self._merged(banned, most)
        wanted = [self._single(first, span, share)]
        wanted += [self._single(one, span, share * (self.size_of(one) or base) / base) for one in others]
        refused = [self.stream(one, span, share * (self.size_of(one) or base) / base) for one in unwanted]
        return Both(wanted, refused) if len(wanted) > 1 or refused else wanted[0]

    def _merged(self, parts: Sequence[Node], most: float) -> list[Node]:
        return [part for part in parts if (self.size_of(part) or 0) <= most]

    def _single(self, part: Node | None, span: Span, share: float) -> Stream:
        if isinstance(part, Taken):
            return Listed(one for one in self._few[part] if span.oldest <= one <= span.newest)
        return self.stream(part, span, share)

    def _leaf(self, leaf: Leaf, span: Span, share: float) -> Stream:
        if isinstance(leaf, Labelled):
            return self._entries(leaf.term, span, share, leaf)
        if isinstance(leaf, Written) and len(leaf.terms) > 1:
            return Both([self._entries(term, span, share) for term in leaf.terms], ())
        return self._entries(_term_of(leaf), span, share)

    def _entries(self, term: str, span: Span, share: float, label: Labelled | None = None) -> IndexStream:
        return IndexStream(
            self._reads,
            partition(self._owner, term),
            admits=label.admits if label else _any,
            newest=span.newest,
            oldest=span.oldest,
            share=share,
        )

    def size_of(self, node: Node | None) -> int | None:
        """How many images match a node at most; None if that is not known."""
        match node:
            case And():
                return min(self._known(node.parts), default=None)
            case Or():
                known = self._known(node.parts)
                return sum(known) if len(known) == len(node.parts) else None
            case Labelled() | HasStatus() | FileNamed() | Written():
                return self._sizes.get(_term_of(node))
            case Taken() if node in self._few:
                return len(self._few[node])
        return self._sizes.get(ALL)

    def _known(self, parts: Sequence[Node]) -> list[int]:
        return [size for part in parts if (size := self.size_of(part)) is not None]

    def _rarity(self, node: Node) -> float:
        size = self.size_of(node)
        return float("inf") if size is None else size

    def _shares(self, parts: Sequence[Node], share: float) -> list[float]:
        sizes = [self.size_of(part) or 1 for part in parts]
        return [share * size / sum(sizes) for size in sizes]


def within_bin(root: Node) -> Node:
    """The part of a query about the bin that the index can answer."""
    parts = root.parts if isinstance(root, And) else (root,)
    return every([HasStatus("binned"), *(one for one in parts if isinstance(one, Before | After))])


def counted_terms_of(node: Node | None) -> set[str]:
    """The counted terms whose counts the plan for ``node`` needs; none if there is nothing to choose."""
    terms = set(_terms_of(node))
    return {ALL, *filter(counted_as, terms)} if len(terms) > 1 else set()


def _parts(node: Node | None) -> tuple[Node | None, ...]:
    """The conditions that must all hold."""
    return node.parts if isinstance(node, And) else (node,)


def _terms_of(node: Node | None) -> Iterator[str]:
    match node:
        case And() | Or():
            for part in node.parts:
                yield from _terms_of(part)
        case Labelled() | HasStatus() | FileNamed() | Written():
            yield _term_of(node)
        case Not():
            yield from _terms_of(node.part)
            yield ALL
        case _:
            yield ALL


def is_exact(node: Node) -> bool:
    """Whether the entries of a node's term are exactly its matches."""
    match node:
        case HasStatus():
            return _term_of(node) in (FAILED, BINNED)
        case FileNamed():
            return len(node.prefix) in STEMS
        case Written():
            return len(node.words) == 1 and (not node.prefix or len(node.words[0]) == STEM)
    return isinstance(node, Labelled)


def _term_of(leaf: Leaf) -> str:
    match leaf:
        case Labelled():
            return leaf.term
        case HasStatus():
            return status_term(leaf.status)
        case Written():
            return leaf.terms[0]
    return next(iter(reversed(stem_terms(leaf.prefix))), ALL)


def _any(entry: IndexEntry) -> bool:
    return True
