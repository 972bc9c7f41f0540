"""The index: which images carry which term, newest first.

A *term* is what an image can be found by: ``all``, ``status:failed``, ``label:cat``, ``file:Cat.jpg`` or,
for the beginnings of file names, ``name:cat.``. An entry is one small item under (owner, term, shard) whose
sort key is the image's id, so a page of a query reads as many entries as it needs, however large the
library is. How many shards a term has is :mod:`chalicelib.library.sizes`' business.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.expressions import Delete, Item, Key, Put, Write
from chalicelib.model import Image, Label, normalised

ALL = "all"
PENDING = "status:pending"
STEMS = (2, 4, 8, 16)  # characters of a file name's beginnings that have a term of their own
LABEL = "label:"


@dataclass(frozen=True)
class Entry:
    """What an index entry knows of its image: the ``confidence`` (0–100) and how many ``instances``.

    ``shard`` is where it lies, which makes no difference to what it says.
    """

    confidence: float = 100.0
    instances: int = 0
    shard: int = field(default=0, compare=False)

    def to_item(self) -> Item:
        return {"confidence": self.confidence, "instances": self.instances}

    @classmethod
    def from_item(cls, item: Item) -> Entry:
        return cls(float(item["confidence"]), int(item["instances"]))


def label_term(name: str) -> str:
    """The term of a label's, a parent's or an alias's name."""
    return LABEL + normalised(name)


def stem_terms(filename: str) -> list[str]:
    """The terms of the beginnings that a file name has, shortest first."""
    name = normalised(filename)
    return [f"name:{name[:length]}" for length in STEMS if length <= len(name)]


def filename_term(filename: str) -> str:
    """The term of a file name, which is compared exactly."""
    return f"file:{filename}"


def status_term(status: str) -> str:
    """The term of a status; both that are on their way share one, so that moving on costs no write."""
    return f"status:{status}" if status in ("labelled", "failed") else PENDING


def label_name(term: str) -> str | None:
    """The normalised label name of a label's term, None for any other term."""
    return term.removeprefix(LABEL) if term.startswith(LABEL) else None


def entries_of(image: Image) -> dict[str, Entry]:
    """Every term that finds ``image``: a label is found by its name, its parents and its aliases."""
    found = {ALL: Entry(), status_term(image.status): Entry()}
    if image.filename:
        found |= dict.fromkeys([filename_term(image.filename), *stem_terms(image.filename)], Entry())
    for label in image.labels:
        for name in (label.name, *label.parents, *label.aliases):
            term = label_term(name)
            found[term] = _stronger(found.get(term), label)
    return found


def _stronger(entry: Entry | None, label: Label) -> Entry:
    known = entry or Entry(confidence=0.0)
    confidence = max(known.confidence, round(label.confidence, 2))
    return Entry(confidence, max(known.instances, len(label.instances)))


def added(owner: str, term: str, image_id: str, entry: Entry) -> Write:
    """The write that makes ``image_id`` findable by ``term``."""
    return Put(Key(partition(owner, term, entry.shard), image_id), entry.to_item())


def removed(owner: str, term: str, image_id: str, entry: Entry) -> Write:
    """The write that ends it."""
    return Delete(Key(partition(owner, term, entry.shard), image_id))


def partition(owner: str, term: str, shard: int) -> str:
    """Where the entries of one shard of a term lie."""
    return f"{owner}#index{shard or ''}#{term}"
