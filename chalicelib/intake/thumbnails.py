"""A small JPEG of every image that can be read."""

from __future__ import annotations

from PIL import Image

from chalicelib.intake.colours import in_srgb
from chalicelib.intake.conversion import encoded

SIDE = 512
CONTENT_TYPE = "image/jpeg"
_QUALITY = 82


def thumbnail_of(picture: Image.Image, profile: bytes) -> bytes:
    """The picture with its long side at 512 pixels, or as it is where that is shorter; no metadata.

    Its colours, which are those of the ICC ``profile``, become sRGB, so that it needs none.
    """
    small = picture.copy()
    if max(small.size) > SIDE:
        small = _shrunk(small)
    return encoded(in_srgb(small, profile), _QUALITY)


def _shrunk(picture: Image.Image) -> Image.Image:
    """The long side at 512 pixels, the short one in proportion: Pillow's own would round it as it likes."""
    longest = max(picture.size)
    width, height = (max(1, round(length * SIDE / longest)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.HAMMING, reducing_gap=1.0)
