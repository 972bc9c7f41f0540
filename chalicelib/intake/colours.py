"""Colours that mean the same on every screen: sRGB, whatever the camera or the printer wrote in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

from PIL import Image

MOST_PROFILE_BYTES = 4 << 20  # a screen's has some hundred bytes, a press's up to two million
_FLIPPED = [value ^ 0x80 for value in range(256)]


def in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """An RGB picture's colours, which are those of an ICC ``profile``, in sRGB.

    Without a profile they are sRGB already (as browsers take them); one that is broken, or tells of inks or
    greys, is passed over.
    """
    convert = _conversion(profile, "RGB")
    return convert(picture) if convert else picture


def inks_in_srgb(profile: bytes) -> Callable[[Image.Image], Image.Image]:
    """What makes RGB of CMYK: the press's ICC ``profile``, or a plain rule where there is none."""
    return _conversion(profile, "CMYK") or (lambda picture: picture.convert("RGB"))


def lab_in_srgb(bands: Sequence[Image.Image], *, signed: bool) -> Image.Image:
    """CIE L*a*b* in 8 bits; ``signed`` as TIFF has a and b, otherwise with 128 for 0, as ICC does."""
    from PIL import ImageCms

    hues = [band.point(_FLIPPED) for band in bands[1:]] if signed else bands[1:]
    # Pillow keeps a and b with 128 for 0 inside, and merges bands as they are.
    picture = Image.merge("LAB", [bands[0], *hues])
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(picture, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")) or picture


def _conversion(profile: bytes, mode: str) -> Callable[[Image.Image], Image.Image] | None:
    if not profile or len(profile) > MOST_PROFILE_BYTES:
        return None
    from PIL import ImageCms  # two milliseconds that most photos need not pay

    try:
        theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
        if theirs.profile.xcolor_space.strip() != mode:
            return None
        transform = ImageCms.buildTransform(theirs, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None
    return lambda picture: ImageCms.applyTransform(picture, transform) or picture
