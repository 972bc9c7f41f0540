"""Holds the index and the counts of an owner to the records, and mends what does not agree.

Every change moves record, entries and counts together, so there should be nothing to find; this is for what
nobody foresaw, and for tables that were edited by hand or restored in part. It may run while the service
does: entries are mended under the revision of their record, counts under the number of their last move.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.expressions import Item, Update, Value, Write
from chalicelib.ids import new_id
from chalicelib.library import index
from chalicelib.library.index import PENDING, Entry, partition
from chalicelib.library.record import Record, record_key
from chalicelib.library.sizes import count_key, is_counted, shards_of
from chalicelib.table import BATCH_LIMIT, ConditionFailed, Table

READ_AT_ONCE = 1000
CHUNK = 90  # entries a transaction, beside the record
COUNT_TRIES = 5
T = TypeVar("T")
Place = tuple[str, int]  # a term and a shard of it


@dataclass(frozen=True)
class Fault:
    """Something that does not agree with the records; ``mended`` tells whether it does now."""

    what: str
    term: str
    image_id: str = ""
    mended: bool = False

    def __str__(self) -> str:
        where = f" of image {self.image_id}" if self.image_id else ""
        return f"{'mended' if self.mended else 'found'}: {self.what}: {self.term!r}{where}"


class Repair:
    """One run over an owner's images; with ``mend`` it changes what it finds, else it only tells."""

    def __init__(self, table: Table, owner: str, *, mend: bool) -> None:
        self._table = table
        self._owner = owner
        self._mend = mend

    def run(self) -> Iterator[Fault]:
        """All faults: entries that are missing or wrong, entries that no record knows of, wrong counts.

        An image is known by any entry under ``all``, a status or a label. Reads each index entry twice and
        each record once.
        """
        places = list(self._places())
        known = {image_id for place in places for image_id in self._ids(place)}
        placed: dict[str, dict[str, Entry]] = {}
        for batch in _batches(sorted(known), BATCH_LIMIT):
            for record in self._records(batch):
                placed[record.image.id] = record.terms
                yield from self._missing(record)
        yield from self._unread(places, placed)
        for place in places:
            yield from self._orphans(place, placed)
        for place in places:
            yield from self._miscounted(place)

    def _places(self) -> Iterator[Place]:
        yield PENDING, 0
        after: str | None = None
        while True:
            rows = self._table.query(
                count_key(self._owner, "", 0).pk, limit=READ_AT_ONCE, after=after, prefix=""
            )
            for row in rows:
                yield from ((str(row["sk"]), shard) for shard in range(shards_of(row)))
            if len(rows) < READ_AT_ONCE:
                return
            after = str(rows[-1]["sk"])

    def _ids(self, place: Place) -> Iterator[str]:
        after: str | None = None
        while True:
            entries = self._table.query(partition(self._owner, *place), limit=READ_AT_ONCE, after=after)
            yield from (str(entry["sk"]) for entry in entries)
            if len(entries) < READ_AT_ONCE:
                return
            after = str(entries[-1]["sk"])

    def _records(self, ids: Iterable[str]) -> Iterator[Record]:
        items = self._table.get_many([record_key(self._owner, image_id) for image_id in ids])
        return map(Record.from_item, items.values())

    def _missing(self, record: Record) -> Iterator[Fault]:
        wanted = {
            term: index.added(self._owner, term, record.image.id, entry)
            for term, entry in record.terms.items()
        }
        stored = self._table.get_many([write.key for write in wanted.values()])
        wrong = {
            term: write
            for term, write in wanted.items()
            if not _says(stored.get(write.key), record.terms[term])
        }
        mended = bool(wrong) and self._mend and self._move(record, list(wrong.values()))
        for term in wrong:
            yield Fault("entry missing or wrong", term, record.image.id, mended)

    def _unread(self, places: list[Place], placed: dict[str, dict[str, Entry]]) -> Iterator[Fault]:
        """Shards that records put entries into and that no reader would look at; adds them to ``places``."""
        used = {(term, entry.shard) for terms in placed.values() for term, entry in terms.items()}
        unread = {place for place in used - set(places) if is_counted(place[0])}
        for term in sorted({term for term, _ in unread}):
            shards = 1 + max(shard for other, shard in used if other == term)
            if self._mend:
                self._table.write(Update(count_key(self._owner, term, 0), set={"shards": shards}))
            yield Fault("too few shards", term, mended=self._mend)
        places += sorted(unread)

    def _orphans(self, place: Place, placed: dict[str, dict[str, Entry]]) -> Iterator[Fault]:
        suspects = (image_id for image_id in self._ids(place) if not _lies_in(placed.get(image_id), place))
        for batch in _batches(suspects, BATCH_LIMIT):
            records = {record.image.id: record for record in self._records(batch)}
            for image_id in batch:
                record = records.get(image_id)
                if not _lies_in(record.terms if record else None, place):
                    mended = self._mend and self._remove(place, image_id, record)
                    yield Fault("entry that no record knows", place[0], image_id, mended)

    def _remove(self, place: Place, image_id: str, record: Record | None) -> bool:
        term, shard = place
        removal = index.removed(self._owner, term, image_id, Entry(shard=shard))
        if record:
            return self._move(record, [removal])
        self._table.write(removal)  # an id that has gone never comes back
        return True

    def _move(self, record: Record, writes: Sequence[Write]) -> bool:
        """Write entries if their record is still the one that was read; what has changed is left alone."""
        key, revision = record_key(self._owner, record.image.id), record.revision
        for chunk in _batches(writes, CHUNK):
            seen, revision = revision, new_id()
            renewed = Update(key, set={"revision": revision}, when={"revision": seen})
            try:
                self._table.transact([renewed, *chunk])
            except ConditionFailed:
                return False
        return True

    def _miscounted(self, place: Place) -> Iterator[Fault]:
        if place[0] == PENDING:
            return
        key = count_key(self._owner, *place)
        for _ in range(COUNT_TRIES):
            row = self._table.get(key) or {}
            exact = sum(1 for _ in self._ids(place))
            if _moves(self._table.get(key) or {}) != _moves(row):
                continue  # entries came or went while they were counted
            by = exact - int(row.get("count", 0))
            if by:
                yield Fault(
                    f"count off by {-by}", place[0], mended=self._mend and self._count(place, row, by)
                )
            return
        yield Fault("too busy to be counted", place[0])

    def _count(self, place: Place, row: Item, by: int) -> bool:
        seen: dict[str, Value | None] = {"moves": _moves(row)}
        counted = Update(count_key(self._owner, *place), add={"count": by, "moves": 1}, when=seen)
        try:
            self._table.write(counted)
        except ConditionFailed:
            return False
        return True


def _says(item: Item | None, entry: Entry) -> bool:
    return item is not None and Entry.from_item(item) == entry


def _lies_in(terms: dict[str, Entry] | None, place: Place) -> bool:
    term, shard = place
    return terms is not None and term in terms and terms[term].shard == shard


def _moves(row: Item) -> int | None:
    return int(row["moves"]) if "moves" in row else None


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    them = iter(things)
    while batch := list(itertools.islice(them, size)):
        yield batch
