"""A small file that names much: what is read of it stays as small as the file."""

from __future__ import annotations

import struct

import pytest

from chalicelib.intake import isobmff
from chalicelib.intake.isobmff import items


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def meta(*parts: bytes) -> bytes:
    return box(b"ftyp", b"heicmif1") + box(b"meta", bytes(4) + b"".join(parts))


def located(sizes: int, *entries: bytes) -> bytes:
    """An ``iloc`` box of version 0, whose offsets and lengths take so many bytes (a digit each)."""
    return box(b"iloc", bytes(4) + struct.pack(">HH", sizes, len(entries)) + b"".join(entries))


def entry(item: int, extents: int, rest: bytes = b"") -> bytes:
    return struct.pack(">HHH", item, 0, extents) + rest


def test_extents_that_take_no_bytes_are_not_counted_to_the_end() -> None:
    found = items(meta(located(0x0000, *(entry(item, 60_000) for item in range(1000)))))

    assert sum(map(len, found.extents.values())) <= 20_000


def test_an_item_that_names_the_file_again_and_again_is_no_larger_than_the_file() -> None:
    content = meta(located(0x4400, entry(1, 500, struct.pack(">II", 0, 0) * 500))) + bytes(10_000)

    found = items(content)

    assert len(found.extents[1]) == 500
    assert found.bytes_of(content, 1) == content


@pytest.mark.parametrize("kind", [b"iref", b"ipma"])
def test_what_lies_behind_a_box_is_not_its_own(kind: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand boxes of a few bytes, each of which says that it holds twenty thousand numbers."""
    looked, number = [0], isobmff._number

    def counted(content: bytes, at: int, size: int) -> int:
        looked[0] += 1
        return number(content, at, size)

    monkeypatch.setattr(isobmff, "_number", counted)
    if kind == b"iref":
        part = box(b"iref", bytes(4) + box(b"dimg", struct.pack(">HHH", 1, 20_000, 2)) * 1000)
    else:
        part = box(b"iprp", box(b"ipma", bytes(4) + struct.pack(">IHBB", 20_000, 1, 1, 1)) * 1000)

    items(meta(part, box(b"free", bytes(100_000))))

    assert looked[0] < 10_000
