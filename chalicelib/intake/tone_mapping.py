"""Tone mapping: the numbers of a scientific or high-dynamic-range picture in 256 steps of grey.

Unsigned numbers of up to 16 bits are brightness as they stand. Signed numbers, those of 32 bits and fractions
are mapped from the range in use, without infinities and marks for "no data". Fractions between 0 and 1 are
the exception: 0 is black and 1 is white.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PIL import Image, ImageMath

UNSIGNED, SIGNED, FLOAT = 1, 2, 3
_LARGEST = 1e38  # what is beyond marks missing data, or is no number
_MARKS = frozenset({-9_999.0, -99_999.0, -999_999.0, -32_768.0, -32_767.0})  # often used for missing data
_MOSTLY = 0.99
_FLIPPED = bytes(value ^ 0x80 for value in range(256))
_RAW = {("<", 4): "F;32F", (">", 4): "F;32BF", ("<", 8): "F;64F", (">", 8): "F;64BF"}


def top_bytes(data: bytes, order: str, size: int) -> bytes:
    """The most significant byte of each number."""
    return data[size - 1 :: size] if order == "<" else data[::size]


def measured(data: bytes, order: str, kind: int, bits: int, size: tuple[int, int]) -> Image.Image:
    """Numbers as a picture of mode F, which keeps their order."""
    if kind == FLOAT and bits == 16:
        return _halves(data, order, size)
    if kind == FLOAT:
        return Image.frombytes("F", size, data, "raw", _RAW[order, bits // 8], 0, 1)
    if bits == 8:
        return Image.frombytes("L", size, data.translate(_FLIPPED)).convert("F").point(lambda v: v * 1 - 128)
    if bits == 16:
        raw = "I;16S" if order == "<" else "I;16BS"
        return Image.frombytes("I", size, data, "raw", raw, 0, 1).convert("F")
    numbers = bytearray(data)
    if kind == UNSIGNED:  # Pillow's are signed: the order stays the same if the half of all is taken away
        top = 3 if order == "<" else 0
        numbers[top::4] = numbers[top::4].translate(_FLIPPED)
    raw = "I;32S" if order == "<" else "I;32BS"
    picture = Image.frombytes("I", size, bytes(numbers), "raw", raw, 0, 1).convert("F")
    return picture.point(lambda v: v * 1 + 2.0**31) if kind == UNSIGNED else picture


def _halves(data: bytes, order: str, size: tuple[int, int]) -> Image.Image:
    count = len(data) // 2
    wide = struct.pack(f"<{count}f", *struct.unpack(f"{order}{count}e", data))
    return Image.frombytes("F", size, wide, "raw", "F;32F", 0, 1)


@dataclass
class Range:
    """The numbers for black and for white: found over all pieces of a picture, then applied to each."""

    kind: int
    missing: float | None = None
    low: float = _LARGEST
    high: float = -_LARGEST
    counted: int = field(default=0, repr=False)
    between: int = field(default=0, repr=False)
    next_low: float = _LARGEST

    def add(self, picture: Image.Image) -> None:
        """Take the numbers of one band into account."""
        meant = self._meant(picture)
        self.low = min(self.low, _least(picture, meant))
        self.high = max(self.high, _most(picture, meant))
        if self.low in _MARKS:
            rest = _mask(lambda v: (v > self.low) * (v < _LARGEST), picture)
            self.next_low = min(self.next_low, _least(picture, rest))
        if self.kind == FLOAT:
            self.counted += meant.histogram()[255]
            self.between += _mask(lambda v: (v >= 0.0) * (v <= 1.0), picture).histogram()[255]

    def settle(self) -> None:
        """Decide, once all numbers were added."""
        if self.low in _MARKS and self.next_low > self.low / 2:
            self.missing, self.low = self.low, min(self.next_low, self.high)
        if self.kind == FLOAT and self.high > 0.5 and self.between >= _MOSTLY * max(1, self.counted):
            self.low, self.high = 0.0, 1.0

    def shown(self, picture: Image.Image) -> Image.Image:
        """The band in 8 bits; what is missing or no number is black."""
        meant = self._meant(picture)
        if self.low > self.high:  # not one number
            return Image.new("L", picture.size)
        filled = Image.new("F", picture.size, self.low)
        filled.paste(picture, mask=meant)
        scale = 255 / max(self.high - self.low, 1e-30)
        light = filled.point(lambda v: v * scale + (0.5 - self.low * scale)).convert("L")
        light.paste(0, mask=meant.point(lambda v: 255 - v))
        light.paste(255, mask=_mask(lambda v: v > _LARGEST, picture))
        return light

    def _meant(self, picture: Image.Image) -> Image.Image:
        missing = self.missing
        if missing is None:
            return _mask(lambda v: (v >= -_LARGEST) * (v <= _LARGEST), picture)
        return _mask(lambda v: (v >= -_LARGEST) * (v <= _LARGEST) * (v != missing), picture)


def range_of(kind: int, missing: float | None, bands: Iterable[Image.Image]) -> Range:
    """The range of all the bands of a picture."""
    found = Range(kind, missing)
    for band in bands:
        found.add(band)
    found.settle()
    return found


def _mask(question: Callable[..., object], picture: Image.Image) -> Image.Image:
    answer = ImageMath.lambda_eval(lambda names: question(names["picture"]), picture=picture)
    yes: Image.Image = answer.point(lambda v: v * 255 + 0).convert("L")
    return yes


def _least(picture: Image.Image, mask: Image.Image) -> float:
    rest = Image.new("F", picture.size, _LARGEST)
    rest.paste(picture, mask=mask)
    return float(rest.getextrema()[0])  # type: ignore[arg-type]  # one band: a pair of numbers


def _most(picture: Image.Image, mask: Image.Image) -> float:
    rest = Image.new("F", picture.size, -_LARGEST)
    rest.paste(picture, mask=mask)
    return float(rest.getextrema()[1])  # type: ignore[arg-type]
