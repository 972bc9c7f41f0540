"""The boxes of the ISO base media file format (ISO 14496-12, 23008-12), which HEIC, AVIF and CR3 consist of.

Nothing in a file is trusted: a malformed box ends the reading, and what cannot be found counts as absent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST_BOXES = 20_000
_UUID = 16


@dataclass(frozen=True)
class BmffBox:
    """A box: its type, and the place of its content."""

    kind: bytes
    start: int
    end: int


def boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[BmffBox]:
    """The boxes between two offsets, one after another."""
    end = len(content) if end is None else min(end, len(content))
    count = 0
    while start + 8 <= end and (count := count + 1) <= _MOST_BOXES:
        size, kind, head = (
            int.from_bytes(content[start : start + 4], "big"),
            content[start + 4 : start + 8],
            8,
        )
        if size == 1:
            size, head = int.from_bytes(content[start + 8 : start + 16], "big"), 16
        if size == 0:
            size = end - start
        if size < head:
            return
        yield BmffBox(kind, start + head, min(start + size, end))
        start += size


def first(content: bytes, path: list[bytes], start: int = 0, end: int | None = None) -> BmffBox | None:
    """The first box at a path of types."""
    for box in boxes(content, start, end):
        if box.kind == path[0]:
            inner = box.start + (4 if box.kind in (b"meta",) else 0)
            return box if len(path) == 1 else first(content, path[1:], inner, box.end)
    return None


def uuid(content: bytes, name: bytes, start: int = 0, end: int | None = None) -> BmffBox | None:
    """The content of the ``uuid`` box of that name."""
    for box in boxes(content, start, end):
        if box.kind == b"uuid" and content[box.start : box.start + _UUID] == name:
            return BmffBox(name, box.start + _UUID, box.end)
    return None


@dataclass
class Items:
    """The items of a ``meta`` box: their types, extents, properties and references."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    kinds_at: dict[int, int] = field(default_factory=dict)
    mime: dict[int, bytes] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    properties: dict[int, list[BmffBox]] = field(default_factory=dict)
    refers: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)

    def of(self, item: int, kind: bytes) -> BmffBox | None:
        """An item's property of a type."""
        return next((box for box in self.properties.get(item, ()) if box.kind == kind), None)

    def bytes_of(self, content: bytes, item: int) -> bytes:
        """An item's content: never more bytes than the file has, however often it names a part of it."""
        found = bytearray()
        for at, size in self.extents.get(item, ()):
            found += content[at : at + min(size, len(content) - len(found))]
        return bytes(found)


def items(content: bytes) -> Items:
    """The items of the file's ``meta`` box, as far as it can be read; none without such a box."""
    found = Items()
    meta = first(content, [b"meta"])
    if meta is None:
        return found
    inner = {box.kind: box for box in boxes(content, meta.start + 4, meta.end)}
    try:
        _read_primary(content, inner.get(b"pitm"), found)
        _read_kinds(content, inner.get(b"iinf"), found)
        _read_extents(content, inner.get(b"iloc"), inner.get(b"idat"), found)
        _read_properties(content, inner.get(b"iprp"), found)
        _read_references(content, inner.get(b"iref"), found)
    except (struct.error, IndexError):
        pass  # what was read until here counts
    return found


def _number(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise IndexError(at)
    return int.from_bytes(content[at : at + size], "big")


def _read_primary(content: bytes, box: BmffBox | None, found: Items) -> None:
    if box:
        found.primary = _number(content, box.start + 4, 2 if content[box.start] == 0 else 4)


def _read_kinds(content: bytes, box: BmffBox | None, found: Items) -> None:
    if not box:
        return
    start = box.start + (6 if content[box.start] == 0 else 8)
    for entry in boxes(content, start, box.end):
        version = content[entry.start]
        if entry.kind != b"infe" or version < 2:
            continue
        size = 2 if version == 2 else 4
        item = _number(content, entry.start + 4, size)
        at = entry.start + 4 + size + 2
        found.kinds[item], found.kinds_at[item] = content[at : at + 4], at
        if found.kinds[item] == b"mime":
            found.mime[item] = content[at + 4 : entry.end].partition(b"\x00")[2].partition(b"\x00")[0]


def _read_extents(content: bytes, box: BmffBox | None, idat: BmffBox | None, found: Items) -> None:
    if not box:
        return
    version, sizes = content[box.start], _number(content, box.start + 4, 2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    at, wide = box.start + 6, 2 if version < 2 else 4
    count, at = _number(content, at, wide), at + wide
    left = _MOST_BOXES  # an extent may take no bytes at all, so the box's end does not bound their number
    for _ in range(min(count, _MOST_BOXES)):
        item, at = _number(content, at, wide), at + wide
        method = 0
        if version in (1, 2):
            method, at = _number(content, at, 2) & 15, at + 2
        at += 2
        base, at = _number(content, at, base_size), at + base_size
        extents, at = _number(content, at, 2), at + 2
        inside = idat.start if method == 1 and idat else 0
        left -= extents
        if left < 0:
            return
        for _ in range(extents):
            at += index_size if version in (1, 2) else 0
            offset, at = _number(content, at, offset_size), at + offset_size
            length, at = _number(content, at, length_size), at + length_size
            found.extents.setdefault(item, []).append((inside + base + offset, length or len(content)))


def _read_properties(content: bytes, box: BmffBox | None, found: Items) -> None:
    if not box:
        return
    all_of_them: list[BmffBox] = []
    for part in boxes(content, box.start, box.end):
        if part.kind == b"ipco":
            all_of_them = list(boxes(content, part.start, part.end))
        if part.kind == b"ipma":
            _read_associations(content, part, all_of_them, found)


def _read_associations(content: bytes, box: BmffBox, properties: list[BmffBox], found: Items) -> None:
    version, flags = content[box.start], content[box.start + 3]
    count, at, wide = _number(content, box.start + 4, 4), box.start + 8, 2 if version < 1 else 4
    for _ in range(min(count, _MOST_BOXES)):
        if at >= box.end:  # what lies behind a box is not its own
            return
        item, at = _number(content, at, wide), at + wide
        number, at = content[at], at + 1
        for _ in range(number):
            size = 2 if flags & 1 else 1
            index, at = _number(content, at, size) & (0x7FFF if size == 2 else 0x7F), at + size
            if 0 < index <= len(properties):
                found.properties.setdefault(item, []).append(properties[index - 1])


def _read_references(content: bytes, box: BmffBox | None, found: Items) -> None:
    if not box:
        return
    wide = 2 if content[box.start] == 0 else 4
    for one in boxes(content, box.start + 4, box.end):
        item, count = _number(content, one.start, wide), _number(content, one.start + wide, 2)
        at = one.start + wide + 2
        within = max(0, one.end - at) // wide  # what lies behind a box is not its own
        found.refers[one.kind, item] = [
            _number(content, at + number * wide, wide) for number in range(min(count, within))
        ]
