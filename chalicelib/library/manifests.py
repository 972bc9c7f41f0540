"""Manifests of exports: which files hold which images, so that erasing an image can withdraw them.

One row for each export has the keys of its file and of its manifest, a list of the image ids in the file.
The bucket's lifecycle deletes both after a day; the row expires a day later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.expressions import Item, Key, Put, Update
from chalicelib.table import Table

KEPT_SECONDS = 2 * 24 * 3600
ALL = 10_000  # more rows than an owner can have
_ERASED = "erased#"


@dataclass(frozen=True)
class Manifest:
    """One export: the object keys of its ``file`` and of its list of ``ids``.

    An archive has no ``ids``: they are in the ZIP directories that its job writes. ``erased`` are images that
    were erased while the file was being written. ``withdrawn`` means that the file holds an erased image.
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
        """Store the keys of an export, before anything is read for it."""
        row: Item = {"file": manifest.file, "ids": manifest.ids, **self._expiry()}
        self._table.write(Put(_key(manifest.owner, manifest.export_id), row))

    def of(self, owner: str) -> list[Manifest]:
        """All exports of an owner whose files may still exist."""
        rows = self._table.query(_partition(owner), limit=ALL)
        return [_read(row, owner) for row in rows if int(row["expires_at"]) > self._now()]

    def find(self, owner: str, export_id: str) -> Manifest | None:
        """An export, None if it has expired."""
        row = self._table.get(_key(owner, export_id))
        return _read(row, owner) if row and int(row["expires_at"]) > self._now() else None

    def withdraw(self, manifest: Manifest) -> None:
        """Mark an export as withdrawn: nobody gets a link to its file any more."""
        self._set(manifest, {"withdrawn": True})

    def suspect(self, manifest: Manifest, image_id: str) -> None:
        """Note that an image was erased, for the worker that is writing the file."""
        self._set(manifest, {f"{_ERASED}{image_id}": True})

    def _set(self, manifest: Manifest, changes: Item) -> None:
        key = _key(manifest.owner, manifest.export_id)
        self._table.write(Update(key, set={**changes, "file": manifest.file, **self._expiry()}))

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
