"""From a query to streams of index entries that give every image it may hold for.

The streams may give more than is asked for (the record has the last word) but never less. Of conditions
that must all hold the rarest proposes. Another one is merged with it, both skipping ahead over what the
other has not, if it is at most :data:`MERGED` times as common; a more common one is left to the record,
which is read anyway. Photos taken in a period propose if they are few, else the record tells. What must not
hold is only ever subtracted. How common a term is also says how many entries to read at a time, so that a
page takes a few calls. Images in the bin are found by that alone: within it the record says whether the rest
holds.
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
FEW = 200  # photos that were taken in a period: they are read at once
Leaf = Labelled | HasStatus | FileNamed | Written


@dataclass(frozen=True)
class Span:
    """Ids from ``oldest`` to ``newest``."""

    newest: str = TOP
    oldest: str = END

    def within(self, conditions: Sequence[Node]) -> Span:
        """The part of the span in which all those of the conditions hold that are about time."""
        ends = [below(first_id_of(one.millisecond)) for one in conditions if isinstance(one, Before)]
        starts = [first_id_of(one.millisecond) for one in conditions if isinstance(one, After)]
        return Span(min([self.newest, *ends]), max([self.oldest, *starts]))


class Plan:
    """Makes the streams of one request from a query whose negations have been moved inward."""

    def __init__(self, reads: Reads, owner: str, sizes: Mapping[str, int]) -> None:
        self._reads = reads
        self._owner = owner
        self._sizes = sizes
        self._few: dict[Taken, list[str]] = {}

    def look_up(self, node: Node | None) -> None:
        """Read which photos were taken in a period that must hold, if it is one of few."""
        for one in _parts(node):
            if isinstance(one, Taken) and not self._few:
                items, whole = self._reads.entries(partition(self._owner, TAKEN), one.newest, FEW)
                places = [place for item in items if (place := str(item["sk"])) >= one.oldest]
                if whole or len(places) < len(items):
                    self._few[one] = [image_in(place) for place in places]

    def is_narrow(self, node: Node | None) -> bool:
        """Whether something must hold that may leave few images: more than a period of the dates taken."""
        return any(not isinstance(one, Not | Taken | Named | None) for one in _parts(node))

    def by_date(self, node: Node | None) -> Stream:
        """The places ``<date taken>#<id>`` that ``node`` may hold for, of the whole library."""
        periods = [one for one in _parts(node) if isinstance(one, Taken)]
        undated = any(one == Not(Taken()) for one in _parts(node))
        everything = max(1, self._sizes.get(ALL, 0))
        return IndexStream(
            self._reads,
            partition(self._owner, TAKEN),
            admits=_any,
            newest=min(["#" + LAST_CHARACTER if undated else TOP, *(one.newest for one in periods)]),
            oldest=max(["", *(one.oldest for one in periods)]),
            share=max(1.0, everything / max(1, self.about(node) or everything)),
        )

    def stream(self, node: Node | None, span: Span = Span(), share: float = 1.0) -> Stream:
        """The ids within ``span`` that ``node`` may hold for; all of them if it is None."""
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
        for other in others:  # each lets only some of what is proposed through
            share *= everything / max(1, self.about(other) or everything)
        base = max(1, self.about(first) or everything)
        unwanted = self._merged(banned, most)
        wanted = [self._single(first, span, share)]
        wanted += [self._single(one, span, share * (self.about(one) or base) / base) for one in others]
        refused = [self.stream(one, span, share * (self.about(one) or base) / base) for one in unwanted]
        return Both(wanted, refused) if len(wanted) > 1 or refused else wanted[0]

    def _merged(self, parts: Sequence[Node], most: float) -> list[Node]:
        return [part for part in parts if (self.about(part) or 0) <= most]

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

    def about(self, node: Node | None) -> int | None:
        """How many images a node holds for at most, None where that is not known."""
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
        return [size for part in parts if (size := self.about(part)) is not None]

    def _rarity(self, node: Node) -> float:
        size = self.about(node)
        return float("inf") if size is None else size

    def _shares(self, parts: Sequence[Node], share: float) -> list[float]:
        sizes = [self.about(part) or 1 for part in parts]
        return [share * size / sum(sizes) for size in sizes]


def within_bin(root: Node) -> Node:
    """What the index can say of a question about images in the bin."""
    parts = root.parts if isinstance(root, And) else (root,)
    return every([HasStatus("binned"), *(one for one in parts if isinstance(one, Before | After))])


def counted_terms_of(node: Node | None) -> set[str]:
    """Every counted term whose size the plan for ``node`` wants to know; none where there is only one way."""
    terms = set(_terms_of(node))
    return {ALL, *filter(counted_as, terms)} if len(terms) > 1 else set()


def _parts(node: Node | None) -> tuple[Node | None, ...]:
    """What must all hold."""
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
    """Whether the entries of a node's term are just the images that it holds for."""
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
