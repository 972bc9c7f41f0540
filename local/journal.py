"""A file that only grows: a JSON value a line, with its checksum, so that a stop at any moment harms none.

What a killed process had begun to write is the file's last line and lacks its end: that line is cut off, as
nobody was told that it was written. A line that is wrong anywhere else is damage; the file is then set aside.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Content:
    """What a journal holds: the ``values`` that are whole, and how many lines are ``damaged``."""

    values: list[Any] = field(default_factory=list)
    damaged: int = 0


class Journal:
    """The journal in a file, which need not be there yet; its appends may come from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: int | None = None
        self._changed = False

    def read(self) -> Content:
        """All that is in the file; what was written in part at its end is cut off."""
        content, whole = Content(), 0
        if not self.path.exists():
            return content
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                try:
                    content.values.append(_value_of(line))
                except ValueError:
                    content.damaged += 1
        if whole < self.path.stat().st_size:
            os.truncate(self.path, whole)
        return content

    def append(self, *values: Any) -> None:
        """Add values, all or none; they outlive this process, though not a power failure (:meth:`sync`)."""
        lines = b"".join(map(_line_of, values))
        with self._lock:
            if self._file is None:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            before = os.fstat(self._file).st_size
            try:
                _write(self._file, lines)
            except OSError:
                with contextlib.suppress(OSError):  # the disk is full, most likely
                    os.ftruncate(self._file, before)
                raise
            self._changed = True

    def rewrite(self, values: Iterable[Any]) -> None:
        """Put ``values`` in place of all there is; a stop in between leaves what was there."""
        new = self.path.with_suffix(".new")
        with self._lock:
            with new.open("wb") as file:
                file.writelines(map(_line_of, values))
                file.flush()
                os.fsync(file.fileno())
            new.chmod(0o600)
            self._close()
            new.replace(self.path)

    def sync(self) -> None:
        """Have the disk itself hold what was appended."""
        with self._lock:
            if self._file is not None and self._changed:
                self._changed = False
                os.fsync(self._file)

    def close(self) -> None:
        """Let go of the file, with everything on the disk."""
        self.sync()
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _line_of(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _value_of(line: bytes) -> Any:
    """The value on a line; :exc:`ValueError` where the line is not as it was written."""
    checksum, _, text = line[:-1].partition(b" ")
    if int(checksum, 16) != zlib.crc32(text):
        raise ValueError("The checksum is another one.")
    return json.loads(text)


def _write(file: int, lines: bytes) -> None:
    left = memoryview(lines)
    while left:
        left = left[os.write(file, left) :]
