"""The picture that the networks look at, from the bytes of a checked photo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from chalicelib.model import Photo

# Opened by their own classes: Image.open would load every plugin and warn of sizes that were checked already.
_READERS: Mapping[str, Callable[[BytesIO], ImageFile]] = {
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
}

# A JPEG is decoded at the smallest of its scales that leaves both sides this long; no network sees more.
_LONG_ENOUGH = (640, 640)

# What each EXIF orientation asks for (EXIF 2.32, section 4.6.4, tag 0x0112); 1 is upright.
_TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(photo: Photo) -> Image.Image:
    """The photo in RGB, turned as its EXIF orientation says; a large JPEG comes scaled down."""
    with _READERS[photo.content_type](BytesIO(photo.content)) as image:
        image.draft("RGB", _LONG_ENOUGH)
        picture = _rgb(image)
    turn = _TURNS.get(photo.orientation)
    return picture if turn is None else picture.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip instead of scale
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """What a viewer shows; the colours under full transparency may be anything."""
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    return ground.convert("RGB")
