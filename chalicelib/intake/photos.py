"""A file becomes a photo: checked, described, made fit for a recogniser, and small for people to look at."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.intake import conversion, exif, thumbnails
from chalicelib.intake.conversion import CONVERTED_SIDE, jpeg_of, picture_of, usable_as_it_is
from chalicelib.intake.exif import Exif
from chalicelib.intake.inspection import Opened, opened
from chalicelib.intake.thumbnails import thumbnail_of


@dataclass(frozen=True)
class Prepared:
    """A readable image: its type, its ``width`` and ``height`` in pixels once it stands upright.

    ``converted`` is a JPEG of it for recognisers, None where they can be given the file as it is.
    """

    content_type: str
    width: int
    height: int
    exif: Exif
    thumbnail: bytes
    converted: bytes | None


def prepare(content: bytes, *, max_bytes: int, max_pixels: int) -> Prepared:
    """Read an image through and through, once.

    :raises UnusableImage: as :func:`~chalicelib.intake.inspection.opened` does.
    """
    with opened(content, max_bytes=max_bytes, max_pixels=max_pixels) as seen:
        noted = _noted(seen)
        turn = 1 if seen.format.upright else noted.orientation
        width, height = seen.image.size
        as_it_is = usable_as_it_is(seen, turn)
        picture = picture_of(seen, turn, thumbnails.SIDE if as_it_is else CONVERTED_SIDE)
        profile = seen.image.info.get("icc_profile")
    if turn in conversion.SIDEWAYS:
        width, height = height, width
    converted = None if as_it_is else jpeg_of(picture)
    return Prepared(seen.format.content_type, width, height, noted, thumbnail_of(picture, profile), converted)


def _noted(seen: Opened) -> Exif:
    """The EXIF, for which most files must be read to their end; a JPEG's must not: it is scaled by it."""
    if seen.format.name == "TIFF":
        return exif.read(seen.content)
    if seen.format.name != "JPEG":
        seen.image.load()
    return exif.read(seen.image.info.get("exif") or b"")
