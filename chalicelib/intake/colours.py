"""Colours that mean the same on every screen: sRGB, whatever the camera wrote in."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

MOST_PROFILE_BYTES = 1 << 20  # a camera's have some hundred bytes; more is no camera's


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """An RGB picture's colours, which are those of an ICC ``profile``, in sRGB.

    Without a profile they are sRGB already (as browsers take them); one that is broken, or tells of inks or
    greys, is passed over.
    """
    if not profile or len(profile) > MOST_PROFILE_BYTES:
        return picture
    from PIL import ImageCms  # two milliseconds that most photos need not pay

    try:
        theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
        if theirs.profile.xcolor_space.strip() != "RGB":
            return picture
        shown = ImageCms.profileToProfile(picture, theirs, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return shown or picture
