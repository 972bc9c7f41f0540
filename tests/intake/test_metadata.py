"""What a camera noted is read, whatever else is in the block."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from chalicelib.intake.metadata import Exif, read
from chalicelib.intake.photos import prepare
from chalicelib.model import Location
from tests.intake.pictures import encoded

BERLIN = Location(52.520007, 13.404954)
READABLE_WITH_EXIF = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"]


def block(
    *, taken: str = "2026:02:28 17:05:12", offset: str = "+01:00", south: bool = False, model: str = "X100"
) -> bytes:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "FUJI", model
    tags.get_ifd(0x8769).update({0x9003: taken, 0x9011: offset})
    latitude, longitude = degrees(52, 31, 12.025), degrees(13, 24, 17.834)
    tags.get_ifd(0x8825).update({1: "S" if south else "N", 2: latitude, 3: "E", 4: longitude})
    return tags.tobytes()


def degrees(*parts: float) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(round(part * 1000), 1000) for part in parts)


def noted(kind: str, exif: bytes) -> Exif:
    return prepare(encoded(kind, exif=exif), max_bytes=10**6, max_pixels=10**6).exif


@pytest.mark.parametrize("kind", READABLE_WITH_EXIF)
def test_every_type_that_has_exif_gives_it(kind: str) -> None:
    assert noted(kind, block()) == Exif(
        1, "2026-02-28T17:05:12+01:00", "FUJI X100", BERLIN, "exif:DateTimeOriginal"
    )


@pytest.mark.parametrize("kind", ["GIF", "BMP"])
def test_types_without_exif_have_nothing_to_say(kind: str) -> None:
    assert prepare(encoded(kind), max_bytes=10**6, max_pixels=10**6).exif == Exif()


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2026:02:28 17:05:12", "-11:30", "2026-02-28T17:05:12-11:30"),
        ("2026:02:28 17:05:12", "", "2026-02-28T17:05:12"),
        ("2026:02:28 17:05:12", "   :  ", "2026-02-28T17:05:12"),
        ("2026:02:28 17:05:12", "+25:00", "2026-02-28T17:05:12"),
        ("0000:00:00 00:00:00", "+01:00", None),
        ("2026:02:30 17:05:12", "+01:00", None),
        ("    :  :     :  :  ", "", None),
        ("yesterday", "", None),
        ("", "", None),
    ],
)
def test_the_time_is_the_camera_s_with_its_offset_if_that_makes_sense(
    taken: str, offset: str, expected: str | None
) -> None:
    assert read(block(taken=taken, offset=offset)).taken_at == expected


def test_south_and_west_are_negative() -> None:
    assert read(block(south=True)).location == Location(-52.520007, 13.404954)


@pytest.mark.parametrize(
    ("model", "camera"), [("X100", "FUJI X100"), ("Fuji X100", "Fuji X100"), ("A\nB", "FUJI A B")]
)
def test_a_camera_is_named_once_and_in_one_line(model: str, camera: str) -> None:
    assert read(block(model=model)).camera == camera


def test_the_edge_of_the_earth_is_where_places_end() -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8825).update({1: "N", 2: degrees(91, 0, 0), 3: "E", 4: degrees(13, 0, 0)})
    assert read(tags.tobytes()).location is None


@pytest.mark.parametrize(
    "content",
    [b"", b"Exif\x00\x00", b"II", b"II*\x00\xff\xff\xff\xff", b"MM\x00*\x00\x00\x00\x08\xff\xff", b"nothing"],
)
def test_a_damaged_block_says_nothing(content: bytes) -> None:
    assert read(content) == Exif()


def test_a_division_by_nothing_is_nothing() -> None:
    whole = block()
    zero = whole.replace(struct.pack(">II", 52, 1), struct.pack(">II", 52, 0))
    assert zero != whole
    assert read(zero).location is None


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    assert isinstance(read(b"II*\x00\x08\x00\x00\x00" + content), Exif)


def test_no_change_of_a_good_block_breaks_the_reader() -> None:
    chance, whole = random.Random("exif"), block()  # noqa: S311 - repeatable on purpose
    for _ in range(3_000):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            content[chance.randrange(len(content))] = chance.choice((0, 255, chance.randrange(256)))
        found = read(bytes(content))
        assert 1 <= found.orientation <= 8
