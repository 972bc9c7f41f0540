"""Pieces of a TIFF's picture, each decoded from a small TIFF of its own that holds nothing else.

Pillow's reader, which uses libtiff, gets only layouts that it is known to read correctly. What it would
misread is declared to be bytes and put together here. It gets no tag of the file that the pixels do not need.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import accumulate

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from chalicelib.intake.undecoded_image import Unsupported

UNCOMPRESSED, CCITT, OLD_JPEG, JPEG, DEFLATE = 1, (2, 3, 4, 32771), 6, 7, 8
GREY, RGB, CMYK, YCBCR = 1, 2, 5, 6
HORIZONTAL, FLOATING = 2, 3  # predictors
_NOT_EVERYWHERE = {34_925: "LZMA", 50_000: "Zstandard"}  # some of Pillow's wheels have them
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_MOST_SUMS = 30_000_000  # samples whose differences are added up here, at 0.1 µs each


class TooSlow(ValueError):
    """A piece that could only be read by a loop over its samples has too many of them."""


@dataclass(frozen=True)
class Piece:
    """Some of a picture's rows, or a tile: ``parts`` are its strips, compressed, of ``rows`` each.

    ``order`` is the file's (``<`` or ``>``); ``options`` are the tags (number, type, values) that the
    compression needs. ``bits`` of each of the ``samples`` are equal.
    """

    width: int
    height: int
    rows: int
    parts: Sequence[bytes]
    order: str
    bits: int
    samples: int
    photometric: int
    compression: int
    predictor: int
    options: tuple[tuple[int, int, tuple[int, ...]], ...] = ()

    def image(self) -> Image.Image:
        """The piece as Pillow decodes it: for layouts that it is known to read correctly."""
        return _opened(self)

    def packed(self) -> bytes:
        """The decompressed samples as bytes, row by row, in the file's byte order."""
        size = self.samples * self.bits
        if self.predictor == FLOATING:
            return self._floats()
        single = self.bits == 8 and self.samples == 1  # libtiff's own, then
        if self.predictor == HORIZONTAL and not single:
            return _summed(replace(self, predictor=1).packed(), self)
        width = (self.width * size + 7) // 8
        plain = replace(self, width=width, bits=8, samples=1, photometric=GREY)
        return _opened(plain).tobytes()

    def _floats(self) -> bytes:
        """Technical note 3 of Adobe: a row's bytes by significance, each the difference from the one before.

        The differences are libtiff's other predictor, on bytes. The numbers come out in the file's order.
        """
        size = self.bits // 8
        plain = replace(
            self,
            width=self.width * size,
            bits=8,
            photometric={1: GREY, 2: GREY, 3: RGB}.get(self.samples, CMYK),
            predictor=HORIZONTAL,
        )
        by_rank = _opened(plain).tobytes()
        row = self.width * self.samples
        numbers = bytearray(len(by_rank))
        for top in range(0, len(by_rank), row * size):
            for rank in range(size):
                to = rank if self.order == ">" else size - 1 - rank
                start = top + rank * row
                numbers[top + to : top + row * size : size] = by_rank[start : start + row]
        return bytes(numbers)


def _summed(differences: bytes, piece: Piece) -> bytes:
    """TIFF 6.0, section 14, for samples of more than a byte."""
    code, size = _CODES[piece.bits // 8], piece.bits // 8
    numbers = array(code, differences)
    if len(numbers) > _MOST_SUMS:
        raise TooSlow
    if piece.order == ">":
        numbers.byteswap()
    whole, row = (1 << 8 * size) - 1, piece.width * piece.samples
    for top in range(0, len(numbers), row):
        for sample in range(piece.samples):
            sums = accumulate(numbers[top + sample : top + row : piece.samples])
            numbers[top + sample : top + row : piece.samples] = array(code, (one & whole for one in sums))
    if piece.order == ">":
        numbers.byteswap()
    return numbers.tobytes()


def _opened(piece: Piece) -> Image.Image:
    with BytesIO(_tiff(piece)) as stream:
        image = TiffImageFile(stream)
        try:
            image.load()
        except OSError as error:
            if piece.compression in _NOT_EVERYWHERE:
                name = _NOT_EVERYWHERE[piece.compression]
                raise Unsupported(f"a TIFF image with compression {name}") from error
            raise
        plain: Image.Image = image.copy() if image.mode in ("PA", "La") else image
        return plain


def _tiff(piece: Piece) -> bytes:
    """A TIFF of the piece alone, as TIFF 6.0 describes it."""
    parts, compression = piece.parts, piece.compression
    if (
        piece.photometric == YCBCR and compression == UNCOMPRESSED
    ):  # what Pillow then reads by itself: wrongly
        parts, compression = [zlib.compress(part, 0) for part in parts], DEFLATE
    starts = accumulate((len(part) for part in parts), initial=8)
    extra = piece.samples - {GREY: 1, RGB: 3, YCBCR: 3, CMYK: 4}.get(piece.photometric, 1)
    tags = [
        (256, 4, (piece.width,)),
        (257, 4, (piece.height,)),
        (258, 3, (piece.bits,) * piece.samples),
        (259, 3, (compression,)),
        (262, 3, (piece.photometric,)),
        (273, 4, tuple(starts)[:-1]),
        (277, 3, (piece.samples,)),
        (278, 4, (piece.rows,)),
        (279, 4, tuple(len(part) for part in parts)),
        (284, 3, (1,)),
        *(((317, 3, (piece.predictor,)),) if piece.predictor != 1 else ()),
        *(((338, 3, (2 if piece.photometric == GREY else 0,) * extra),) if extra > 0 else ()),
        *piece.options,
    ]
    data = b"".join(parts)
    data += bytes(len(data) % 2)
    mark = b"II*\x00" if piece.order == "<" else b"MM\x00*"
    return b"".join(
        (mark, struct.pack(piece.order + "I", 8 + len(data)), data, _directory(tags, piece, data))
    )


def _directory(tags: list[tuple[int, int, tuple[int, ...]]], piece: Piece, data: bytes) -> bytes:
    at = 8 + len(data) + 2 + 12 * len(tags) + 4
    entries, values = struct.pack(piece.order + "H", len(tags)), b""
    for tag, kind, numbers in sorted(tags):
        code = {1: "B", 3: "H", 4: "I", 5: "I", 7: "B"}[kind]
        value = struct.pack(f"{piece.order}{len(numbers)}{code}", *numbers)
        count = len(numbers) // 2 if kind == 5 else len(numbers)
        entries += struct.pack(piece.order + "HHI", tag, kind, count)
        if len(value) > 4:
            entries += struct.pack(piece.order + "I", at + len(values))
            values += value + bytes(len(value) % 2)
        else:
            entries += value.ljust(4, b"\x00")
    return entries + bytes(4) + values
