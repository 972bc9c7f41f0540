"""Markers: one row beside each record that says what the projection has done for the image.

A marker holds the projected version of the record and its index entries, as they are counted. It is written
in the transaction that updates the counts, on condition that it is still the one that was read. So a change
counts once, even if two projectors handle it or one handles it twice.

Two kinds of rows beside it are in the due index: one for each published result, until the fan-out has
confirmed it, and one for an image that could not be projected, until it has been.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chalicelib.expressions import Delete, Item, Key, Put, Update
from chalicelib.ids import new_id, rfc3339
from chalicelib.library.index import IndexEntries, IndexEntry
from chalicelib.library.record import packed, record_key, unpacked
from chalicelib.table import Table

KEPT_SECONDS = 2 * 24 * 3600  # after a deletion; a stream gives its records for one day
REPUBLISH_SECONDS = 14 * 24 * 3600  # how long an unconfirmed result is published again
CONFIRM_SECONDS = 15 * 60.0  # Lambda tries an asynchronous event three times, within some minutes
REBUILD_SECONDS = 60.0
DUE_SHARDS = 4
FANOUT_SHARDS = tuple(f"fanout#{shard}" for shard in range(DUE_SHARDS))  # of the due index
REBUILD_SHARDS = tuple(f"rebuild#{shard}" for shard in range(DUE_SHARDS))


@dataclass(frozen=True)
class Marker:
    """The projected ``version`` (0: none), the last published ``result``, and the index ``entries``.

    ``key`` is the object's key, which is needed to find the sidecar after the record is gone. ``revision`` is
    the token for conditional writes.
    """

    version: int = 0
    result: int = 0
    entries: IndexEntries = field(default_factory=dict)
    key: str = ""
    revision: str = ""

    @classmethod
    def from_item(cls, item: Item | None) -> Marker:
        if item is None:
            return cls()
        entries = {term: IndexEntry(*numbers) for term, numbers in unpacked(item["entries"]).items()}
        key, revision = str(item.get("key", "")), str(item["revision"])
        return cls(int(item["version"]), int(item["result"]), entries, key, revision)

    @property
    def gone(self) -> bool:
        """Whether the deletion of the image was projected."""
        return bool(self.version) and not self.entries

    def to_item(self) -> Item:
        entries: Any = {term: [entry.confidence, entry.instances] for term, entry in self.entries.items()}
        return {
            "version": self.version,
            "result": self.result,
            "entries": packed(entries),
            "revision": new_id(),
            **({"key": self.key} if self.key else {}),
        }


class Markers:
    """Reads and writes markers, and the due rows beside them."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def of(self, owner: str, image_id: str) -> Marker:
        """An image's marker; one of version 0 if it has none."""
        return Marker.from_item(self._table.get(marker_key(owner, image_id)))

    def replacement(self, owner: str, image_id: str, before: Marker, after: Marker, *, gone: bool) -> Put:
        """The write that replaces marker ``before`` by ``after``, if the stored one is still ``before``.

        The marker of an image that is ``gone`` expires.
        """
        item = after.to_item()
        if gone:
            item["expires_at"] = int(self._now()) + KEPT_SECONDS
        return Put(marker_key(owner, image_id), item, {"revision": before.revision or None})

    def fanout_pending(self, owner: str, image_id: str, result: int) -> Put:
        """The write before a result is published: it is published again until the fan-out confirms it."""
        expires: Item = {"expires_at": int(self._now()) + REPUBLISH_SECONDS}
        waits = self._due(FANOUT_SHARDS, image_id, CONFIRM_SECONDS)
        return Put(_fanout_key(owner, image_id, result), {**waits, **expires})

    def fanout_done(self, owner: str, image_id: str, result: int) -> Delete:
        """The write by which the fan-out confirms that the deliveries of a result are stored."""
        return Delete(_fanout_key(owner, image_id, result))

    def rebuild_later(self, owner: str, image_id: str) -> None:
        """Have the sweep project an image again, from its record."""
        self._table.write(
            Update(_rebuild_key(owner, image_id), set=self._due(REBUILD_SHARDS, image_id, REBUILD_SECONDS))
        )

    def remove_due_row(self, key: Key) -> None:
        """Delete a row of the due index: there is nothing left to do for it."""
        self._table.write(Delete(key))

    def _due(self, shards: tuple[str, ...], image_id: str, seconds: float) -> Item:
        shard = shards[zlib.crc32(image_id.encode()) % len(shards)]
        return {"due_shard": shard, "due_at": rfc3339(self._now() + seconds)}


def marker_key(owner: str, image_id: str) -> Key:
    """The key of an image's marker."""
    return Key(record_key(owner, image_id).pk, "projected")


def image_of(key: Key) -> tuple[str, str]:
    """(owner, image id) from the key of any row in an image's partition."""
    owner, _, image_id = key.pk.partition("#image#")
    return owner, image_id


def result_of(key: Key) -> int:
    """The result number in the key of a row that waits for the fan-out."""
    return int(key.sk.partition("#")[2])


def _fanout_key(owner: str, image_id: str, result: int) -> Key:
    return Key(record_key(owner, image_id).pk, f"untold#{result}")


def _rebuild_key(owner: str, image_id: str) -> Key:
    return Key(record_key(owner, image_id).pk, "rebuild")
