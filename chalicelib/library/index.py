"""The index: which images have which term, newest first.

A *term* is what an image can be found by: ``all``, ``status:failed``, ``label:cat``, ``sha256:…``,
``name:ca`` for a prefix of its file name, or ``word:invoice`` for a word of its text. An index entry is one
small item under (owner, term) whose sort key is the image's id. So the cost of a query's page does not depend
on the size of the library. All entries of a term are in one partition, which takes 1,000 new images a second
and is read by one range query.

The terms of the date taken (``taken:2019-05-17T10:00:00``, or ``taken:`` without a date) share one partition,
which is sorted by that date. Their counts are by month.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.library.words import written_on, written_terms
from chalicelib.model import Json, normalised

ALL = "all"
FAILED = "status:failed"
PENDING = "status:pending"
BINNED = "status:binned"
STEMS = (2, 6, 14)  # lengths of a file name's prefixes that have a term
LABEL = "label:"
TAKEN = "taken:"
MONTH = len("2019-05")
SECOND = len("2019-05-17T10:00:00")
LONGEST_TERM = (
    1006  # bytes: what a name of 1,000 makes; with what stands before it, it fits DynamoDB's sort keys
)


@dataclass(frozen=True)
class IndexEntry:
    """The data of an index entry: the label's ``confidence`` (0–100) and its number of ``instances``."""

    confidence: float = 100.0
    instances: int = 0

    def to_item(self) -> Item:
        return {"confidence": self.confidence, "instances": self.instances}

    @classmethod
    def from_item(cls, item: Item) -> IndexEntry:
        return cls(float(item["confidence"]), int(item["instances"]))


IndexEntries = Mapping[str, IndexEntry]


def label_term(name: str) -> str:
    """The term of a label's, a parent's or an alias's name."""
    return LABEL + normalised(name)


def stem_terms(filename: str) -> list[str]:
    """The terms of a file name's prefixes, the shortest first."""
    name = normalised(filename)
    return [f"name:{name[:length]}" for length in STEMS if length <= len(name)]


def digest_term(sha256: str) -> str:
    """The term of all images that have the same bytes."""
    return f"sha256:{sha256}"


def digest_of(term: str) -> str | None:
    """The digest of a digest's term, None for any other term."""
    return term.removeprefix("sha256:") if term.startswith("sha256:") else None


def status_term(status: str) -> str:
    """The term of a status.

    All statuses before a result share one term, so that a change between them costs no write. ``labelled``
    has no term of its own, because nearly every image has that status.
    """
    return {"labelled": ALL, "failed": FAILED, "binned": BINNED}.get(status, PENDING)


def label_name(term: str) -> str | None:
    """The normalised label name of a label's term, None for any other term."""
    return term.removeprefix(LABEL) if term.startswith(LABEL) else None


def taken_term(document: Json) -> str:
    """The term of the date taken: as the camera's clock showed it, whatever its offset from UTC."""
    return TAKEN + (document["taken_at"] or "")[:SECOND]


def counted_as(term: str) -> str | None:
    """The counted term for a term: a label, ``all``, failures, or the month of the date taken.

    None for file names, words, digests and unfinished images, which are not counted.
    """
    if term.startswith(TAKEN):
        return term[: len(TAKEN) + MONTH]
    return term if term in (ALL, FAILED) or term.startswith(LABEL) else None


def entries_of(document: Json) -> dict[str, IndexEntry]:
    """The index entries of an image, by term, from its public document.

    An image in the bin has the term of the bin only. If its object is missing it also has that of its
    digest, by which a renamed object is recognised.
    """
    if document["status"] != "binned":
        return described(document)
    lost = [digest_term(document["sha256"])] if document.get("missing") and document["sha256"] else []
    return dict.fromkeys([BINNED, *lost], IndexEntry())


def described(document: Json) -> dict[str, IndexEntry]:
    """The index entries of an image that is not in the bin, by term.

    A label has terms for its name, parents and aliases; text has terms for its words.
    """
    terms = [ALL, status_term(document["status"]), *stem_terms(document["filename"])]
    if document["sha256"]:
        terms.append(digest_term(document["sha256"]))
    if document["taken_at"] or document["status"] in ("labelled", "failed"):  # else it has not been read yet
        terms.append(taken_term(document))
    terms += written_terms(written_on(document))
    found = dict.fromkeys(terms, IndexEntry())
    for label in document["labels"]:
        confidence, instances = round(label["confidence"], 2), len(label["instances"])
        for name in (label["name"], *label["parents"], *label["aliases"]):
            term = label_term(name)
            if len(term.encode()) > LONGEST_TERM:
                continue
            known = found.get(term, IndexEntry(0.0))
            found[term] = IndexEntry(max(known.confidence, confidence), max(known.instances, instances))
    return found


def updates(
    owner: str, image_id: str, wanted: IndexEntries, *present: IndexEntries
) -> Iterator[Put | Delete]:
    """The writes after which an image has exactly the ``wanted`` entries.

    The entries in the index are not known for sure: each may be as any of ``present`` has it, or be missing
    if one of them lacks it.
    """
    for term, entry in wanted.items():
        if any(entries.get(term) != entry for entries in present):
            yield Put(key_of(owner, term, image_id), entry.to_item())
    for term in {term for entries in present for term in entries} - wanted.keys():
        yield Delete(key_of(owner, term, image_id))


def key_of(owner: str, term: str, image_id: str) -> Key:
    """The table key of an image's entry under a term."""
    if term.startswith(TAKEN):
        return Key(partition(owner, TAKEN), f"{term.removeprefix(TAKEN)}#{image_id}")
    return Key(partition(owner, term), image_id)


def image_in(sort_key: str) -> str:
    """The image id in an entry's sort key."""
    return sort_key.rpartition("#")[2]


def partition(owner: str, term: str) -> str:
    """The partition key of a term's entries; all dates share one partition, under :data:`TAKEN`."""
    return f"{owner}#index#{term}"
