"""Makes a photo of a file: checks it, reads it, converts it for recognisers, and makes its thumbnail.

This happens before anything is paid for. No name and no header of an upload is trusted, only its bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image
from PIL.Image import DecompressionBombError

from chalicelib.errors import TOO_LARGE, UnusableImage
from chalicelib.intake import metadata
from chalicelib.intake.conversion import (
    CONVERTED_SIDE,
    SHORTEST_SIDE,
    SIDEWAYS,
    THUMBNAIL_SIDE,
    jpeg_of,
    picture_of,
    thumbnail_of,
    usable_as_it_is,
)
from chalicelib.intake.formats import FORMATS, READABLE, Format, format_name, other_name
from chalicelib.intake.metadata import Exif
from chalicelib.intake.undecoded_image import Truncated, UndecodedImage, Unsupported

MEMORY_BYTES = 880_000_000  # for the file and what is decoded of it (measured: tests/intake/test_memory.py)
_LONGEST_SIDE = 100_000  # pixels; one row is then a small part of that memory
Image.MAX_IMAGE_PIXELS = None  # Pillow would warn by its own limit; here pixels are counted beforehand

# What Pillow's readers and libheif's raise on bad files, beyond the OSError that is documented.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    DecompressionBombError,
)


@dataclass(frozen=True)
class Prepared:
    """A readable image: its type, and its ``width`` and ``height`` in pixels when upright.

    ``converted`` is a JPEG of it for recognisers; None where they take the file as it is or, if bytes must be
    sent, ``plain``: the file with nothing but the picture. ``preview`` says that the picture is the preview
    of a camera raw file, ``warnings`` what is missing from it. ``xmp`` is the XMP packet in the file.
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

    :raises UnusableImage: as :func:`opened` does.
    """
    with opened(content, max_bytes=max_bytes, max_pixels=max_pixels) as seen:
        source = seen.source
        noted = metadata.completed(metadata.read(source.exif), source.xmp)
        turn = noted.orientation if source.orientation is None else source.orientation
        as_it_is = usable_as_it_is(source, content, turn)
        if as_it_is:
            picture = picture_of(source, turn, THUMBNAIL_SIDE)
        else:
            picture = picture_of(source, turn, CONVERTED_SIDE, SHORTEST_SIDE)
        width, height = source.camera_size or source.size
    if turn in SIDEWAYS:
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


@dataclass(frozen=True)
class Opened:
    """An image whose header has been read and whose pixels may now be decoded."""

    format: Format
    source: UndecodedImage


@contextmanager
def opened(content: bytes, *, max_bytes: int, max_pixels: int) -> Iterator[Opened]:
    """Open an image of at most ``max_bytes`` and ``max_pixels``; its pixels are counted, not decoded.

    The caller decodes them inside the ``with`` block; any error there is reported as a fault of the file.

    :raises UnusableImage: with a sentence for the sender and one of the codes ``empty``, ``too-large``,
        ``not-an-image``, ``unsupported-type``, ``too-many-pixels``, ``truncated``, ``corrupt``.
    """
    if not content:
        raise UnusableImage("The file is empty. Upload the image again.", code="empty")
    check_bytes(len(content), max_bytes)
    name = format_name(content)
    if name is None:
        other = other_name(content)
        if other is None:
            raise UnusableImage(f"The file is not an image. Send {READABLE}.", code="not-an-image")
        raise _unsupported(other)
    kind = FORMATS[name]
    with _faults_named(content, kind):
        source = kind.read(content)
        _check_pixels(kind, source, len(content), max_pixels)
        yield Opened(kind, source)


def check_bytes(size: int, max_bytes: int) -> None:
    """:raises UnusableImage: (``too-large``) a file of ``size`` bytes is not even read."""
    if size > max_bytes:
        raise UnusableImage(
            f"The file has {size:,} bytes; {max_bytes:,} are allowed. Send a smaller version.",
            code=TOO_LARGE,
        )


def _unsupported(what: str) -> UnusableImage:
    return UnusableImage(
        f"The file is {what}, which cannot be read. Send it as {READABLE}.", code="unsupported-type"
    )


def _check_pixels(kind: Format, source: UndecodedImage, size: int, max_pixels: int) -> None:
    width, height = source.size
    pixels = width * height
    if width <= 0 or height <= 0:
        raise ValueError("no pixels")
    room = max(0, MEMORY_BYTES - size)
    most = min(max_pixels, int(room * pixels / max(1.0, source.memory, pixels)))
    if pixels > most:
        raise UnusableImage(
            f"The image has {width:,} × {height:,} pixels; {most:,} in all are allowed in a file of "
            f"its kind, {kind.name}. Scale it down.",
            code="too-many-pixels",
        )
    if max(width, height) > _LONGEST_SIDE:
        raise UnusableImage(
            f"The image is {max(width, height):,} pixels long; {_LONGEST_SIDE:,} are allowed. Scale it down.",
            code="too-many-pixels",
        )


@contextmanager
def _faults_named(content: bytes, kind: Format) -> Iterator[None]:
    """Turn whatever a reader raises into :exc:`UnusableImage`: the file ends too soon, or is damaged."""
    try:
        yield
    except ImportError as error:  # a deployment may leave out what reads HEIC
        raise _unsupported(f"a {kind.name} image") from error
    except Unsupported as error:
        raise _unsupported(error.what) from error
    except _UNREADABLE as error:
        if isinstance(error, Truncated) or not kind.is_whole(content):
            raise UnusableImage(
                "The end of the image is missing. Upload it again, and wait until the upload is complete.",
                code="truncated",
            ) from error
        raise UnusableImage(
            "The image is damaged and cannot be read. Save it again in an image editor, then send it.",
            code="corrupt",
        ) from error
