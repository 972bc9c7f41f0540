"""The folder in which ``make run`` keeps what it was given, and who is at work in it.

Only one stack works in a folder at a time: it holds a lock on it, which ends with its process, however that
ends. Beside the lock lies how to reach it, for ``make label`` and ``make token``.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.config import ROOT

DEFAULT = ROOT / ".data"
FORMAT = 1
PATIENCE_SECONDS = 0.5  # longer than anybody looks whether the lock is held
PARTS = ("objects", "unfinished", "damaged", "objects.jsonl", "table.jsonl", "queues.json", "signing-root")


class Unusable(Exception):
    """The folder cannot be worked in; the message is a sentence for a person."""


@dataclass(frozen=True)
class Running:
    """A stack at work: its process, where its servers are, and a token where it asks for one."""

    pid: int
    api: str
    aws: str
    partner: str
    token: str = ""


class InUse(Unusable):
    """Another stack works in the folder; ``running`` is None while it starts."""

    def __init__(self, folder: Path, running: Running | None) -> None:
        super().__init__(f"Another make run works with {shown(folder)}.")
        self.running = running


class Folder:
    """A folder that this process works in, made where it is missing; :meth:`close` lets go of it.

    :raises InUse: another process does.
    :raises Unusable: it is somebody else's, or of a later version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._mark = path / "sightline.json"
            self._check()
            self._lock = _locked(path)
        except OSError as error:
            raise Unusable(f"{shown(path)} cannot be used: {error.strerror}.") from None
        if self._lock is None:
            raise InUse(path, running(path))
        (path / "running.json").unlink(missing_ok=True)  # of one that was killed
        if not self._mark.exists():
            self.note(format=FORMAT)
        self.set_aside: list[str] = []

    @property
    def notes(self) -> dict[str, Any]:
        """What is remembered of the folder as a whole."""
        return dict(json.loads(self._mark.read_text(encoding="utf-8"))) if self._mark.exists() else {}

    def note(self, **more: Any) -> None:
        """Remember more of the folder as a whole."""
        write(self._mark, json.dumps({**self.notes, **more}))

    def announce(self, stack: Running) -> None:
        """Let others find the stack; the file is its owner's alone, as it may hold a token."""
        write(self.path / "running.json", json.dumps(dataclasses.asdict(stack)))

    def put_aside(self, path: Path, *, copied: bool = False) -> None:
        """Take a damaged file out of the way, or a copy of it, where nothing will overwrite it."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        places = (
            self.path / "damaged" / f"{stamp}{more}" for more in ("", *(f"-{n}" for n in range(1, 1000)))
        )
        aside = next(place for place in places if not place.exists()) / path.relative_to(self.path)
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, aside) if copied else shutil.move(path, aside)
        self.set_aside.append(shown(aside))

    def empty(self) -> int:
        """Remove all that was kept, for good; answers how many files of photos there were."""
        photos = sum(len(names) for _, _, names in os.walk(self.path / "objects" / "uploads"))
        for path in (self.path / part for part in PARTS):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self._mark.unlink()
        return photos

    def close(self) -> None:
        """Let others work in the folder."""
        if self._lock is not None:
            (self.path / "running.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _check(self) -> None:
        strangers = {one.name for one in self.path.iterdir()} - {*PARTS, "lock", "running.json"}
        if strangers and not self._mark.exists():
            raise Unusable(f"{shown(self.path)} holds something else: name a folder that is new or empty.")
        if self.notes.get("format", FORMAT) > FORMAT:
            raise Unusable(f"{shown(self.path)} is of a later version of Sightline than this one.")


def running(path: Path) -> Running | None:
    """The stack that works with the folder, if one does and has said where it is."""
    try:
        lock = os.open(path / "lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # somebody holds it
        try:
            return Running(**json.loads((path / "running.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
    finally:
        os.close(lock)
    return None


def folder_named(text: str) -> Path:
    """The folder that somebody has named, from here or from their home."""
    return Path(text).expanduser().absolute()


def shown(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def write(path: Path, text: str) -> None:
    """Put a file in another's place, whole; only its owner may read it."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _locked(path: Path) -> int | None:
    """The open lock, or None where another process has it."""
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            if time.monotonic() > until:
                os.close(lock)
                return None
            time.sleep(PATIENCE_SECONDS / 10)
