"""The picture that networks and models look at, from the bytes of a photo."""

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
_FITTED_SIDE = 1600  # pixels: to what a photo is scaled down that has too many bytes to be sent
_QUALITY = 90  # of a JPEG


def decoded(photo: Photo) -> Image.Image:
    """The photo in RGB; a large JPEG comes scaled down."""
    return _in_rgb(photo, _LONG_ENOUGH)


def fitted(photo: Photo, most_bytes: int) -> tuple[bytes, str]:
    """The photo's bytes and their type; a JPEG scaled down where they are more than ``most_bytes``."""
    if len(photo.content) <= most_bytes:
        return photo.content, photo.content_type
    picture = decoded(photo)
    picture.thumbnail((_FITTED_SIDE, _FITTED_SIDE))
    return _as_jpeg(picture, _QUALITY), "image/jpeg"


def scaled(photo: Photo, side: int, most_bytes: int) -> bytes:
    """The photo as a JPEG of at most ``side`` pixels a side and ``most_bytes``, without any metadata."""
    picture = _in_rgb(photo, (side, side))
    picture.thumbnail((side, side))
    for quality in (_QUALITY, 75, 50):
        content = _as_jpeg(picture, quality)
        if len(content) <= most_bytes:
            break
    return content


def _in_rgb(photo: Photo, least: tuple[int, int]) -> Image.Image:
    image = _READERS[photo.content_type](BytesIO(photo.content))
    with image:
        image.draft("RGB", least)
        return image.convert("RGB")


def _as_jpeg(picture: Image.Image, quality: int) -> bytes:
    with BytesIO() as stream:
        picture.save(stream, "JPEG", quality=quality)
        return stream.getvalue()
