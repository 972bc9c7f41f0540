"""The picture that the networks look at is the picture that a person sees."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageOps

from chalicelib.model import Photo
from chalicelib.recognition.pixels import upright

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def photo(image: Image.Image, kind: str = "PNG", *, orientation: int = 1, **options: object) -> Photo:
    with BytesIO() as stream:
        image.save(stream, kind, **options)
        content = stream.getvalue()
    return Photo(content, f"image/{kind.lower()}", *image.size, "b", "k", orientation)


def corners() -> Image.Image:
    """Three pixels by two, each of its own colour."""
    image = Image.new("RGB", (3, 2))
    image.putdata([(40 * x, 100 * y, 7) for y in range(2) for x in range(3)])
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_exif_says(orientation: int) -> None:
    stored = corners()
    tag = Image.Exif()
    tag[0x0112] = orientation
    stored.info["exif"] = tag.tobytes()
    expected = ImageOps.exif_transpose(stored)
    seen = upright(photo(corners(), orientation=orientation))
    assert seen.size == expected.size
    assert seen.tobytes() == expected.tobytes()


def test_what_is_transparent_is_seen_on_white() -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    assert [upright(photo(image)).getpixel((x, 0)) for x in (0, 1)] == [WHITE, BLACK]


def test_a_palette_with_a_transparent_entry_is_seen_on_white() -> None:
    image = Image.new("P", (1, 1), 0)
    image.putpalette([1, 2, 3])
    assert upright(photo(image, transparency=0)).getpixel((0, 0)) == WHITE


def test_sixteen_bits_of_grey_are_scaled_and_not_clipped() -> None:
    image = Image.new("I;16", (1, 1), 0x8000)
    assert upright(photo(image)).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_kind_of_png_becomes_rgb(mode: str) -> None:
    assert upright(photo(Image.new(mode, (4, 4)))).mode == "RGB"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_becomes_rgb(mode: str) -> None:
    assert upright(photo(Image.new(mode, (4, 4)), "JPEG")).mode == "RGB"


def test_a_large_jpeg_is_decoded_small_but_not_too_small() -> None:
    seen = upright(photo(Image.new("RGB", (6000, 4000)), "JPEG"))
    assert 640 <= min(seen.size) <= 1280
    assert seen.width / seen.height == pytest.approx(1.5, abs=0.01)
