"""Damage to files: what transmission, bad software and bad people do to good ones."""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable
from typing import Literal

Harm = Callable[[bytes, random.Random], bytes]
Order = Literal["big", "little"]

# What a count, a size or an offset is when somebody means ill: nothing, the edges of signs, and everything.
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_ORDERS: tuple[Order, Order] = ("big", "little")
_JPEG_FRAME = re.compile(rb"\xff[\xc0-\xc3]..\x08", re.DOTALL)
_JPEG_SEGMENT = re.compile(rb"\xff[\xc0-\xcf\xda-\xef\xfe]")
_TIFF_HEAD = re.compile(rb"II\*\x00|MM\x00\*")
_BOX = re.compile(
    rb"(?:ftyp|meta|hdlr|pitm|iloc|iinf|infe|iprp|ipco|ispe|hvcC|av1C|pixi|irot|imir|ipma|iref|mdat|auxC)"
)
_RIFF_CHUNK = re.compile(rb"VP8[ LX]|ALPH|ANIM|ANMF|EXIF|ICCP|XMP ")


def cut_off(content: bytes, chance: random.Random) -> bytes:
    """The end is missing."""
    return content[: chance.randrange(len(content))]


def beheaded(content: bytes, chance: random.Random) -> bytes:
    """The beginning is missing."""
    return content[chance.randrange(1, min(200, len(content))) :]


def bits_flipped(content: bytes, chance: random.Random) -> bytes:
    """Single bits are wrong, anywhere."""
    harmed = bytearray(content)
    for _ in range(chance.choice((1, 3, 20, 200))):
        harmed[chance.randrange(len(harmed))] ^= 1 << chance.randrange(8)
    return bytes(harmed)


def scribbled(content: bytes, chance: random.Random) -> bytes:
    """A stretch is overwritten: by noise, by zeros, or by what lies elsewhere in the file."""
    at, length = chance.randrange(len(content)), chance.randrange(1, 400)
    patch = (chance.randbytes(length), bytes(length), content[at // 2 :][:length])[chance.randrange(3)]
    return content[:at] + patch + content[at + len(patch) :]


def lost_and_doubled(content: bytes, chance: random.Random) -> bytes:
    """A stretch is missing, or there twice."""
    start, end = sorted(chance.randrange(len(content)) for _ in range(2))
    return content[:start] + content[end:] if chance.random() < 0.5 else content[:end] + content[start:]


def extreme_field(content: bytes, chance: random.Random) -> bytes:
    """A number in the head, of whatever width and order, is one of the extremes."""
    at = chance.randrange(min(len(content), chance.choice((40, 120, 600))))
    return _overwritten(content, at, _number(chance, chance.choice((1, 2, 4))))


def extreme_jpeg(content: bytes, chance: random.Random) -> bytes:
    """A JPEG's width, height, number of components or the length of one of its segments is extreme."""
    frames = [found.start() for found in _JPEG_FRAME.finditer(content)]
    if frames and chance.random() < 0.6:
        return _overwritten(
            content, chance.choice(frames) + chance.choice((5, 7, 9)), _number(chance, 2, "big")
        )
    return _after_any(_JPEG_SEGMENT, content, chance, 2, "big", offset=2)


def extreme_png(content: bytes, chance: random.Random) -> bytes:
    """A PNG's header or another chunk says something extreme, under a checksum that is right."""
    chunks = list(_chunks(content))
    if not chunks:
        return extreme_field(content, chance)
    at, length = chance.choice([chunks[0], chance.choice(chunks)])
    if chance.random() < 0.3 or not length:
        return _overwritten(content, at, _number(chance, 4, "big"))
    inside = at + 8 + chance.randrange(min(length, 26))
    harmed = _overwritten(content, inside, _number(chance, chance.choice((1, 4)), "big"))
    return _overwritten(
        harmed, at + 8 + length, struct.pack(">I", zlib.crc32(harmed[at + 4 : at + 8 + length]))
    )


def extreme_directory(content: bytes, chance: random.Random) -> bytes:
    """A tag of a TIFF or of EXIF (orientation, GPS, strips, …) is extreme: type, count, offset or value."""
    heads = [found.start() for found in _TIFF_HEAD.finditer(content)]
    if not heads:
        return extreme_field(content, chance)
    head = chance.choice(heads)
    order = "<" if content[head : head + 2] == b"II" else ">"
    directory = head + _read(content, head + 4, order + "I")
    entries = _read(content, directory, order + "H")
    entry = directory + 2 + 12 * chance.randrange(max(1, min(entries, 40)))
    field, width = chance.choice(((0, 2), (2, 2), (4, 4), (8, 4)))
    return _overwritten(content, entry + field, _number(chance, width, "little" if order == "<" else "big"))


def extreme_box(content: bytes, chance: random.Random) -> bytes:
    """A box of HEIC or AVIF has an extreme size, or something extreme inside."""
    at = chance.choice((-4, 4, 8, 12))
    return _after_any(_BOX, content, chance, 4, "big", offset=at)


def extreme_riff(content: bytes, chance: random.Random) -> bytes:
    """A chunk of a WebP has an extreme length or canvas."""
    return _after_any(_RIFF_CHUNK, content, chance, 4, "little", offset=chance.choice((4, 8, 12)))


HARMS: tuple[Harm, ...] = (
    cut_off,
    beheaded,
    bits_flipped,
    scribbled,
    lost_and_doubled,
    extreme_field,
    extreme_field,
)
KNOWING: dict[str, tuple[Harm, ...]] = {
    "jpeg": (extreme_jpeg, extreme_directory),
    "png": (extreme_png, extreme_png),
    "webp": (extreme_riff, extreme_directory),
    "tiff": (extreme_directory, extreme_directory),
    "heic": (extreme_box, extreme_directory),
    "avif": (extreme_box, extreme_box),
}


def harmed(content: bytes, kind: str, chance: random.Random) -> bytes:
    """A file after one to three harms, of those that any file can suffer and those of its ``kind``."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        harm = chance.choice((*HARMS, *KNOWING.get(kind, ()), *KNOWING.get(kind, ())))
        content = harm(content, chance) or b"\x00"
    return content


def _number(chance: random.Random, width: int, order: Order | None = None) -> bytes:
    value: int = chance.choice(EXTREMES) & ((1 << 8 * width) - 1)
    return value.to_bytes(width, chance.choice(_ORDERS) if order is None else order)


def _after_any(
    pattern: re.Pattern[bytes],
    content: bytes,
    chance: random.Random,
    width: int,
    order: Order,
    *,
    offset: int,
) -> bytes:
    found = [match.start() for match in pattern.finditer(content)]
    if not found:
        return extreme_field(content, chance)
    return _overwritten(content, max(0, chance.choice(found) + offset), _number(chance, width, order))


def _chunks(content: bytes) -> list[tuple[int, int]]:
    """Where a PNG's chunks begin, and how long each is."""
    found, at = [], 8
    while at + 12 <= len(content):
        length = int(_read(content, at, ">I"))
        found.append((at, length))
        at += 12 + length
    return found


def _read(content: bytes, at: int, form: str) -> int:
    """A number; 0 where the file ends before it."""
    return int(struct.unpack_from(form, content, at)[0]) if at + struct.calcsize(form) <= len(content) else 0


def _overwritten(content: bytes, at: int, patch: bytes) -> bytes:
    return content[:at] + patch + content[at + len(patch) :]
