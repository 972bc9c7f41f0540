"""A JPEG is what its segments say; what is no picture in it, or behind it, fails nothing and goes nowhere."""

from __future__ import annotations

import random
import struct
from io import BytesIO

import pytest
from PIL import Image

from chalicelib.errors import UnusableImage
from chalicelib.intake import jpeg
from tests.intake.corpus import MP4, cat
from tests.intake.judge import distance, read, shown
from tests.intake.pictures import saved

PHOTO = cat(300, 200)
CHANCE = random.Random("jpeg")  # noqa: S311 - repeatable on purpose
KINDS: dict[str, dict[str, object]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "with restarts": {"restart_marker_blocks": 5},
    "without subsampling": {"subsampling": 0},
}


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def encoded(kind: str) -> bytes:
    return saved(PHOTO, "JPEG", quality=90, **KINDS[kind])


NOTES = {
    **{f"APP{number} of anything": segment(0xE0 + number, CHANCE.randbytes(900)) for number in range(1, 16)},
    "thousands of marks of scans in a comment": segment(0xFE, b"\xff\xda" * 30_000),
    "marks of scans in APP1": segment(0xE1, b"Exif\0\0" + b"\xff\xda\xff\xd9" * 9_000),
    "an ICC profile of noise": segment(0xE2, b"ICC_PROFILE\0\1\1" + CHANCE.randbytes(3_000)),
    "an ICC profile in parts of which one is missing": segment(
        0xE2, b"ICC_PROFILE\0\2\3" + CHANCE.randbytes(99)
    ),
    "an ICC profile cut short": segment(0xE2, b"ICC_PROFILE\0"),
    "megabytes of XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"x" * 65_000)
    + 40 * segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"x" * 65_000),
    "Photoshop's resources": segment(0xED, b"Photoshop 3.0\x008BIM\xff\xff" + CHANCE.randbytes(500)),
    "an index of pictures that are not there": segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff" + bytes(90)),
    "a thumbnail in JFIF": segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\x20\x20" + bytes(3 * 32 * 32)),
    "fill bytes": b"\xff" * 40,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NOTES)
def test_no_note_fails_a_photo_or_travels_along(name: str, kind: str) -> None:
    whole = encoded(kind)
    content = whole[:2] + NOTES[name] + whole[2:]
    made = read(content)
    assert (made.width, made.height, made.warnings, made.converted) == (300, 200, (), None)
    assert distance(shown(content), PHOTO) < 4
    assert len(made.plain or content) <= len(whole) + 64


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trailer", [MP4 + b"\xff\xda" * 500, b"\xff\xd8\xff\xe0" + bytes(900), b"<html>"])
def test_what_follows_the_end_is_no_part_of_the_photo(kind: str, trailer: bytes) -> None:
    whole = encoded(kind)
    made = read(whole + trailer)
    assert (made.warnings, made.plain) == ((), read(whole).plain)


def test_scans_are_counted_by_their_segments() -> None:
    found = jpeg.parsed(encoded("progressive"))
    assert len(found.scans) == 10
    assert found.ended


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", [1, 2, 20])
def test_one_without_its_end_is_labelled_and_says_so(kind: str, lost: int) -> None:
    made = read(encoded(kind)[:-lost])
    assert (made.width, made.height, made.warnings) == (300, 200, ("truncated",))
    assert made.converted is not None, "no recogniser is given a file that has no end"
    with Image.open(BytesIO(made.converted)) as image:
        assert distance(image.convert("RGB"), PHOTO) < 5


def test_rows_decide_whether_it_is_labelled() -> None:
    """The lower half of the picture takes nearly all bytes: they say nothing of how much is there."""
    picture = Image.new("RGB", (320, 320), "white")
    picture.paste(Image.effect_noise((320, 160), 90).convert("RGB"), (0, 160))
    whole = saved(picture, "JPEG", quality=95, restart_marker_rows=1)
    restarts = [at for at in range(len(whole) - 1) if whole[at] == 0xFF and 0xD0 <= whole[at + 1] <= 0xD7]
    rows = len(restarts) + 1  # of blocks
    assert rows == 20
    assert read(whole[: restarts[18]]).warnings == ("truncated",)  # 19 of 20 rows
    for kept in (17, 14, 8):
        with pytest.raises(UnusableImage) as raised:
            read(whole[: restarts[kept - 1]])
        assert raised.value.code == "truncated"


def test_zeros_at_the_end_are_no_picture() -> None:
    """What a copy leaves that was interrupted: the file has its length, and nothing in its second half."""
    whole = encoded("baseline")
    with pytest.raises(UnusableImage) as raised:
        read(whole[: len(whole) // 2].ljust(len(whole), b"\0"))
    assert raised.value.code == "truncated"
    assert read(whole[:-9] + bytes(4_000)).warnings == ("truncated",)


def test_a_progressive_one_is_labelled_if_all_of_it_is_there_coarsely() -> None:
    whole = encoded("progressive")
    found = jpeg.parsed(whole)
    assert found.scans[4][1:] == (6, 63)  # the fifth brings the last of the first component's coefficients
    assert read(whole[: int(len(whole) * 0.8)]).warnings == ("truncated",)
    with pytest.raises(UnusableImage) as raised:
        read(whole[: int(len(whole) * 0.2)])
    assert raised.value.code == "truncated"


@pytest.mark.parametrize(
    ("marker", "bits", "components", "word"),
    [
        (0xC3, 8, 3, "lossless"),
        (0xF7, 8, 3, "JPEG-LS"),
        (0xC5, 8, 3, "hierarchical"),
        (0xC1, 12, 3, "12 bits"),
        (0xC0, 8, 2, "2 components"),
    ],
)
def test_a_kind_that_is_not_read_is_refused_by_its_name(
    marker: int, bits: int, components: int, word: str
) -> None:
    frame = struct.pack(">BHHB", bits, 200, 300, components) + b"\1\x11\0" * components
    with pytest.raises(UnusableImage, match="a JPEG image") as raised:
        read(
            b"\xff\xd8" + segment(marker, frame) + segment(0xDA, b"\1\1\0\0\x3f\0") + bytes(90) + b"\xff\xd9"
        )
    assert (raised.value.code, word in raised.value.detail) == ("unsupported-type", True)
