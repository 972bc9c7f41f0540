"""A thumbnail shows the colours that the camera meant.

Holds `chalicelib/intake/conversion.py`.
"""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from chalicelib.intake.conversion import MOST_PROFILE_BYTES
from chalicelib.intake.photos import prepare
from tests.intake.pictures import saved
from tests.intake.profiles import DISPLAY_P3, GAMMA, screen

GIVEN = (200, 100, 100)
# XYZ under D50 to linear sRGB (IEC 61966-2-1, adapted to D50 as ICC profiles are).
TO_SRGB = ((3.1339, -1.6169, -0.4906), (-0.9788, 1.9161, 0.0335), (0.0719, -0.2290, 1.4052))


def meant(colour: tuple[int, int, int]) -> list[float]:
    """The sRGB of a colour of Display P3, reckoned by hand."""
    light = [(value / 255) ** GAMMA for value in colour]
    xyz = [
        sum(primary[axis] * part for primary, part in zip(DISPLAY_P3, light, strict=True))
        for axis in range(3)
    ]
    linear = [sum(factor * value for factor, value in zip(row, xyz, strict=True)) for row in TO_SRGB]
    return [255 * (1.055 * value ** (1 / 2.4) - 0.055) for value in linear]


def shown(kind: str, **options: object) -> tuple[int, ...]:
    content = saved(Image.new("RGB", (120, 90), GIVEN), kind, **options)
    thumbnail = prepare(content, max_bytes=10_000_000, max_pixels=1_000_000).thumbnail
    with Image.open(BytesIO(thumbnail)) as image:
        assert "icc_profile" not in image.info
        pixel = image.getpixel((40, 40))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_wide_screens_colours_become_those_of_every_screen(kind: str) -> None:
    found = shown(kind, icc_profile=screen())
    assert meant(GIVEN) == pytest.approx([216, 93, 97], abs=1)
    assert found == pytest.approx(meant(GIVEN), abs=4)


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile",
        screen()[:200],
        screen(space=b"CMYK"),
        screen(space=b"GRAY"),
        screen() + bytes(MOST_PROFILE_BYTES),
        screen().replace(b"rXYZ", b"qXYZ"),
    ],
    ids=["nonsense", "cut off", "inks", "greys", "endless", "without red"],
)
def test_a_profile_that_is_no_use_is_passed_over(profile: bytes) -> None:
    assert shown("JPEG", icc_profile=profile) == pytest.approx(GIVEN, abs=4)


def press() -> bytes:
    """A press's profile (ICC.1:2001-04, section 6.5.7): cyan is green, black is black, the rest nothing."""

    def lut() -> bytes:
        identity = bytes(range(256))
        head = struct.pack(">4sI4B", b"mft1", 0, 4, 3, 2, 0)
        matrix = struct.pack(">9i", *(65_536 if at % 4 == 0 else 0 for at in range(9)))
        nodes = bytearray()
        for cyan in (0, 1):
            for _ in range(4):  # magenta, yellow: as if they were not there
                for black in (0, 1):
                    nodes += bytes(
                        (0 if black else 230 if not cyan else 150, 128 - 60 * cyan * (1 - black), 128)
                    )
        return head + matrix + 4 * identity + bytes(nodes) + 3 * identity

    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63_190, 65_536, 54_061)
    text = b"text" + bytes(4) + b"none\0\0\0\0"
    described = b"desc" + struct.pack(">II", 0, 2) + b"x\0" + bytes(78)
    tags = {b"desc": described, b"cprt": text, b"wtpt": white, b"A2B0": lut()}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    kinds = (start + len(body), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    head = struct.pack(">I4xI4s4s4s12x4s28x", *kinds) + struct.pack(">iii", 63_190, 65_536, 54_061)
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_shown_as_their_press_prints_them(kind: str) -> None:
    inks = Image.new("CMYK", (200, 100), (255, 0, 0, 0))
    plain = thumbnail(saved(inks, kind))
    printed = thumbnail(saved(inks, kind, icc_profile=press()))
    assert plain.getpixel((50, 50))[0] < 40
    red, green, blue = printed.getpixel((50, 50))
    assert green > red + 15
    assert green > blue + 15


def thumbnail(content: bytes) -> Image.Image:
    made = prepare(content, max_bytes=10**6, max_pixels=10**6)
    with Image.open(BytesIO(made.thumbnail)) as image:
        return image.convert("RGB")
