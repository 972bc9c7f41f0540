"""Is this an image, and one that can be read within bounds? Told before anything is paid for.

No name and no header of an upload is believed, only its bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from PIL.Image import DecompressionBombError
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from chalicelib.errors import UnusableImage
from chalicelib.intake import jpeg
from chalicelib.intake.formats import FORMATS, Format, format_name

READABLE = f"{', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]}"

# For the file and what is decoded of it. With the networks and AWS's clients, 150 MB, and 30 MB for scaling
# it makes less than 512 MB (measured: tests/intake/test_memory.py), and does for a phone's 48 MP of HEIC.
MEMORY_BYTES = 345_000_000
_LONGEST_SIDE = 100_000  # pixels; one row is then a small part of that

# Bytes that a reader takes for each pixel where that is more than the picture itself (measured likewise):
# of a kind of file, or of a kind and a mode.
BYTES_A_PIXEL = {"WebP": 16.5, "AVIF": 13.0, "HEIC": 6.9, ("HEIC", "RGBA"): 11.5}
_TIFF_COPIES = 3  # a strip that holds the whole picture, the picture, and the same turned upright
_BYTES_OF_MODE = {"1": 1.0, "L": 1.0, "P": 1.0, "I;16": 2.3, "I;16B": 2.3, "I;16L": 2.3}
_BYTES_OF_OTHERS = 4.0

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
class Opened:
    """An image whose head has been read and whose pixels may now be decoded."""

    format: Format
    content: bytes
    image: ImageFile


@contextmanager
def opened(content: bytes, *, max_bytes: int, max_pixels: int) -> Iterator[Opened]:
    """Open an image of at most ``max_bytes`` and ``max_pixels``; the pixels are counted, not decoded.

    Whatever fails inside the ``with`` block, where they are decoded, is the file's fault and named as such.

    :raises UnusableImage: with a sentence for whoever sent it and one of the codes ``empty``, ``too-large``,
        ``not-an-image``, ``unsupported-type``, ``too-many-pixels``, ``truncated``, ``corrupt``.
    """
    _check_size(content, max_bytes)
    kind = _readable(content)
    with _faults_named(content, kind), kind.open(content) as image:
        seen = Opened(kind, content, image)
        _check_pixels(seen, max_pixels)
        yield seen


def _check_size(content: bytes, max_bytes: int) -> None:
    if not content:
        raise UnusableImage("The file is empty. Upload the image again.", code="empty")
    check_bytes(len(content), max_bytes)


def check_bytes(size: int, max_bytes: int) -> None:
    """:raises UnusableImage: (``too-large``) a file of ``size`` bytes is not even read."""
    if size > max_bytes:
        raise UnusableImage(
            f"The file has {size:,} bytes; {max_bytes:,} are allowed. Send a smaller version.",
            code="too-large",
        )


def _readable(content: bytes) -> Format:
    name = format_name(content)
    if name is None:
        raise UnusableImage(f"The file is not an image. Send {READABLE}.", code="not-an-image")
    if name not in FORMATS:
        raise _unsupported(name)
    return FORMATS[name]


def _unsupported(name: str) -> UnusableImage:
    return UnusableImage(
        f"The file is a {name} image, which cannot be read. Send it as {READABLE}.", code="unsupported-type"
    )


def _check_pixels(seen: Opened, max_pixels: int) -> None:
    width, height = seen.image.size
    pixels = width * height
    if not pixels:
        raise ValueError("no pixels")
    room = MEMORY_BYTES - len(seen.content)
    most = max(0, min(max_pixels, int(room / max(1.0, _bytes_a_pixel(seen)))))
    if pixels > most:
        raise UnusableImage(
            f"The image has {width:,} × {height:,} pixels; {most:,} in all are allowed in a file of "
            f"its kind, {seen.format.name}. Scale it down.",
            code="too-many-pixels",
        )
    if max(width, height) > _LONGEST_SIDE:
        raise UnusableImage(
            f"The image is {max(width, height):,} pixels long; {_LONGEST_SIDE:,} are allowed. Scale it down.",
            code="too-many-pixels",
        )


def _bytes_a_pixel(seen: Opened) -> float:
    """The memory that decoding takes. A JPEG is decoded scaled down, so that only its coefficients count."""
    if seen.format.name == "JPEG":
        width, height = seen.image.size
        return jpeg.coefficient_bytes(cast(JpegImageFile, seen.image), seen.content) / (width * height)
    kind, mode = seen.format.name, seen.image.mode
    own = _BYTES_OF_MODE.get(mode, _BYTES_OF_OTHERS) * (_TIFF_COPIES if kind == "TIFF" else 1)
    return BYTES_A_PIXEL.get((kind, mode), BYTES_A_PIXEL.get(kind, own))


@contextmanager
def _faults_named(content: bytes, kind: Format) -> Iterator[None]:
    """Raise :exc:`UnusableImage` for whatever a reader raises: the file ends too soon, or is damaged."""
    try:
        yield
    except ImportError as error:  # a deployment may leave out what reads HEIC
        raise _unsupported(kind.name) from error
    except _UNREADABLE as error:
        if not kind.is_whole(content):
            raise UnusableImage(
                "The end of the image is missing. Upload it again, and wait until the upload is complete.",
                code="truncated",
            ) from error
        raise UnusableImage(
            "The image is damaged and cannot be read. Save it again in an image editor, then send it.",
            code="corrupt",
        ) from error
