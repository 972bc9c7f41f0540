"""A camera raw file is shown as the camera's own JPEG of it, and never as its thumbnail."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from chalicelib.errors import UnusableImage
from chalicelib.intake.photos import Prepared, prepare
from chalicelib.model import Location
from tests.intake import raws
from tests.intake.corpus import cat
from tests.intake.pictures import exif
from tests.intake.tiffs import assembled

PHOTO = cat(*raws.SENSOR)
FULL = raws.jpeg(PHOTO)
SMALL = raws.jpeg(PHOTO.resize((160, 120)))
KINDS: dict[str, Callable[[bytes], bytes]] = {
    "NEF": lambda preview: raws.nef(PHOTO, preview),
    "ARW": lambda preview: raws.nef(PHOTO, preview, order=">"),
    "DNG": lambda preview: raws.nef(PHOTO, preview, dng=True),
    "CR2": lambda preview: raws.cr2(PHOTO, preview),
    "CR3": raws.cr3,
    "RAF": raws.raf,
    "RW2": raws.rw2,
    "ORF": lambda preview: raws.orf(PHOTO, preview),
}


def read(content: bytes) -> Prepared:
    return prepare(content, max_bytes=50_000_000, max_pixels=200_000_000)


def shown(content: bytes) -> Image.Image:
    with Image.open(BytesIO(content)) as image:
        return image.convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures' bytes."""
    pairs = zip(one.tobytes(), other.resize(one.size).tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (3 * one.width * one.height)


@pytest.mark.parametrize("kind", KINDS)
def test_the_camera_s_own_jpeg_is_what_is_seen(kind: str) -> None:
    made = read(KINDS[kind](FULL))
    size = raws.SENSOR[::-1] if kind == "CR2" else raws.SENSOR  # that one was held sideways
    assert (made.content_type, made.preview, (made.width, made.height)) == ("image/x-dcraw", True, size)
    upright = PHOTO.transpose(Image.Transpose.ROTATE_270) if kind == "CR2" else PHOTO
    assert distance(shown(made.thumbnail), upright) < 4
    assert made.converted is not None
    assert distance(shown(made.converted), upright) < 4


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"CR2", "RAF"}))
def test_a_preview_that_is_no_more_than_a_thumbnail_does_not_stand_for_the_photo(kind: str) -> None:
    with pytest.raises(UnusableImage, match="camera raw") as raised:
        read(KINDS[kind](SMALL))
    assert raised.value.code == "unsupported-type"


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_preview_it_is_refused_as_what_it_is(kind: str) -> None:
    with pytest.raises(UnusableImage, match="camera raw") as raised:
        read(KINDS[kind](b""))
    assert raised.value.code == "unsupported-type"


def test_the_size_is_the_camera_s_where_the_preview_is_smaller() -> None:
    made = read(raws.nef(PHOTO, raws.jpeg(PHOTO.resize((360, 240)))))
    assert (made.width, made.height) == raws.SENSOR
    assert shown(made.thumbnail).size == (360, 240)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_camera_was_held_as_the_raw_file_says_whatever_the_preview_says(orientation: int) -> None:
    made = read(raws.nef(PHOTO, raws.jpeg(PHOTO, exif=exif(5)), orientation=orientation))
    size = raws.SENSOR if orientation < 5 else raws.SENSOR[::-1]
    assert (made.width, made.height) == size
    assert shown(made.thumbnail).size == (512, 341) if orientation < 5 else (341, 512)


def test_time_place_and_camera_are_those_of_the_raw_file() -> None:
    made = read(raws.cr3(FULL, orientation=6))
    assert (made.exif.taken_at, made.exif.camera) == ("2024-05-06T07:08:09", "Canon EOS R5")
    assert made.exif.location == Location(-51.504167, -0.125)
    assert (made.width, made.height) == raws.SENSOR[::-1]


def test_a_tiff_whose_picture_stands_below_a_preview_shows_the_picture() -> None:
    """No raw file: the same directories, with a plain picture where a sensor's samples would be."""
    first = raws.thumbnail(Image.new("RGB", (60, 40), "red"), 1)
    data = PHOTO.tobytes()
    main = [
        (254, 4, [0]), (256, 4, [600]), (257, 4, [400]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]),
        (273, 4, []), (277, 3, [3]), (278, 4, [400]), (279, 4, [len(data)]),
    ]  # fmt: skip
    for below in ({0: [1]}, None):
        made = read(assembled([first, (main, [data])], below=below))  # type: ignore[list-item]
        assert (made.width, made.height, made.preview) == (600, 400, False)
        assert distance(shown(made.thumbnail), PHOTO) < 4
