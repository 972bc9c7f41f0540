"""The picture that the networks look at, from the bytes of a photo."""

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


# What a photo is scaled down to where it must be sent and is too large for that.
_SENT_SIDE = 1600
_QUALITY = 90


def fitted(photo: Photo, most_bytes: int) -> tuple[bytes, str]:
    """The photo's bytes and their type; a JPEG scaled down where they are more than ``most_bytes``."""
    if len(photo.content) <= most_bytes:
        return photo.content, photo.content_type
    picture = decoded(photo)
    picture.thumbnail((_SENT_SIDE, _SENT_SIDE))
    with BytesIO() as stream:
        picture.save(stream, "JPEG", quality=_QUALITY)
        return stream.getvalue(), "image/jpeg"


def decoded(photo: Photo) -> Image.Image:
    """The photo in RGB; a large JPEG comes scaled down."""
    image = _READERS[photo.content_type](BytesIO(photo.content))
    with image:
        image.draft("RGB", _LONG_ENOUGH)
        return image.convert("RGB")


def scaled(photo: Photo, side: int, most_bytes: int) -> bytes:
    """The photo as a JPEG of at most ``side`` pixels a side and ``most_bytes``, without any metadata."""
    image = _READERS[photo.content_type](BytesIO(photo.content))
    with image:
        image.draft("RGB", (side, side))
        picture = image.convert("RGB")
    picture.thumbnail((side, side))
    for quality in (_QUALITY, 75, 50):
        with BytesIO() as stream:
            picture.save(stream, "JPEG", quality=quality)
            content = stream.getvalue()
        if len(content) <= most_bytes:
            break
    return content
