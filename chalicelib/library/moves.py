"""What moves in index and counts when an image's terms change, in parts that each fit a transaction."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.expressions import Write
from chalicelib.library import index
from chalicelib.library.index import Entry
from chalicelib.library.record import Record
from chalicelib.library.sizes import counted

CHUNK = 45  # terms a transaction: each costs an entry and a count; ten of the 100 places are for the rest


def chunks(present: Mapping[str, Entry], wanted: Mapping[str, Entry]) -> list[list[str]]:
    """The terms whose entries differ, in parts that each fit a transaction; at least one, maybe empty."""
    gone = [term for term in present if term not in wanted]
    new = [term for term, entry in wanted.items() if present.get(term) != entry]
    terms = gone + new
    return [terms[start : start + CHUNK] for start in range(0, len(terms), CHUNK)] or [[]]


def moves(record: Record, term: str, entry: Entry | None) -> list[Write]:
    """The writes that bring a term of a record to ``entry`` (None: away), in the index and in the counts."""
    owner, image_id, present = record.image.owner, record.image.id, record.terms.get(term)
    if entry:
        counts = [] if present else counted(owner, term, entry.shard, 1)
        return [index.added(owner, term, image_id, entry), *counts]
    if present:
        return [
            index.removed(owner, term, image_id, present),
            *counted(owner, term, present.shard, -1),
        ]
    return []
