"""What moto's S3 lacks for photos that stay: the contents of one bucket lie in files, and are there tomorrow.

moto holds contents in memory. Here each object is a file with the name of its key, and a journal says of it
what a file cannot: type, ETag, time. The files are the truth: what is put among them while nothing runs is an
object at the next start, and what is taken away is none.
"""

from __future__ import annotations

import contextlib
import hashlib
import mimetypes
import os
import threading
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from moto.s3 import models
from moto.s3.models import FakeKey, S3Backend, s3_backends

from local import moto_patches
from local.journal import Content, Journal
from local.loopback import ACCOUNT, WsgiApp

ODD = "~"  # the folder of the objects whose keys make no file names
LONGEST_NAME = 200  # bytes, of the 255 that file systems take
LARGEST_PART_IN_MEMORY = 1_000_000

Json = dict[str, Any]

_put_object = S3Backend.put_object
_delete_object = S3Backend.delete_object
_kept: list[ObjectFiles] = []  # by process: none or one, as moto's state is


@dataclass(frozen=True)
class InFile:
    """A content that lies in the file ``name`` already."""

    name: str
    size: int


class ObjectFiles:
    """The objects of ``bucket`` as files in ``folder``."""

    def __init__(self, bucket: str, folder: Path, journal: Journal, unfinished: Path) -> None:
        self.bucket = bucket
        self.folder = folder
        self.lock = threading.RLock()  # held while an object is put or deleted
        self._journal = journal
        self._unfinished = unfinished
        self.strays: list[Path] = []  # files whose keys nobody knows
        self._names: dict[str, str] = {}
        self._taken: dict[str, str] = {}  # the key by its file's name as a careless file system reads it
        self._touched = threading.local()  # each request has a thread

    # ── what the bucket does ─────────────────────────────────────────────────────────────────
    def write(self, key: str, content: bytes) -> InFile:
        """Put the content of an object into its file, whole or not at all."""
        new = self._unfinished / uuid.uuid4().hex
        new.write_bytes(content)
        name = self._name_for(key)
        try:
            self._move(new, name)
        except OSError:  # a folder lies there, or a file where a folder is wanted
            name = self._claimed(key, _odd_name(key))
            self._move(new, name)
        return InFile(name, len(content))

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def remove(self, key: str) -> bool:
        """Remove the file of an object that has been deleted, and folders that are empty now."""
        name = self._names.pop(key, None)
        if name is None:
            return False
        self._taken.pop(_careless(name), None)
        path = self.folder / name
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for folder in PurePosixPath(name).parents[:-1]:
                (self.folder / folder).rmdir()
        return True

    def touch(self, key: str) -> None:
        """Remember that this thread's request has changed the object, until :meth:`settle`."""
        self._touched.__dict__.setdefault("keys", set()).add(key)

    def settle(self) -> None:
        """Write to the journal what a request has changed: when it is over, as the headers are set last."""
        if touched := self._touched.__dict__.pop("keys", None):
            with self.lock:
                self._journal.append(*(self._entry(key) for key in sorted(touched)))

    # ── from one run to the next ─────────────────────────────────────────────────────────────
    def restore(self, content: Content) -> dict[str, str]:
        """Fill the bucket with what the files hold; answers the ETags by key.

        The journal's ``content`` is believed where the file is as it says; else the file is.
        """
        known = {str(one["key"]): one for one in content.values}
        described = {one["file"]: one for one in known.values() if "file" in one}
        entries = [self._current(path, described) for path in self._found(described)]
        backend = s3_backends[ACCOUNT]["aws"]
        bucket = backend.get_bucket(self.bucket)
        for entry in entries:
            self._claimed(entry["key"], entry["file"])
            key = StoredKey.restored(entry, self.bucket, backend.region_name)
            bucket.keys.setlist(entry["key"], [key])
        if [known.get(one["key"]) for one in entries] != entries or len(content.values) > 2 * len(entries):
            self._journal.rewrite(entries)
        return {one["key"]: one["etag"] for one in entries}

    def _found(self, described: Json) -> Iterator[PurePosixPath]:
        """The names of files that are objects; what a desktop hides among them is none."""
        for place, folders, names in os.walk(self.folder):
            folders.sort()
            inside = PurePosixPath(Path(place).relative_to(self.folder).as_posix())
            for name in sorted(names):
                path = inside / name
                if str(path) in described:
                    yield path
                elif path.parts[0] == ODD:
                    self.strays.append(self.folder / path)
                elif not name.startswith("."):
                    yield path

    def _current(self, path: PurePosixPath, described: Json) -> Json:
        """What is known of a file's object, with size, time and ETag as they are now."""
        found, old = (self.folder / path).stat(), described.get(str(path))
        if old and (old["size"], old["mtime"]) == (found.st_size, found.st_mtime_ns):
            return dict(old)
        etag = _md5(self.folder / path)
        modified = datetime.fromtimestamp(found.st_mtime, UTC).isoformat()
        kind = mimetypes.guess_type(path.name)[0] or "binary/octet-stream"
        new = {"key": str(path), "headers": {"Content-Type": kind}, "etag": etag, "modified": modified}
        if old and old["etag"] == etag:
            new = old
        elif old:
            new = {**old, "etag": etag, "modified": modified}
        return {**new, "file": str(path), "size": found.st_size, "mtime": found.st_mtime_ns}

    def _entry(self, key: str) -> Json:
        """The line of the journal for an object as it is now."""
        there = s3_backends[ACCOUNT]["aws"].get_bucket(self.bucket).keys.get(key)
        if there is None:
            return {"key": key}
        found = (self.folder / there.file.name).stat()
        return {
            "key": key,
            "headers": dict(there.metadata),
            "etag": there.etag.strip('"'),
            "modified": there.last_modified.isoformat(),
            "file": there.file.name,
            "size": found.st_size,
            "mtime": found.st_mtime_ns,
        }

    # ── names ────────────────────────────────────────────────────────────────────────────────
    def _name_for(self, key: str) -> str:
        if key in self._names:
            return self._names[key]
        plain = _is_plain(key) and self._taken.get(_careless(key), key) == key
        return self._claimed(key, key if plain else _odd_name(key))

    def _claimed(self, key: str, name: str) -> str:
        self._taken.pop(_careless(self._names.get(key, "")), None)
        self._names[key] = name
        self._taken[_careless(name)] = key
        return name

    def _move(self, new: Path, name: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new.replace(path)


class KeptObjects:
    """A WSGI application that passes calls to ``app``, and keeps what they changed in ``files``."""

    def __init__(self, app: WsgiApp, files: ObjectFiles) -> None:
        self._app = app
        self._files = files

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return list(self._app(environ, start_response))
        finally:
            self._files.settle()


class StoredKey(FakeKey):
    """moto's object, whose content is a file if it belongs to the bucket that is kept."""

    file: InFile

    def __init__(self, name: Any, value: Any, **rest: Any) -> None:
        # A part of an upload has no bucket yet: it stays in a temporary file, and not in memory.
        super().__init__(name, value, max_buffer_size=LARGEST_PART_IN_MEMORY, **rest)
        if self.multipart:
            self.multipart.dispose()  # moto would hold the parts as long as the object

    @classmethod
    def restored(cls, entry: Json, bucket: str, region: str) -> StoredKey:
        """The object that a line of the journal describes."""
        key = cls(
            entry["key"],
            InFile(entry["file"], entry["size"]),
            account_id=ACCOUNT,
            region_name=region,
            etag=entry["etag"],
            version_id="null",
            bucket_name=bucket,
            encryption="AES256",
        )
        key.last_modified = datetime.fromisoformat(entry["modified"])
        key.set_metadata(dict(entry["headers"]))
        return key

    @property
    def _files(self) -> ObjectFiles | None:
        return next((files for files in _kept if files.bucket == self.bucket_name), None)

    @property
    def value(self) -> bytes:
        files = self._files
        return files.read(self.file.name) if files else FakeKey.value.fget(self)  # type: ignore[attr-defined]

    @value.setter
    def value(self, new: Any) -> None:
        files = self._files
        if files is None:
            FakeKey.value.fset(self, new)  # type: ignore[attr-defined]
            return
        if not isinstance(new, InFile):
            if self._etag is None:
                self._etag = hashlib.md5(new, usedforsecurity=False).hexdigest()
            new = files.write(self.name, new)
        self.file = new
        self.contentsize = new.size


def keep(files: ObjectFiles) -> None:
    """From now on, let the bucket's objects lie in files; before the first of them is put."""
    _kept[:] = [files]
    moto_patches.replace(models, FakeKey=StoredKey)
    moto_patches.replace(S3Backend, put_object=_put, delete_object=_delete)
    moto_patches.forget(FakeKey)


def _put(backend: Any, bucket_name: str, key_name: str, *args: Any, **rest: Any) -> Any:
    with _kept[0].lock:
        key = _put_object(backend, bucket_name, key_name, *args, **rest)
        if bucket_name == _kept[0].bucket:
            _kept[0].touch(key_name)
    return key


def _delete(backend: Any, bucket_name: str, key_name: str, *args: Any, **rest: Any) -> Any:
    with _kept[0].lock:
        done = _delete_object(backend, bucket_name, key_name, *args, **rest)
        if bucket_name == _kept[0].bucket and _kept[0].remove(key_name):
            _kept[0].touch(key_name)
    return done


def _is_plain(key: str) -> bool:
    """Whether a key can be a file's name on every system, and is read from there the same."""
    parts = key.split("/")
    named = all(part.strip(". ") and len(part.encode("utf-8", "replace")) <= LONGEST_NAME for part in parts)
    usual = key.isprintable() and "\\" not in key and unicodedata.is_normalized("NFC", key)
    return named and usual and parts[0] != ODD and len(key.encode("utf-8", "replace")) <= 4 * LONGEST_NAME


def _careless(name: str) -> str:
    """How a file system reads a name that does not tell upper case from lower case."""
    return name.casefold()


def _odd_name(key: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{ODD}/{digest}{PurePosixPath(key).suffix if _is_plain(PurePosixPath(key).suffix) else ''}"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
