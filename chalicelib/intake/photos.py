"""A file becomes a photo: checked, described, made fit for a recogniser, and small for people to look at."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.intake import conversion, exif, thumbnails
from chalicelib.intake.conversion import CONVERTED_SIDE, SHORTEST_SIDE, jpeg_of, picture_of, usable_as_it_is
from chalicelib.intake.exif import Exif
from chalicelib.intake.inspection import opened
from chalicelib.intake.thumbnails import thumbnail_of


@dataclass(frozen=True)
class Prepared:
    """A readable image: its type, its ``width`` and ``height`` in pixels once it stands upright.

    ``converted`` is a JPEG of it for recognisers; None where they can be given the file as it is, or, if it
    must be sent, ``plain``: the file without anything but the picture. ``preview`` says that the picture is
    the preview of a camera raw file; ``warnings`` what is missing from it. ``xmp`` is the packet inside.
    """

    content_type: str
    width: int
    height: int
    exif: Exif
    thumbnail: bytes
    converted: bytes | None
    plain: bytes | None = None
    preview: bool = False
    warnings: tuple[str, ...] = ()
    xmp: bytes = b""


def prepare(content: bytes, *, max_bytes: int, max_pixels: int) -> Prepared:
    """Read an image through and through, once.

    :raises UnusableImage: as :func:`~chalicelib.intake.inspection.opened` does.
    """
    with opened(content, max_bytes=max_bytes, max_pixels=max_pixels) as seen:
        source = seen.source
        noted = exif.noted(source.exif, source.xmp)
        turn = noted.orientation if source.orientation is None else source.orientation
        as_it_is = usable_as_it_is(source, content, turn)
        if as_it_is:
            picture = picture_of(source, turn, thumbnails.SIDE)
        else:
            picture = picture_of(source, turn, CONVERTED_SIDE, SHORTEST_SIDE)
        width, height = source.camera_size or source.size
    if turn in conversion.SIDEWAYS:
        width, height = height, width
    return Prepared(
        seen.format.content_type,
        width,
        height,
        noted,
        thumbnail_of(picture, source.profile),
        None if as_it_is else jpeg_of(picture),
        source.plain if as_it_is else None,
        source.preview,
        tuple(source.warnings),
        source.xmp,
    )
