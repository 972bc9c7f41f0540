"""The directories of a TIFF, which EXIF is one of (TIFF 6.0, section 2): read without trust.

Damaged metadata is no reason to refuse a good picture, and Pillow's reader of it warns, raises and takes
memory by what the file claims.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

Value = str | tuple[float, ...]

_ASCII = 2
_NUMBERS = {3: ("H", 2), 4: ("I", 4), 5: ("II", 8), 9: ("i", 4), 10: ("ii", 8)}
_MOST_NUMBERS = 16
_LONGEST_TEXT = 200


@dataclass(frozen=True)
class Tags:
    """A TIFF's bytes and their order, ``<`` or ``>``."""

    tiff: bytes
    order: str

    @classmethod
    def of(cls, tiff: bytes) -> Tags:
        """Bytes that are no TIFF have no tags."""
        order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
        return cls(tiff if order else b"", order or "<")

    def first(self) -> dict[int, Value]:
        """The values of the first directory, by tag."""
        return self.directory(self._number("I", 4))

    def directory(self, at: float) -> dict[int, Value]:
        """The values of the directory there, by tag: text as far as its NUL, numbers as tuples."""
        start = int(at)
        entries = range(start + 2, start + 2 + 12 * self._number("H", start), 12)
        inside = (entry for entry in entries if start and entry + 12 <= len(self.tiff))
        found = {self._number("H", entry): self._value(entry) for entry in inside}
        return {tag: value for tag, value in found.items() if value is not None}

    def _value(self, entry: int) -> Value | None:
        kind, count = self._number("H", entry + 2), self._number("I", entry + 4)
        if kind == _ASCII:
            raw = self.tiff[(at := self._place(entry, count)) : at + min(count, _LONGEST_TEXT)]
            return raw.split(b"\x00")[0].decode("utf-8", "replace").strip()
        code, size = _NUMBERS.get(kind, ("", 0))
        if not code or not 0 < count <= _MOST_NUMBERS:
            return None
        return self._numbers(code, count, self._place(entry, count * size))

    def _place(self, entry: int, size: int) -> int:
        """Where a value lies: in the entry itself if four bytes hold it."""
        return entry + 8 if size <= 4 else self._number("I", entry + 8)

    def _numbers(self, code: str, count: int, at: int) -> tuple[float, ...] | None:
        try:
            raw = struct.unpack_from(f"{self.order}{count * code}", self.tiff, at)
        except struct.error:
            return None
        if len(code) == 1:
            return raw
        if 0 in raw[1::2]:
            return None
        return tuple(above / below for above, below in zip(raw[::2], raw[1::2], strict=True))

    def _number(self, code: str, at: int) -> int:
        """One number; 0 where the file ends before it."""
        numbers = self._numbers(code, 1, at)
        return int(numbers[0]) if numbers else 0
