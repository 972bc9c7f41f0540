"""The directories and tags of a TIFF (TIFF 6.0, section 2; BigTIFF), and so of EXIF.

Nothing in a file is trusted. Damaged metadata is no reason to refuse a good picture; Pillow's reader of it
warns, raises, and takes memory by what the file claims.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Value = str | tuple[float, ...]

_SUBFILE, _OLD_SUBFILE = 254, 255
_ASCII = 2
# Code and size of each type's numbers; 13 (IFD) and 18 (IFD8) point to directories.
_NUMBERS = {
    1: ("B", 1),
    3: ("H", 2),
    4: ("I", 4),
    5: ("II", 8),
    6: ("b", 1),
    8: ("h", 2),
    9: ("i", 4),
    10: ("ii", 8),
    11: ("f", 4),
    12: ("d", 8),
    13: ("I", 4),
    16: ("Q", 8),
    17: ("q", 8),
    18: ("Q", 8),
}
_SIZES = {kind: size for kind, (_, size) in _NUMBERS.items()} | {_ASCII: 1, 7: 1}
_MOST_NUMBERS = 16
_LONGEST_TEXT = 200
_MOST_ENTRIES = 4_096
_MOST_DIRECTORIES = 64
# The first bytes of the formats that are read: TIFF, and camera raw files that are TIFF but for these bytes.
_CLASSIC = {b"II*\x00", b"MM\x00*", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00", b"IIII"}
_BIG = {b"II+\x00", b"MM\x00+"}


@dataclass(frozen=True)
class TagEntry:
    """An entry of a directory: the type, the number and the offset of its values."""

    kind: int
    count: int
    at: int


Directory = Mapping[int, TagEntry]


@dataclass(frozen=True)
class Tags:
    """A TIFF's bytes and their order, ``<`` or ``>``; ``big`` for BigTIFF."""

    tiff: bytes
    order: str
    big: bool = False

    @classmethod
    def of(cls, tiff: bytes) -> Tags:
        """The tags of some bytes; bytes that are no TIFF have none."""
        order = {b"II": "<", b"MM": ">"}.get(tiff[:2], "")
        known = tiff[:4] in _CLASSIC or tiff[:4] in _BIG
        return cls(tiff if known else b"", order or "<", tiff[:4] in _BIG)

    def first(self) -> dict[int, Value]:
        """The values of the first directory, by tag."""
        return self.directory(self._first_at())

    def directory(self, at: float) -> dict[int, Value]:
        """The values of the directory at an offset: text up to its NUL, up to 16 numbers as a tuple."""
        found = {tag: self._value(entry) for tag, entry in self.entries(int(at)).items()}
        return {tag: value for tag, value in found.items() if value is not None}

    def chain(self) -> Iterator[Directory]:
        """The chain of directories, from the first one on."""
        at, seen = self._first_at(), set[int]()
        while at and at not in seen and len(seen) < _MOST_DIRECTORIES:
            seen.add(at)
            entries = self.entries(at)
            if not entries:
                return
            yield entries
            at = self._after(at)

    def below(self, directory: Directory, tag: int) -> Iterator[Directory]:
        """The directories that a tag of another one points to."""
        places = self.numbers(directory, tag, _MOST_DIRECTORIES) or ()
        yield from filter(None, (self.entries(int(at)) for at in places))

    def entries(self, at: int) -> dict[int, TagEntry]:
        """The entries of the directory at an offset; if a tag stands twice, the first one counts."""
        head, size = (8, 20) if self.big else (2, 12)
        if at <= 0 or at + head > len(self.tiff):
            return {}
        count = self._number("Q" if self.big else "H", at)
        found: dict[int, TagEntry] = {}
        for number in range(min(count, _MOST_ENTRIES)):
            start = at + head + number * size
            if start + size > len(self.tiff):
                break
            found.setdefault(self._number("H", start), self._entry(start))
        return found

    def numbers(self, directory: Directory, tag: int, most: int = _MOST_NUMBERS) -> tuple[float, ...] | None:
        """A tag's numbers, None where it has none, too many, or they lie beyond the end."""
        entry = directory.get(tag)
        if entry is None:
            return None
        code, _ = _NUMBERS.get(entry.kind, ("B", 1) if entry.kind == 7 else ("", 0))
        if not code or not 0 < entry.count <= most:
            return None
        return self._numbers(code, entry.count, entry.at)

    def number(self, directory: Directory, tag: int, default: int = 0) -> int:
        """A tag's first number."""
        found = self.numbers(directory, tag, 1 << 24)
        return int(found[0]) if found else default

    def raw(self, directory: Directory, tag: int) -> bytes:
        """A tag's bytes, as they stand in the file; none where they lie beyond the end."""
        entry = directory.get(tag)
        if entry is None:
            return b""
        size = entry.count * _SIZES.get(entry.kind, 1)
        return self.tiff[entry.at : entry.at + size] if entry.at + size <= len(self.tiff) else b""

    def text(self, directory: Directory, tag: int) -> str:
        """A tag's text."""
        entry = directory.get(tag)
        return self._text(entry) if entry and entry.kind in (_ASCII, 1, 7) else ""

    def is_reduced(self, directory: Directory) -> bool:
        """Whether the directory's picture is a smaller copy of another one, or a mask."""
        return bool(self.number(directory, _SUBFILE) & 5) or self.number(directory, _OLD_SUBFILE) == 2

    def _first_at(self) -> int:
        return self._number("Q", 8) if self.big else self._number("I", 4)

    def _after(self, at: int) -> int:
        if self.big:
            return self._number("Q", at + 8 + 20 * self._number("Q", at))
        return self._number("I", at + 2 + 12 * self._number("H", at))

    def _entry(self, start: int) -> TagEntry:
        kind = self._number("H", start + 2)
        count = self._number("Q" if self.big else "I", start + 4)
        value, room = (start + 12, 8) if self.big else (start + 8, 4)
        if count * _SIZES.get(kind, 1) > room:
            value = self._number("Q" if self.big else "I", value)
        return TagEntry(kind, count, value)

    def _value(self, entry: TagEntry) -> Value | None:
        if entry.kind == _ASCII:
            return self._text(entry)
        code, _ = _NUMBERS.get(entry.kind, ("", 0))
        if not code or not 0 < entry.count <= _MOST_NUMBERS:
            return None
        return self._numbers(code, entry.count, entry.at)

    def _text(self, entry: TagEntry) -> str:
        raw = self.tiff[entry.at : entry.at + min(entry.count, _LONGEST_TEXT)]
        return raw.split(b"\x00")[0].decode("utf-8", "replace").strip()

    def _numbers(self, code: str, count: int, at: int) -> tuple[float, ...] | None:
        kind = code if len(code) == 1 else code[0]
        try:
            raw = struct.unpack_from(f"{self.order}{count * len(code)}{kind}", self.tiff, at)
        except (struct.error, OverflowError):
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
