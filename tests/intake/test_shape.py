"""People see a photo in its own shape, whatever a recogniser needs; and boxes lie where the things are.

Holds `chalicelib/intake/conversion.py`.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from chalicelib.intake.photos import Prepared, prepare
from chalicelib.model import Box, Photo, RecognitionOptions
from chalicelib.recognition.onnx import OnnxRecogniser
from tests.intake.corpus import cat
from tests.intake.pictures import saved

MODELS = Path(__file__).parents[2] / "models"
KINDS = ["JPEG", "PNG", "WEBP", "TIFF"]
SHAPES = [
    (10_000, 600),
    (10_100, 300),
    (4_000, 40),
    (40, 4_000),
    (600, 12_000),
    (3_000, 1),
    (60, 2),
    (101, 100),
]


def read(content: bytes) -> Prepared:
    return prepare(content, max_bytes=50_000_000, max_pixels=200_000_000)


def opened(content: bytes) -> Image.Image:
    with Image.open(BytesIO(content)) as image:
        return image.convert("RGB")


def circles(width: int, height: int) -> Image.Image:
    """Black circles in a row, as large as fit, on white."""
    image = Image.new("RGB", (width, height), "white")
    side = min(width, height)
    for number in range(max(width, height) // side):
        left, top = (number * side, 0) if width > height else (0, number * side)
        ImageDraw.Draw(image).ellipse((left, top, left + side - 1, top + side - 1), fill="black")
    return image


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SHAPES)
def test_a_thumbnail_has_the_photo_s_own_shape(size: tuple[int, int], kind: str) -> None:
    made = read(saved(Image.new("RGB", size, "red"), kind))
    assert (made.width, made.height) == size
    scale = min(1.0, 512 / max(size))
    assert opened(made.thumbnail).size == tuple(max(1, round(side * scale)) for side in size)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(10_000, 600), (500, 12_500), (2_600, 1_300)])
def test_circles_stay_circles_for_people_and_recognisers(size: tuple[int, int], kind: str) -> None:
    made = read(saved(circles(*size), kind))
    for content in filter(None, (made.thumbnail, made.converted)):
        image = opened(content).convert("L")
        side = min(image.size)
        circle = image.crop((0, 0, side, side)).point(lambda value: 255 if value < 128 else 0)
        left, top, right, bottom = circle.getbbox() or (0, 0, 0, 0)
        assert abs((right - left) - (bottom - top)) <= 2
        assert abs((right - left) - side) <= 2


@pytest.mark.parametrize("size", [(10_400, 300), (300, 10_400), (9_000, 79), (20_000, 160)])
def test_a_recogniser_gets_a_long_picture_in_its_shape_and_within_its_limits(size: tuple[int, int]) -> None:
    converted = read(saved(Image.new("RGB", size, "red"), "PNG")).converted
    assert converted is not None
    width, height = opened(converted).size
    assert min(width, height) >= 80
    assert max(width, height) <= 10_000
    assert width / height == pytest.approx(size[0] / size[1], rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "at"), [((4_000, 400), 3_000), ((3_000, 300), 60), ((2_400, 300), 1_200)])
@pytest.mark.parametrize("upright", [False, True])
def test_a_box_lies_on_its_thing_in_a_panorama(size: tuple[int, int], at: int, upright: bool) -> None:
    panorama = Image.new("RGB", size, (120, 160, 200))
    height = size[1]
    panorama.paste(cat(height * 3 // 2, height), (at, 0))
    made = read(saved(panorama, "JPEG", quality=95))
    if upright:  # a cat stands on its feet; the picture is what is turned
        tall = Image.new("RGB", (height * 3 // 2, size[0]), (120, 160, 200))
        tall.paste(cat(height * 3 // 2, height), (0, at))
        made = read(saved(tall, "JPEG", quality=95))
    photo = Photo(made.converted or made.plain or b"", "image/jpeg", made.width, made.height, "bucket", None)
    seen = OnnxRecogniser(MODELS).recognise(photo, RecognitionOptions(min_confidence=40, max_labels=50))
    cats = [
        one.box for label in seen.labels if label.name in ("Cat", "Domestic Cat") for one in label.instances
    ]
    assert cats
    start, end = (
        (at / size[0], (at + height * 1.5) / size[0])
        if not upright
        else (at / size[0], (at + height) / size[0])
    )
    for box in cats:
        low, high = along(box, upright)
        assert start - 0.03 < low < high < end + 0.03


def along(box: Box, upright: bool) -> tuple[float, float]:
    """Where a box begins and ends along the long side."""
    return (box.top, box.top + box.height) if upright else (box.left, box.left + box.width)
