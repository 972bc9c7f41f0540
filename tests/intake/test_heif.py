"""HEIC and AVIF: what their boxes say of the picture is done, what their notes hold fails nothing."""

from __future__ import annotations

import random
import struct

import pytest
from PIL import Image

from tests.intake.corpus import cat
from tests.intake.judge import distance, read, shown
from tests.intake.pictures import saved

SIZE = (300, 200)
PHOTO = cat(*SIZE)
CHANCE = random.Random("heif")  # noqa: S311 - repeatable on purpose


def with_property(content: bytes, kind: bytes, body: bytes) -> bytes:
    """An AVIF whose primary picture has one property more; all places in it are moved accordingly."""
    added = struct.pack(">I", len(body) + 8) + kind + body
    ipco, ipma = content.index(b"ipco") - 4, content.index(b"ipma") - 4
    size = int.from_bytes(content[ipco : ipco + 4], "big")
    count = content[ipma + 18]  # of the properties of the first item
    number = properties(content, ipco, size) + 1
    grown = bytearray(content)
    for name, more in (
        (b"ipma", 1),
        (b"ipco", len(added)),
        (b"iprp", len(added) + 1),
        (b"meta", len(added) + 1),
    ):
        at = content.index(name) - 4
        grown[at : at + 4] = struct.pack(">I", int.from_bytes(content[at : at + 4], "big") + more)
    grown[ipma + 18] = count + 1
    at = ipma + 19 + count
    whole = grown[: ipco + size] + added + grown[ipco + size : at] + bytes([0x80 | number]) + grown[at:]
    return moved(bytes(whole), len(added) + 1)


def properties(content: bytes, ipco: int, size: int) -> int:
    at, count = ipco + 8, 0
    while at < ipco + size:
        at += int.from_bytes(content[at : at + 4], "big")
        count += 1
    return count


def moved(content: bytes, by: int) -> bytes:
    """The file with the extents of its one item so many bytes further on."""
    at = content.index(b"iloc") + 4
    sizes = int.from_bytes(content[at + 4 : at + 6], "big")
    assert sizes >> 8 == 0x44, "offsets and lengths of four bytes"
    start = at + 6 + 2 + 2 + (2 if content[at] else 0) + 2 + 2
    place = int.from_bytes(content[start : start + 4], "big") + by
    return content[:start] + struct.pack(">I", place) + content[start + 4 :]


def clap(width: int, height: int, right: float, down: float) -> bytes:
    numbers = (width, 1, height, 1, round(2 * right), 2, round(2 * down), 2)
    return struct.pack(">8i", *numbers)


@pytest.mark.parametrize(
    ("window", "box"),
    [
        ((200, 100, 0, 0), (50, 50, 250, 150)),
        ((100, 200, -100, 0), (0, 0, 100, 200)),
        ((100, 50, 100, 75), (200, 150, 300, 200)),
    ],
)
def test_an_avif_is_cut_as_it_says(
    window: tuple[int, int, float, float], box: tuple[int, int, int, int]
) -> None:
    whole = saved(PHOTO, "AVIF", speed=10)
    content = with_property(whole, b"clap", clap(*window))
    made = read(content)
    assert (made.width, made.height) == window[:2]
    assert distance(shown(content), PHOTO.crop(box)) < 5
    assert (read(whole).width, read(whole).height) == SIZE


@pytest.mark.parametrize("noise", [b"", b"II*\0\xff\xff\xff\xff", CHANCE.randbytes(5_000)])
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_exif_of_anything_fails_no_photo(kind: str, noise: bytes) -> None:
    tags = Image.Exif()
    tags[0x010F] = "x" * max(1, len(noise))
    block = tags.tobytes()
    whole = saved(PHOTO, kind, exif=block)
    start = whole.index(b"x" * max(1, len(noise))) - (len(block) - len(tags[0x010F])) // 2 if noise else 0
    content = whole[:start] + noise + whole[start + len(noise) :] if noise else whole
    made = read(content)
    assert (made.width, made.height) == SIZE
    assert distance(shown(content), PHOTO) < 6
