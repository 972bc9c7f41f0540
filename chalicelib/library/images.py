"""Reads and writes image records: each change is one conditional write of one item.

A record carries the token of its last change, ``revision``. Every write expects the revision that it has
read, so of two concurrent writes one fails with :exc:`Superseded`. Data derived from a record is not written
here but by the projection, from the table's stream.
"""

from __future__ import annotations

import contextlib
import dataclasses
import zlib
from collections.abc import Callable

from chalicelib.errors import Busy, NotFound, Superseded, Unavailable
from chalicelib.expressions import Delete, Item, Key, Put, Update, Write
from chalicelib.ids import is_id, new_id, rfc3339
from chalicelib.library.bounds import check_user_data
from chalicelib.library.record import (
    Outcome,
    Record,
    ResultKind,
    StoredImage,
    lookup_key,
    parse_key,
    record_key,
    tombstone,
)
from chalicelib.library.renames import Rules, rules_key
from chalicelib.model import DEFAULT_OWNER, Image
from chalicelib.table import ConditionFailed, Table

LEASE_SECONDS = (
    90.0  # longer than the labeler may run (60 s), so that a lease expires only if its holder died
)
QUEUE_SECONDS = 300.0  # how long the S3 event of a stored object may take
UPLOAD_SECONDS = 24 * 3600.0  # how long the client may take to upload an announced image
TOMBSTONE_SECONDS = 14 * 24 * 3600  # longer than a message about the object can wait in a queue
SHARDS = tuple(f"image#{shard}" for shard in range(4))  # of the due index
BIN_SHARDS = tuple(f"bin#{shard}" for shard in range(4))  # apart, so that erasing delays no labelling
FINISH_TRIES = 5
EDIT_TRIES = 8
MOST_DOUBLED = 8  # doublings of the sweep's backoff, which is then six hours


class Images:
    """The records of all images."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def create(self, image: Image) -> Record:
        """Store a new image that waits for its object, or for the S3 event of its object.

        :raises Superseded: there is an image with this id.
        :raises TooMuch: the metadata and filters are too large.
        """
        check_user_data(image)
        waits = UPLOAD_SECONDS if image.status == "awaiting_upload" else QUEUE_SECONDS
        return self._insert(Record(image, "", due_at=self._at(waits)))

    def create_claimed(self, image: Image) -> Record:
        """Store a new image whose object is in the bucket, claimed for this worker.

        If the API did not make the key, its lookup row is written first. An abandoned lookup row (after a
        worker died, or an image was deleted or moved) is taken over.

        :raises Superseded: another worker was faster.
        """
        if parse_key(image.key) is None:
            image = self._with_lookup(image)
        lease = self._now() + LEASE_SECONDS
        due = self._at(LEASE_SECONDS)
        return self._insert(Record(image, "", lease_until=lease, due_at=due, attempts=1, claim=new_id()))

    def get(self, owner: str, image_id: str) -> Image:
        """:raises NotFound: this owner has no such image."""
        return self.stored(owner, image_id).image

    def stored(self, owner: str, image_id: str) -> StoredImage:
        """An image as readers see it.

        :raises NotFound: this owner has no such image.
        """
        item = self._table.get(record_key(owner, image_id)) if is_id(image_id) else None
        if item is None or StoredImage(item).erased:
            raise NotFound(f"There is no image {image_id}.")
        return StoredImage(item)

    def find(self, owner: str, image_id: str) -> Record | None:
        """The record of an image, or None."""
        return self.read(record_key(owner, image_id)) if is_id(image_id) else None

    def find_by_key(self, key: str) -> Record | None:
        """The record of the image whose object key is ``key``, or None."""
        return self.find_with_rules(key)[0]

    def find_with_rules(self, key: str) -> tuple[Record | None, Rules]:
        """The record of the image under an object's key, or None; and its owner's renames.

        One call for a key that the API made, two for any other key.
        """
        parsed = parse_key(key)
        owner, image_id = parsed or (DEFAULT_OWNER, "")
        first = record_key(owner, image_id) if parsed else lookup_key(key)
        items = self._table.get_many([first, rules_key(owner)])
        found, rules = items.get(first), Rules.from_item(items.get(rules_key(owner)))
        if parsed:
            return _under(key, _record(found)), rules
        return (_under(key, self.find(owner, str(found["image_id"]))) if found else None), rules

    def read(self, key: Key) -> Record | None:
        """The record under a table key."""
        return _record(self._table.get(key))

    def was_erased(self, owner: str, image_id: str) -> bool:
        """Whether this image has a tombstone: a person erased it within the last two weeks."""
        item = self._table.get(record_key(owner, image_id))
        return item is not None and StoredImage(item).erased

    def claim(self, record: Record, image: Image) -> Record:
        """Claim the image for this worker until the lease ends, and store it as ``image`` meanwhile.

        :raises Busy: another worker has the lease.
        :raises Superseded: the record has changed since it was read.
        """
        now = self._now()
        if record.lease_until > now:
            raise Busy(f"Image {record.image.id} is being labelled.", retry_after=record.lease_until - now)
        return self._save(
            dataclasses.replace(
                record,
                image=image,
                lease_until=now + LEASE_SECONDS,
                due_at=self._due_after_claim(record),
                attempts=record.attempts + 1,
                claim=new_id(),
            )
        )

    def release(self, record: Record) -> None:
        """End this worker's claim without a result; a claim that another worker has by now stays."""
        with contextlib.suppress(Superseded):
            self._save(dataclasses.replace(record, lease_until=0.0, released=record.released + 1))

    def finish(self, record: Record, outcome: Outcome) -> Record:
        """Store a result, end the claim, and take the image out of the due index.

        Corrections apply to the new result too, also those that were made during the recognition.

        :raises Superseded: the claim has ended or belongs to another worker; the result is not stored.
        """
        for _ in range(FINISH_TRIES):
            with contextlib.suppress(Superseded):
                done = dataclasses.replace(outcome.of(record), due_at="")
                return self._save(done, version=self._version_after(record))
            record = self._still_claimed(record)
        raise Superseded(f"Image {record.image.id} keeps changing.")

    def edit(
        self,
        owner: str,
        image_id: str,
        change: Callable[[Record], Record | None],
        kind: ResultKind | None = None,
    ) -> tuple[Record, bool]:
        """Store ``change(record)`` unless it is None; returns the record, and whether it was changed.

        If the record is changed by another writer meanwhile, ``change`` is called again with the new one.

        :raises NotFound: there is no such image.
        :raises Unavailable: the record keeps changing.
        """
        for _ in range(EDIT_TRIES):
            record = self.find(owner, image_id)
            if record is None:
                raise NotFound(f"There is no image {image_id}.")
            changed = change(record)
            if changed is None:
                return record, False
            with contextlib.suppress(Superseded):
                return self.change(record, changed, kind), True
        raise Unavailable(f"Image {image_id} keeps changing; ask again.")

    def change(
        self, record: Record, changed: Record, kind: ResultKind | None = None, *, look_at: str = ""
    ) -> Record:
        """Store ``changed`` in place of ``record``; ``kind`` says how a new result came about.

        ``look_at`` (RFC 3339) is when the sweep looks at the image, by default when it is stuck or expires.

        :raises Superseded: the record has changed since it was read.
        :raises TooMuch: the user data would be too large.
        """
        check_user_data(changed.image, before=record.image)
        changed = dataclasses.replace(self._changed(record, changed, kind, look_at), revision=record.revision)
        return self._save(changed, version=self._version_after(record))

    def move(
        self, record: Record, moved: Record, kind: ResultKind | None = None, *, copy: Record | None = None
    ) -> Record:
        """Store an image under a new object key, with the lookup rows of both keys, in one transaction.

        ``copy`` is the image that has the new key so far; it is erased.

        :raises Superseded: a record or a lookup row has changed since it was read.
        """
        image = moved.image
        there, before = lookup_key(image.key), lookup_key(record.image.key)
        lookups = self._table.get_many([there, before])
        saved = dataclasses.replace(
            self._changed(record, moved, kind), revision=new_id(), version=self._version_after(record)
        )
        known = lookups[there]["image_id"] if there in lookups else None
        writes: list[Write] = [
            Put(record_key(image.owner, image.id), _item(saved), {"revision": record.revision}),
            Put(there, {"image_id": image.id, "revision": new_id()}, {"image_id": known}),
        ]
        if before in lookups and lookups[before]["image_id"] == image.id:
            writes.append(Delete(before, when={"image_id": image.id}))
        if copy:
            last = dataclasses.replace(copy.image, result=copy.image.result + 1)
            writes.append(self._tombstone(copy, last))
        try:
            self._table.transact(writes)
        except ConditionFailed:
            raise Superseded(f"Image {image.id} has changed meanwhile.") from None
        return saved

    def _changed(self, record: Record, changed: Record, kind: ResultKind | None, look_at: str = "") -> Record:
        if kind and changed.image.result > record.image.result:
            changed = dataclasses.replace(changed, kind=kind, calls={}, setback=None)
        soon = "" if changed.image.final else changed.due_at or self._at(LEASE_SECONDS)
        return dataclasses.replace(changed, due_at=look_at or changed.image.erases_at or soon)

    def touch(self, owner: str, image_id: str) -> None:
        """Write the unchanged record under a new version, so that it is projected again."""
        item = self._table.get(record_key(owner, image_id))
        if item is None:
            return
        newer: Item = {"version": self._version_after(StoredImage(item)), "revision": new_id()}
        when = {"revision": item["revision"]}
        with contextlib.suppress(ConditionFailed):  # another change is projected anyway
            self._table.write(Update(record_key(owner, image_id), set=newer, when=when))

    def erase(self, record: Record) -> None:
        """Replace a record by a tombstone, which holds the deletion's event and expires after two weeks.

        :raises Superseded: the record has changed since it was read.
        """
        image = record.image
        self._write(self._tombstone(record, image), image)
        if parse_key(image.key) is None:
            with contextlib.suppress(ConditionFailed):
                self._table.write(Delete(lookup_key(image.key), when={"image_id": image.id}))

    def _tombstone(self, record: Record, last: Image) -> Put:
        item = tombstone(last, rfc3339(self._now()), self._version_after(record))
        item["expires_at"] = int(self._now()) + TOMBSTONE_SECONDS
        return Put(record_key(last.owner, last.id), item, {"revision": record.revision})

    def _with_lookup(self, image: Image) -> Image:
        """Write the lookup row of the image's key; returns the image, with the id of an abandoned row.

        :raises Superseded: another image has this key.
        """
        lookup = lookup_key(image.key)
        try:
            self._table.write(Put(lookup, {"image_id": image.id, "revision": new_id()}, {"image_id": None}))
            return image
        except ConditionFailed as error:
            known = str((error.stored or {}).get("image_id", ""))
        item = self._table.get(record_key(image.owner, known)) if known else None
        if item is None and known:  # a worker died between lookup row and record
            return dataclasses.replace(image, id=known)
        if item is None or _under(image.key, _record(item)):
            raise Superseded(f"There is an image under {image.key!r} by now.")
        self._write(
            Update(lookup, set={"image_id": image.id, "revision": new_id()}, when={"image_id": known}), image
        )
        return image

    def _insert(self, record: Record) -> Record:
        image = record.image
        new = dataclasses.replace(record, revision=new_id(), version=self._milliseconds(), seen=image.labels)
        self._write(Put(record_key(image.owner, image.id), _item(new), {"revision": None}), image)
        return new

    def _still_claimed(self, record: Record) -> Record:
        """The current record; :exc:`Superseded` if this worker has lost its claim."""
        current = self.find(record.image.owner, record.image.id)
        if current is None or current.claim != record.claim or not current.lease_until:
            raise Superseded(f"Image {record.image.id} has changed meanwhile.")
        return current

    def _save(self, record: Record, version: int | None = None) -> Record:
        """Store ``record`` under a new revision, if the stored revision is still the one that was read."""
        image = record.image
        saved = dataclasses.replace(record, revision=new_id(), version=version or record.version)
        self._write(
            Put(record_key(image.owner, image.id), _item(saved), {"revision": record.revision}), image
        )
        return saved

    def _write(self, write: Put | Update, image: Image) -> None:
        try:
            self._table.write(write)
        except ConditionFailed:
            raise Superseded(f"Image {image.id} has changed meanwhile.") from None

    def _due_after_claim(self, record: Record) -> str:
        """When the sweep looks at a claimed image: with exponential backoff over its attempts.

        A due time that is close enough stays: changing an entry of the due index costs as much as the record.
        """
        soonest = self._at(LEASE_SECONDS * 2 ** min(record.attempts, MOST_DOUBLED))
        latest = self._at(LEASE_SECONDS * 2 ** min(record.attempts, MOST_DOUBLED) + QUEUE_SECONDS)
        return record.due_at if soonest <= record.due_at <= latest else soonest

    def _version_after(self, record: Record | StoredImage) -> int:
        """The next version: at least the time, so that a record that is made again is newer."""
        return max(record.version + 1, self._milliseconds())

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)

    def _at(self, seconds: float) -> str:
        return rfc3339(self._now() + seconds)


def _record(item: Item | None) -> Record | None:
    return None if item is None or StoredImage(item).erased else Record.from_item(item)


def _under(key: str, record: Record | None) -> Record | None:
    """The record, if its image still has this key: an image may have moved to another one."""
    return record if record and record.image.key == key else None


def _item(record: Record) -> Item:
    due: Item = {"due_shard": _due_shard(record.image), "due_at": record.due_at} if record.due_at else {}
    return {**record.to_item(), **due}


def _due_shard(image: Image) -> str:
    shards = BIN_SHARDS if image.binned else SHARDS
    return shards[zlib.crc32(image.id.encode()) % len(shards)]
