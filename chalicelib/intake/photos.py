"""A file becomes a photo: checked within bounds, read, made fit for a recogniser, and small for people.

This is done before anything is paid for. No name and no header of an upload is believed, only its bytes.
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
_LONGEST_SIDE = 100_000  # pixels; one row is then a small part of that
Image.MAX_IMAGE_PIXELS = None  # Pillow would warn by a limit of its own; here they are counted beforehand

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
    """An image whose head has been read and whose pixels may now be decoded."""

    format: Format
    source: UndecodedImage


@contextmanager
def opened(content: bytes, *, max_bytes: int, max_pixels: int) -> Iterator[Opened]:
    """Open an image of at most ``max_bytes`` and ``max_pixels``; the pixels are counted, not decoded.

    Whatever fails inside the ``with`` block, where they are decoded, is the file's fault and named as such.

    :raises UnusableImage: with a sentence for whoever sent it and one of the codes ``empty``, ``too-large``,
        ``not-an-image``, ``unsupported-type``, ``too-many-pixels``, ``truncated``, ``corrupt``.
    """
    _check_size(content, max_bytes)
    kind = _readable(content)
    with _faults_named(content, kind):
        source = kind.read(content)
        _check_pixels(kind, source, len(content), max_pixels)
        yield Opened(kind, source)


def _check_size(content: bytes, max_bytes: int) -> None:
    if not content:
        raise UnusableImage("The file is empty. Upload the image again.", code="empty")
    check_bytes(len(content), max_bytes)


def check_bytes(size: int, max_bytes: int) -> None:
    """:raises UnusableImage: (``too-large``) a file of ``size`` bytes is not even read."""
    if size > max_bytes:
        raise UnusableImage(
            f"The file has {size:,} bytes; {max_bytes:,} are allowed. Send a smaller version.",
            code=TOO_LARGE,
        )


def _readable(content: bytes) -> Format:
    name = format_name(content)
    if name is not None:
        return FORMATS[name]
    other = other_name(content)
    if other is None:
        raise UnusableImage(f"The file is not an image. Send {READABLE}.", code="not-an-image")
    raise _unsupported(other)


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
    """Raise :exc:`UnusableImage` for whatever a reader raises: the file ends too soon, or is damaged."""
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
