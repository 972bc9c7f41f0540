"""Which files exports have written for an owner: what erasing an image has to look through.

A row for each export says where its file lies and where its manifest, a list of the ids that are in it. The
bucket's lifecycle clears both away after a day, and the row goes a day later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.expressions import Item, Key, Put, Update
from chalicelib.table import Table

KEPT_SECONDS = 2 * 24 * 3600
ALL = 10_000  # rows that are read
_ERASED = "erased#"


@dataclass(frozen=True)
class Manifest:
    """What is known of one export: its ``file`` and its list of ids, both keys in the bucket.

    The ids of an archive stand in the directories that its job has written; it has no ``ids``. ``erased`` are
    images that were erased while the file was being written. A file that is ``withdrawn`` holds one of them.
    """

    owner: str
    export_id: str
    file: str
    ids: str = ""
    withdrawn: bool = False
    erased: frozenset[str] = frozenset()


class Manifests:
    """Reads and writes the rows."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def begin(self, manifest: Manifest) -> None:
        """Say where an export is going to lie, before anything is read for it."""
        row: Item = {"file": manifest.file, "ids": manifest.ids, **self._expiry()}
        self._table.write(Put(_key(manifest.owner, manifest.export_id), row))

    def of(self, owner: str) -> list[Manifest]:
        """All exports of an owner whose files may be there."""
        rows = self._table.query(_partition(owner), limit=ALL)
        return [_read(row, owner) for row in rows if int(row["expires_at"]) > self._now()]

    def find(self, owner: str, export_id: str) -> Manifest | None:
        """An export, or None where its file is no longer there."""
        row = self._table.get(_key(owner, export_id))
        return _read(row, owner) if row and int(row["expires_at"]) > self._now() else None

    def withdraw(self, manifest: Manifest) -> None:
        """Say that nobody is to be given this file any more."""
        self._set(manifest, {"withdrawn": True})

    def suspect(self, manifest: Manifest, image_id: str) -> None:
        """Tell who is writing a file that an image was erased meanwhile."""
        self._set(manifest, {f"{_ERASED}{image_id}": True})

    def _set(self, manifest: Manifest, said: Item) -> None:
        key = _key(manifest.owner, manifest.export_id)
        self._table.write(Update(key, set={**said, "file": manifest.file, **self._expiry()}))

    def _expiry(self) -> Item:
        return {"expires_at": int(self._now()) + KEPT_SECONDS}


def _read(row: Item, owner: str) -> Manifest:
    erased = frozenset(name.removeprefix(_ERASED) for name in row if name.startswith(_ERASED))
    ids, withdrawn = str(row.get("ids", "")), bool(row.get("withdrawn", False))
    return Manifest(owner, str(row["sk"]), str(row["file"]), ids, withdrawn, erased)


def _partition(owner: str) -> str:
    return f"{owner}#exports"


def _key(owner: str, export_id: str) -> Key:
    return Key(_partition(owner), export_id)
