"""The index: which images carry which term, newest first.

A *term* is what an image can be found by: ``all``, ``status:failed``, ``file:cat.jpg`` or ``label:cat``.
An entry is one small item under (owner, term) whose sort key is the image's id, so a page of a query
reads as many entries as it needs, however large the library is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.expressions import Delete, Item, Key, Put, Write
from chalicelib.model import Image, Label, normalised
from chalicelib.table import Table

ALL = "all"
_LABEL = "label:"
_AFTER_EVERY_ID = "~"  # sorts behind each character of a ULID


@dataclass(frozen=True)
class Entry:
    """What an index entry knows of its image: the ``confidence`` (0–100) and how many ``instances``."""

    confidence: float = 100.0
    instances: int = 0

    def to_item(self) -> Item:
        return {"confidence": self.confidence, "instances": self.instances}


def label_term(name: str) -> str:
    """The term of a label's, a parent's or an alias's name."""
    return _LABEL + normalised(name)


def filename_term(filename: str) -> str:
    """The term of a file name, which is compared exactly."""
    return f"file:{filename}"


def status_term(status: str) -> str:
    """The term of a status; both that are on their way share one, so that moving on costs no write."""
    return f"status:{status if status in ('labelled', 'failed') else 'pending'}"


def label_name(term: str) -> str | None:
    """The normalised label name of a label's term, None for any other term."""
    return term.removeprefix(_LABEL) if term.startswith(_LABEL) else None


def entries_of(image: Image) -> dict[str, Entry]:
    """Every term that finds ``image``: a label is found by its name, its parents and its aliases."""
    found = {ALL: Entry(), status_term(image.status): Entry()}
    if image.filename:
        found[filename_term(image.filename)] = Entry()
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
    return Put(Key(_partition(owner, term), image_id), entry.to_item())


def removed(owner: str, term: str, image_id: str) -> Write:
    """The write that ends it."""
    return Delete(Key(_partition(owner, term), image_id))


def images_with_all(
    table: Table, owner: str, terms: Sequence[str], after: str | None, page: int
) -> Iterator[str]:
    """Ids of the images that carry every one of ``terms``, newest first, those behind ``after`` only."""
    streams = [_Stream(table, _partition(owner, term), after, page) for term in terms]
    while True:
        heads = [stream.head() for stream in streams]
        oldest = min((head or "") for head in heads)
        if not oldest:
            return
        if all(head == oldest for head in heads):
            yield oldest
            for stream in streams:
                stream.drop_head()
        else:
            for stream in streams:
                stream.skip_to(oldest)


class _Stream:
    """The ids under one term, newest first, a page at a time; skips ahead unread over what lies between."""

    def __init__(self, table: Table, partition: str, after: str | None, page: int) -> None:
        self._table = table
        self._partition = partition
        self._page = page
        self._ids: list[str] = []
        self._ended = False
        self._after = after or _AFTER_EVERY_ID

    def head(self) -> str | None:
        if not self._ids and not self._ended:
            self._fill({"after": self._after})
        return self._ids[0] if self._ids else None

    def drop_head(self) -> None:
        self._after = self._ids.pop(0)

    def skip_to(self, image_id: str) -> None:
        """Go on with the first id that is ``image_id`` or older."""
        self._ids = [known for known in self._ids if known <= image_id]
        if not self._ids and not self._ended:
            self._fill({"at_most": image_id})

    def _fill(self, start: Mapping[str, str]) -> None:
        items = self._table.query(self._partition, limit=self._page, newest_first=True, **start)
        self._ids = [str(item["sk"]) for item in items]
        self._ended = len(items) < self._page


def _partition(owner: str, term: str) -> str:
    return f"{owner}#index#{term}"
