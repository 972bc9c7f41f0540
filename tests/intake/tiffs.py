"""TIFF files of any layout, written here: by no library that is then also the one that reads them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy
from numpy.typing import NDArray

Array = NDArray[numpy.generic]
NONE, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32_773
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 12: 8, 13: 4, 16: 8}
_CODES = {1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 12: "d", 13: "I", 16: "Q"}
Tag = tuple[int, int, Sequence[float] | bytes]


@dataclass
class Tiff:
    """A picture of ``samples`` (height, width, number) and how it is to lie in the file.

    ``bits`` is that of an unsigned sample that has fewer than its type; the rest is what the tags say.
    """

    samples: Array
    photometric: int = 2
    bits: int = 0
    order: str = "<"
    planar: int = 1
    tile: tuple[int, int] | None = None  # width, height
    rows: int = 0
    compression: int = NONE
    predictor: int = 1
    fill_order: int = 1
    big: bool = False
    extra: Sequence[int] = ()
    tags: Sequence[Tag] = field(default_factory=list)

    def bytes(self) -> bytes:
        """The file."""
        strips = [self._compressed(*one) for one in self._parts()]
        tags = self._tags([len(one) for one in strips])
        return assembled([(tags, strips)], self.order, big=self.big)

    def _tags(self, counts: list[int]) -> list[Tag]:
        height, width, number = self.samples.shape
        kind = {"u": 1, "i": 2, "f": 3}[self.samples.dtype.kind]
        bits = self.bits or 8 * self.samples.dtype.itemsize
        where: list[Tag] = (
            [(322, 3, [self.tile[0]]), (323, 3, [self.tile[1]]), (324, 4, []), (325, 4, counts)]
            if self.tile
            else [(273, 4, []), (278, 4, [self.rows or height]), (279, 4, counts)]
        )
        return [
            (256, 4, [width]),
            (257, 4, [height]),
            (258, 3, [bits] * number),
            (259, 3, [self.compression]),
            (262, 3, [self.photometric]),
            *([(266, 3, [self.fill_order])] if self.fill_order != 1 else []),
            (277, 3, [number]),
            (284, 3, [self.planar]),
            *([(317, 3, [self.predictor])] if self.predictor != 1 else []),
            *([(338, 3, list(self.extra))] if self.extra else []),
            *([(339, 3, [kind] * number)] if kind != 1 else []),
            *where,
            *self.tags,
        ]

    def _parts(self) -> list[tuple[Array, int]]:
        """Each strip's or tile's samples, in the order of the file."""
        height, width, number = self.samples.shape
        planes = [self.samples]
        if self.planar == 2:
            planes = [self.samples[:, :, one : one + 1] for one in range(number)]
        if self.tile:
            across, down = self.tile
            return [
                (_padded(plane[top : top + down, left : left + across], down, across), across)
                for plane in planes
                for top in range(0, height, down)
                for left in range(0, width, across)
            ]
        rows = self.rows or height
        return [(plane[top : top + rows], width) for plane in planes for top in range(0, height, rows)]

    def _compressed(self, part: Array, width: int) -> bytes:
        data = self._packed(part)
        pack = {DEFLATE: zlib.compress, LZW: lzw, PACKBITS: packbits}.get(self.compression)
        data = pack(data) if pack else data
        return bytes(int(f"{value:08b}"[::-1], 2) for value in data) if self.fill_order == 2 else data

    def _packed(self, part: Array) -> bytes:
        if self.bits and self.bits % 8:
            return _bits_of(part, self.bits)
        if self.predictor == 3:
            return _floating(part)
        if self.predictor == 2:
            before = numpy.concatenate([numpy.zeros_like(part[:, :1]), part[:, :-1]], axis=1)
            unsigned = numpy.dtype(f"u{part.dtype.itemsize}")
            part = (part.view(unsigned) - before.view(unsigned)).astype(unsigned)
        return part.astype(part.dtype.newbyteorder(self.order)).tobytes()


def _padded(part: Array, down: int, across: int) -> Array:
    return numpy.pad(part, ((0, down - part.shape[0]), (0, across - part.shape[1]), (0, 0)))


def _bits_of(part: Array, bits: int) -> bytes:
    rows = part.reshape(part.shape[0], -1).astype("u4")
    spread = (rows[:, :, None] >> numpy.arange(bits - 1, -1, -1)) & 1
    return numpy.packbits(spread.reshape(len(rows), -1).astype("u1"), axis=1).tobytes()


def _floating(part: Array) -> bytes:
    """Adobe's technical note 3: bytes by their significance, then differences."""
    height, width, number = part.shape
    size = part.dtype.itemsize
    big = part.astype(part.dtype.newbyteorder(">")).reshape(height, width * number)
    ranks = big.view("u1").reshape(height, width * number, size).transpose(0, 2, 1).reshape(height, -1)
    before = numpy.concatenate([numpy.zeros((height, number), "u1"), ranks[:, :-number]], axis=1)
    return (ranks - before).astype("u1").tobytes()


def lzw(data: bytes) -> bytes:
    """LZW that never finds anything twice: as valid as any (TIFF 6.0, section 13)."""
    codes: list[int] = []
    for start in range(0, len(data), 200):
        codes += [256, *data[start : start + 200]]
    text = "".join(f"{code:09b}" for code in [*codes, 257])
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def packbits(data: bytes) -> bytes:
    return b"".join(
        bytes([len(data[at : at + 128]) - 1]) + data[at : at + 128] for at in range(0, len(data), 128)
    )


def assembled(
    pictures: list[tuple[list[Tag], list[bytes]]],
    order: str = "<",
    *,
    big: bool = False,
    mark: bytes = b"",
    below: dict[int, list[int]] | None = None,
    behind: bytes = b"",
) -> bytes:
    """A TIFF of several directories, each with its strips or tiles.

    ``below`` says which of them (by number) are no links of the chain, but below another one. A tag's value
    ``("at", number)`` is where ``behind`` plus that number will lie.
    """
    head = 16 if big else 8
    data, places = b"", []
    for _, strips in pictures:
        places.append([head + len(data) + sum(map(len, strips[:one])) for one in range(len(strips))])
        data += b"".join(strips)
    data += bytes(len(data) % 2)
    behind_at = head + len(data)
    data += behind + bytes(len(behind) % 2)
    below = below or {}
    hidden = {one for ones in below.values() for one in ones}
    sizes = [
        len(_directory(tags, 0, [0] * len(strips), order, big, 0, below.get(number), [0] * 99, 0))
        for number, (tags, strips) in enumerate(pictures)
    ]
    starts = [head + len(data) + sum(sizes[:one]) for one in range(len(sizes))]
    chain = [one for one in range(len(pictures)) if one not in hidden]
    after = dict(zip(chain, [*[starts[one] for one in chain[1:]], 0], strict=True))
    out = b"".join(
        _directory(
            tags,
            starts[number],
            places[number],
            order,
            big,
            after.get(number, 0),
            below.get(number),
            starts,
            behind_at,
        )
        for number, (tags, _) in enumerate(pictures)
    )
    begin = starts[chain[0]]
    if big:
        top = (b"II" if order == "<" else b"MM") + struct.pack(order + "HHHQ", 43, 8, 0, begin)
    else:
        top = (mark or (b"II*\0" if order == "<" else b"MM\0*")) + struct.pack(order + "I", begin)
    return top + data + out


def _directory(tags, start, places, order, big, after, below, starts, behind_at):  # type: ignore[no-untyped-def]
    tags = [
        (tag, kind, places) if tag in (273, 324) and not len(values) else (tag, kind, values)
        for tag, kind, values in tags
    ]
    if below:
        tags.append((330, 4, [starts[one] for one in below]))
    word, long, room = ("Q", "Q", 8) if big else ("H", "I", 4)
    entry_size = 20 if big else 12
    at = start + struct.calcsize(order + word) + entry_size * len(tags) + room
    entries, values = struct.pack(order + word, len(tags)), b""
    for tag, kind, numbers in sorted(tags, key=lambda one: one[0]):
        if isinstance(numbers, tuple) and numbers[:1] == ("at",):
            numbers = [behind_at + numbers[1]]
        raw = (
            numbers
            if isinstance(numbers, bytes)
            else b"".join(
                struct.pack(order + _CODES[kind], *(one if isinstance(one, tuple) else (one,)))
                for one in numbers
            )
        )
        entries += struct.pack(order + "HH" + long, tag, kind, len(raw) // _SIZES[kind])
        if len(raw) > room:
            entries += struct.pack(order + long, at + len(values))
            values += raw + bytes(len(raw) % 2)
        else:
            entries += raw.ljust(room, b"\0")
    return entries + struct.pack(order + long, after) + values
