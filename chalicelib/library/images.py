"""Image records, each kept together with its entries in the index and its share of the counts.

A record carries the token of its last change, ``revision``: every write expects the one that it has read,
so of two that race one is told. It also carries what the index holds for it, ``terms``; each transaction
moves record, entries and counts together, so the three agree even where a large change takes several
transactions or is interrupted between two.
"""

from __future__ import annotations

import contextlib
import dataclasses
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from chalicelib.errors import Busy, NotFound, Superseded
from chalicelib.expressions import Delete, Item, Key, Put, Update, Value, Write
from chalicelib.ids import is_id, new_id, rfc3339
from chalicelib.library import history, index
from chalicelib.library.index import Entry
from chalicelib.library.moves import chunks, moves
from chalicelib.library.outcome import Kind, Outcome
from chalicelib.library.record import Record, lookup_key, parse_key, record_key
from chalicelib.library.sizes import placed
from chalicelib.model import DEFAULT_OWNER, Failure, Image
from chalicelib.table import ConditionFailed, Table

LEASE_SECONDS = 90.0  # longer than the labeler may run (60 s), so that a lease ends only where its holder did
QUEUE_SECONDS = 300.0  # how long the event of an object that is there may stay away
UPLOAD_SECONDS = 24 * 3600.0  # how long an announced upload may stay away
DUE_SHARDS = 4
SHARDS = tuple(f"image#{shard}" for shard in range(DUE_SHARDS))  # of the due index
FINISH_TRIES = 5


class Images:
    """All that is stored of images, by owner."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def create(self, image: Image) -> Record:
        """Store a new image that waits for its object, or for the event that tells of it.

        :raises Superseded: there is one with this id, or one for this key.
        """
        waits = UPLOAD_SECONDS if image.status == "awaiting_upload" else QUEUE_SECONDS
        return self._insert(Record(image, new_id()), waits)

    def create_claimed(self, image: Image) -> Record:
        """Store a new image whose object is there, and claim it for this worker in the same transaction.

        :raises Superseded: somebody else was faster.
        """
        lease = self._now() + LEASE_SECONDS
        claimed = Record(image, new_id(), lease_until=lease, attempts=1, claim=new_id())
        return self._insert(claimed, LEASE_SECONDS)

    def get(self, owner: str, image_id: str) -> Image:
        """:raises NotFound: this owner has no such image."""
        record = self.find(owner, image_id)
        if record is None:
            raise NotFound(f"There is no image {image_id}.")
        return record.image

    def find(self, owner: str, image_id: str) -> Record | None:
        """The record of an image, or None."""
        item = self._table.get(record_key(owner, image_id)) if is_id(image_id) else None
        return Record.from_item(item) if item else None

    def find_by_key(self, key: str) -> Record | None:
        """The record of the image whose object lies, or is to lie, under ``key``."""
        made = parse_key(key)
        if made:
            return self.find(*made)
        lookup = self._table.get(lookup_key(key))
        return self.find(DEFAULT_OWNER, str(lookup["image_id"])) if lookup else None

    def read(self, key: Key) -> Record | None:
        """The record under a table key, as :meth:`due` gives them."""
        item = self._table.get(key)
        return Record.from_item(item) if item else None

    def claim(self, record: Record, image: Image) -> Record:
        """Take the image for this worker until the lease ends, and show it as ``image`` meanwhile.

        :raises Busy: another worker has it.
        :raises Superseded: the record has changed since it was read.
        """
        now = self._now()
        if record.lease_until > now:
            raise Busy(f"Image {record.image.id} is being labelled.", retry_after=record.lease_until - now)
        lease, attempts = now + LEASE_SECONDS, record.attempts + 1
        claimed = dataclasses.replace(
            record, image=image, lease_until=lease, attempts=attempts, claim=new_id()
        )
        return self._save(claimed, due_in=LEASE_SECONDS)

    def release(self, record: Record) -> None:
        """End this worker's claim without a result; who holds the image by now is not disturbed."""
        with contextlib.suppress(Superseded):
            freed = dataclasses.replace(record, lease_until=0.0, released=record.released + 1)
            self._save(freed, due_in=LEASE_SECONDS)

    def finish(self, record: Record, outcome: Outcome, along: Sequence[Write] = ()) -> Record:
        """Store a result in one transaction with index, counts, history and what goes ``along``, and free it.

        What a person says of the image, be it said while it was recognised, holds for the new result too.

        :raises Superseded: the claim is over, or another's by now; of the result nothing is kept.
        """
        for _ in range(FINISH_TRIES):
            with contextlib.suppress(Superseded):
                return self.change(record, outcome.of(record), outcome.kind, error=outcome.error, along=along)
            record = self._still_claimed(record)
        raise Superseded(f"Image {record.image.id} keeps changing.")

    def change(
        self,
        record: Record,
        changed: Record,
        kind: Kind | None,
        *,
        error: Failure | None = None,
        along: Sequence[Write] = (),
    ) -> Record:
        """Store ``changed`` in place of ``record``, with index, counts and, for a result's ``kind``, history.

        :raises Superseded: the record has changed since it was read.
        """
        wanted = self._placed(changed.image, record.terms)
        *before, last = chunks(record.terms, wanted)
        for chunk in before:
            record = self._save_moved(record, chunk, wanted)
        changed = dataclasses.replace(changed, revision=record.revision, terms=record.terms)
        remembered = history.added(changed.image, kind, error) if kind else []
        return self._save_moved(changed, last, wanted, [*remembered, *along])

    def mark_announced(self, record: Record) -> Record:
        """Remember that everyone has been told of the present result; nothing is due any more.

        :raises Superseded: the record has changed since.
        """
        return self._save(dataclasses.replace(record, announced=record.image.result), due_in=None)

    def put_off(self, record: Record, seconds: float) -> None:
        """Let the sweep look at the image again in so many seconds."""
        image = record.image
        due = self._due(image, seconds)
        seen = {"revision": record.revision}
        with contextlib.suppress(ConditionFailed):
            self._table.write(Update(record_key(image.owner, image.id), set=due, when=seen))

    def delete(self, record: Record, along: Sequence[Write] = ()) -> None:
        """Remove the record, its history, its entries, its counts and its lookup row.

        :raises Superseded: the record has changed since it was read.
        """
        for chunk in chunks(record.terms, {}):
            record = self._save_moved(record, chunk, {})
        image = record.image
        writes: list[Write] = [
            Delete(record_key(image.owner, image.id), when={"revision": record.revision}),
            *history.removed(image),
            *along,
        ]
        if parse_key(image.key) is None:
            writes.append(Delete(lookup_key(image.key)))
        self._transact(image, writes)

    def due(self) -> Iterator[Key]:
        """Table keys of the records whose time has come, at most 100 a shard."""
        until = rfc3339(self._now())
        for shard in range(DUE_SHARDS):
            yield from self._table.due(f"image#{shard}", until=until, limit=100)

    def _insert(self, record: Record, due_in: float) -> Record:
        image = record.image
        record = dataclasses.replace(record, seen=image.labels, terms=self._placed(image, {}))
        writes: list[Write] = [
            Put(record_key(image.owner, image.id), {**record.to_item(), **self._due(image, due_in)}, _NEW)
        ]
        if parse_key(image.key) is None:
            lookup: Item = {"image_id": image.id, "revision": record.revision}
            writes.append(Put(lookup_key(image.key), lookup, _NEW))
        unindexed = dataclasses.replace(record, terms={})
        writes += [write for term, entry in record.terms.items() for write in moves(unindexed, term, entry)]
        self._transact(image, writes)
        return record

    def _placed(self, image: Image, present: Mapping[str, Entry]) -> dict[str, Entry]:
        """What the index is to hold for ``image``; what is ``present`` stays in the shard it lies in."""
        wanted = index.entries_of(image)
        new = {term: entry for term, entry in wanted.items() if term not in present}
        kept = {
            term: dataclasses.replace(entry, shard=present[term].shard)
            for term, entry in wanted.items()
            if term in present
        }
        return kept | placed(self._table, image.owner, image.id, new)

    def _still_claimed(self, record: Record) -> Record:
        """The record as it is now, if this worker's claim of it still stands."""
        current = self.find(record.image.owner, record.image.id)
        if current is None or current.claim != record.claim or not current.lease_until:
            raise Superseded(f"Image {record.image.id} has changed meanwhile.")
        return current

    def _save_moved(
        self,
        record: Record,
        chunk: Sequence[str],
        wanted: Mapping[str, Entry],
        along: Sequence[Write] = (),
    ) -> Record:
        """Save ``record`` and move its ``chunk`` of terms to what is ``wanted``, index and counts with it."""
        kept = {term: entry for term, entry in record.terms.items() if term not in chunk}
        moved = kept | {term: wanted[term] for term in chunk if term in wanted}
        writes = [write for term in chunk for write in moves(record, term, wanted.get(term))]
        moving = dataclasses.replace(record, terms=moved)
        return self._save(moving, due_in=LEASE_SECONDS, along=[*writes, *along])

    def _save(self, record: Record, *, due_in: float | None, along: Sequence[Write] = ()) -> Record:
        """Store ``record`` under a new revision if the stored one is still the one it was read with."""
        image = record.image
        saved = dataclasses.replace(record, revision=new_id())
        due = self._due(image, due_in) if due_in is not None else {}
        update = Update(
            record_key(image.owner, image.id),
            set={**saved.to_item(), **due},
            remove=() if due else ("due_shard", "due_at"),
            when={"revision": record.revision},
        )
        self._transact(image, [update, *along])
        return saved

    def _transact(self, image: Image, writes: Sequence[Write]) -> None:
        try:
            self._table.transact(writes)
        except ConditionFailed:
            raise Superseded(f"Image {image.id} has changed meanwhile.") from None

    def _due(self, image: Image, seconds: float) -> dict[str, Value]:
        shard = zlib.crc32(image.id.encode()) % DUE_SHARDS
        return {"due_shard": f"image#{shard}", "due_at": rfc3339(self._now() + seconds)}


_NEW: dict[str, Value | None] = {"revision": None}
