"""A thumbnail shows the colours that the camera meant."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from chalicelib.intake.colours import MOST_PROFILE_BYTES
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
