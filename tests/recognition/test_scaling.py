"""The picture that networks and models look at."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from chalicelib.model import Photo
from chalicelib.recognition.scaling import decoded


def photo(image: Image.Image, kind: str = "PNG") -> Photo:
    with BytesIO() as stream:
        image.save(stream, kind)
        content = stream.getvalue()
    return Photo(content, f"image/{kind.lower()}", *image.size, "b", "k")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_both_kinds_of_png_become_rgb(mode: str) -> None:
    assert decoded(photo(Image.new(mode, (4, 4)))).mode == "RGB"


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_both_kinds_of_jpeg_become_rgb(mode: str) -> None:
    assert decoded(photo(Image.new(mode, (4, 4)), "JPEG")).mode == "RGB"


def test_a_large_jpeg_is_decoded_small_but_not_too_small() -> None:
    seen = decoded(photo(Image.new("RGB", (6000, 4000)), "JPEG"))
    assert 640 <= min(seen.size) <= 1280
    assert seen.width / seen.height == pytest.approx(1.5, abs=0.01)
