"""Files that were never good: bombs, files of two kinds at once, and what is no image at all."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from collections.abc import Callable

from tests.intake.corpus import BAD, HTML, MP4
from tests.intake.pictures import chunk, png

Forgery = Callable[[random.Random], bytes]

NOT_IMAGES = (
    b"\x7fELF\x02\x01\x01" + bytes(300),
    b"MZ\x90\x00" + bytes(300),
    b"#!/bin/sh\nrm -rf /\n",
    b'{"image": null}',
    b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40),
    b"ID3\x04\x00" + bytes(300),
    b"\x1f\x8b\x08\x00" + bytes(60),
    b"%!PS-Adobe-3.0 EPSF-3.0\n",
    b"Rar!\x1a\x07\x00" + bytes(60),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    b"\xff\xfe" + "not an image".encode("utf-16-le"),
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><svg xmlns='http://www.w3.org/2000/svg'>&b;</svg>",
    b"GIF89a",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"BM",
    b"II*\x00",
    HTML,
    MP4,
)


def png_bomb(chance: random.Random) -> bytes:
    """A header of many pixels over data of few, or of zeros that are many indeed."""
    side = chance.choice((13_000, 30_000, 65_535, 2**31 - 1))
    packed = zlib.compress(bytes(chance.choice((9, 5_000_000))))
    return png(side, chance.choice((side, 1, 9)), chunk(b"IDAT", packed))


def png_text_bomb(chance: random.Random) -> bytes:
    """Text or a colour profile that unpacks to 64 MB."""
    packed = zlib.compress(bytes(1 << 26))
    kind, head = chance.choice(((b"zTXt", b"k\0\0"), (b"iCCP", b"k\0\0"), (b"iTXt", b"k\0\x01\0\0\0")))
    return png(90, 60, chunk(kind, head + packed), chunk(b"IDAT", zlib.compress(bytes(91 * 60))))


def gif_bomb(chance: random.Random) -> bytes:
    """A canvas, or a frame, of 65,535 by 65,535, and frames without end."""
    canvas, size = (chance.choice((b"\xff\xff\xff\xff", b"\x10\x00\x10\x00")) for _ in range(2))
    frame = b"," + bytes(4) + size + b"\x00\x02\x02\x44\x01\x00"
    return b"GIF89a" + canvas + b"\x80\x00\x00" + bytes(6) + frame * 5_000


def bmp_bomb(chance: random.Random) -> bytes:
    """A header of many pixels, packed or not, over a few bytes."""
    width, height = chance.choice(((65_535, 65_535), (2**31 - 1, 1), (1, -(2**31)), (20_000, -20_000)))
    bits, packing = chance.choice(((24, 0), (8, 1), (4, 2), (32, 3), (1, 0), (16, 6)))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 200_000, 0, 0, 54) + header + chance.randbytes(2_000)


def tiff_bomb(chance: random.Random) -> bytes:
    """Directories that lead to themselves, or strips of everything and nothing."""
    side, everything = chance.choice((1, 60_000, 2**32 - 1)), 2**32 - 1
    packing, samples = chance.choice((1, 5, 7, 8, 32_773, 50_000)), chance.choice((1, 3, 65_535))
    tags = (
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, packing),
        (262, 3, 1, 1),
        (273, 4, chance.choice((1, everything)), 8),
        (277, 3, 1, samples),
        (278, 4, 1, chance.choice((1, everything))),
        (279, 4, 1, chance.choice((0, everything))),
    )
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    following = struct.pack("<I", chance.choice((0, 8)))
    return b"II*\x00\x08\x00\x00\x00" + body + following + chance.randbytes(500)


def webp_bomb(chance: random.Random) -> bytes:
    """A canvas of 16 million pixels a side."""
    extended = b"VP8X" + struct.pack("<I", 10) + bytes([chance.randrange(64), 0, 0, 0]) + b"\xff\xff\xff" * 2
    lossless = b"VP8L" + struct.pack("<I", 8) + b"\x2f\xff\xff\xff\x0f" + chance.randbytes(3)
    body = b"WEBP" + extended + lossless
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_many_scans(chance: random.Random) -> bytes:
    """A progressive JPEG that is to be gone over again and again."""
    size = struct.pack(">HH", 20_000, 20_000)
    frame = b"\xff\xc2\x00\x0b\x08" + size + b"\x01\x01\x11\x00"
    tables = b"\xff\xdb\x00\x43\x00" + bytes([1]) * 64 + b"\xff\xc4\x00\x14\x00\x01" + bytes(15) + b"\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + bytes(20)
    return b"\xff\xd8" + tables + frame + scan * chance.choice((3, 2_000)) + b"\xff\xd9"


def no_image(chance: random.Random) -> bytes:
    """Something else, or the beginning of an image and nothing more."""
    content = chance.choice((*NOT_IMAGES, gzip.compress(bytes(10_000)), chance.randbytes(3_000), b""))
    return content + chance.randbytes(chance.choice((0, 0, 40)))


def known(chance: random.Random) -> bytes:
    """One of the bad files that the tests know by name."""
    return BAD[chance.choice(sorted(BAD))][1]()


FORGERIES: tuple[Forgery, ...] = (
    png_bomb,
    png_text_bomb,
    gif_bomb,
    bmp_bomb,
    tiff_bomb,
    webp_bomb,
    jpeg_of_many_scans,
    no_image,
    no_image,
    known,
)


def spliced(one: bytes, other: bytes, chance: random.Random) -> bytes:
    """The head of one file on the body of another, or both in a row."""
    if chance.random() < 0.3:
        return one + other
    return one[: chance.randrange(1, len(one))] + other[chance.randrange(len(other)) :]


def polyglot(content: bytes, chance: random.Random) -> bytes:
    """A file that is something else, too."""
    other = chance.choice((HTML, MP4, b"PK\x05\x06" + bytes(18), b"%PDF-1.7\n%%EOF", b"<?php phpinfo(); ?>"))
    return content + other if chance.random() < 0.7 else other + content
