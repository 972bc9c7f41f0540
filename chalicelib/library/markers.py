"""What the projection has done for an image: a marker row beside the record.

A marker holds the version of the record that was projected and the index entries that it has, as they are
counted. It is written in the transaction that moves the counts, on condition that it is still the one that
was read: so of two who project the same change, or of one who does it twice, only one counts it.

Small rows beside it wait for somebody: one of a result until the fan-out has told of it, one of an image that
could not be projected until it has been.
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
UNTOLD_SECONDS = 14 * 24 * 3600  # for how long a result that nobody confirms is published again
CONFIRM_SECONDS = 15 * 60.0  # SNS tries an asynchronous function three times within some minutes
REBUILD_SECONDS = 60.0
DUE_SHARDS = 4
FANOUT_SHARDS = tuple(f"fanout#{shard}" for shard in range(DUE_SHARDS))  # of the due index
REBUILD_SHARDS = tuple(f"rebuild#{shard}" for shard in range(DUE_SHARDS))


@dataclass(frozen=True)
class Marker:
    """The ``version`` that was projected (0: none), the last ``result`` that was told, and the ``entries``.

    ``key`` is the object's, for when nothing else is left to say where the sidecar lies; ``revision`` is the
    token of the stored row.
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
        """It was projected that there is no such image any more."""
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
    """Reads and writes markers, and what waits at them."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def of(self, owner: str, image_id: str) -> Marker:
        """An image's marker; one of version 0 where it has none."""
        return Marker.from_item(self._table.get(marker_key(owner, image_id)))

    def moved(self, owner: str, image_id: str, before: Marker, after: Marker, *, gone: bool) -> Put:
        """The write that takes a marker from ``before`` to ``after``; nobody else may have moved it.

        The marker of an image that is ``gone`` expires.
        """
        item = after.to_item()
        if gone:
            item["expires_at"] = int(self._now()) + KEPT_SECONDS
        return Put(marker_key(owner, image_id), item, {"revision": before.revision or None})

    def untold(self, owner: str, image_id: str, result: int) -> Put:
        """The write, before a result is published, by which it is published again unless it is told of."""
        expires: Item = {"expires_at": int(self._now()) + UNTOLD_SECONDS}
        waits = self._due(FANOUT_SHARDS, image_id, CONFIRM_SECONDS)
        return Put(_untold_key(owner, image_id, result), {**waits, **expires})

    def told(self, owner: str, image_id: str, result: int) -> Delete:
        """The write by which the fan-out says that it has made the deliveries of a result."""
        return Delete(_untold_key(owner, image_id, result))

    def rebuild_later(self, owner: str, image_id: str) -> None:
        """Let the sweep project an image anew; it is read from its record then."""
        self._table.write(
            Update(_rebuild_key(owner, image_id), set=self._due(REBUILD_SHARDS, image_id, REBUILD_SECONDS))
        )

    def settled(self, key: Key) -> None:
        """What a row has waited for has come about."""
        self._table.write(Delete(key))

    def _due(self, shards: tuple[str, ...], image_id: str, seconds: float) -> Item:
        shard = shards[zlib.crc32(image_id.encode()) % len(shards)]
        return {"due_shard": shard, "due_at": rfc3339(self._now() + seconds)}


def marker_key(owner: str, image_id: str) -> Key:
    return Key(record_key(owner, image_id).pk, "projected")


def image_of(key: Key) -> tuple[str, str]:
    """(owner, image id) of any row in an image's partition."""
    owner, _, image_id = key.pk.partition("#image#")
    return owner, image_id


def result_of(key: Key) -> int:
    """The number of the result that a row waits to be told of."""
    return int(key.sk.partition("#")[2])


def _untold_key(owner: str, image_id: str, result: int) -> Key:
    return Key(record_key(owner, image_id).pk, f"untold#{result}")


def _rebuild_key(owner: str, image_id: str) -> Key:
    return Key(record_key(owner, image_id).pk, "rebuild")
