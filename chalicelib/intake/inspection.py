"""Is this an image that a recogniser can be given? Told from the bytes alone, before anything is paid for.

No name and no header of an upload is believed. JPEG and PNG pass; other image formats are known by their
first bytes and refused by name, which is where their conversion belongs.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from chalicelib.errors import UnusableImage


@dataclass(frozen=True)
class Inspected:
    """A usable image: ``width`` and ``height`` in pixels once it stands upright.

    ``orientation`` is EXIF's (1–8): how the content must be turned to stand upright.
    """

    content_type: str
    width: int
    height: int
    orientation: int = 1


@dataclass(frozen=True)
class _Accepted:
    content_type: str
    read: Callable[[BytesIO], ImageFile]
    end: bytes


# Opened by their own classes: Image.open would try every plugin on hostile bytes, make an MPO of some
# JPEGs, and warn of or refuse sizes by a limit of its own.
_ACCEPTED: Mapping[str, _Accepted] = {
    "JPEG": _Accepted("image/jpeg", JpegImageFile, b"\xff\xd9"),
    "PNG": _Accepted("image/png", PngImageFile, b"IEND"),
}

# How each format begins; the heads of BMP and ICO are so short that some of what follows is looked at too.
_HEADS: Mapping[str, re.Pattern[bytes]] = {
    name: re.compile(head, re.DOTALL)
    for name, head in {
        "JPEG": rb"\xff\xd8\xff",
        "PNG": rb"\x89PNG\r\n\x1a\n",
        "WebP": rb"RIFF....WEBP",
        "GIF": rb"GIF8[79]a",
        "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00",
        "TIFF": rb"II[*+]\x00|MM\x00[*+]",
        "AVIF": rb"....ftypavi[fs]",
        "HEIC": rb"....ftyp(?:he[iv][cmsx]|mif1|msf1)",
        "JPEG 2000": rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        "JPEG XL": rb"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n",
        "ICO": rb"\x00\x00\x01\x00[\x01-\x40]\x00",
        "Photoshop": rb"8BPS\x00[\x01\x02]",
        "SVG": rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg\b",
    }.items()
}
_HEAD_BYTES = 1024
_TAIL_BYTES = 1024

# What Pillow's two readers raise on bad files, beyond the OSError that it documents.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error, zlib.error)

_ORIENTATION = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})


def inspect(content: bytes, *, max_bytes: int, max_pixels: int) -> Inspected:
    """Check an image through and through, at most ``max_bytes`` long and ``max_pixels`` large.

    The pixels are counted before they are decoded. A PNG is then decoded whole, at up to 4 bytes a pixel; a
    JPEG at an eighth of its size, which reads all of the file and takes next to no memory, or, where it is
    progressive, up to 3 bytes a pixel.

    :raises UnusableImage: with a sentence for whoever sent it and one of the codes ``empty``, ``too-large``,
        ``not-an-image``, ``unsupported-type``, ``too-many-pixels``, ``truncated``, ``corrupt``.
    """
    _check_size(content, max_bytes)
    accepted = _accepted(content)
    with _faults_named(content, accepted), accepted.read(BytesIO(content)) as image:
        width, height = image.size
        _check_pixels(width, height, max_pixels)
        image.draft(image.mode, (1, 1))
        image.load()
        orientation = _orientation(image.info.get("exif", b""))
    if orientation in _SIDEWAYS:
        width, height = height, width
    return Inspected(accepted.content_type, width, height, orientation)


def _check_size(content: bytes, max_bytes: int) -> None:
    if not content:
        raise UnusableImage("The file is empty. Upload the image again.", code="empty")
    if len(content) > max_bytes:
        raise UnusableImage(
            f"The file has {len(content):,} bytes; {max_bytes:,} are allowed. Send a smaller version.",
            code="too-large",
        )


def _accepted(content: bytes) -> _Accepted:
    name = _format(content[:_HEAD_BYTES])
    if name is None:
        raise UnusableImage("The file is not an image. Send a JPEG or PNG.", code="not-an-image")
    if name not in _ACCEPTED:
        raise UnusableImage(
            f"The file is a {name} image, which cannot be used. Send it as JPEG or PNG.",
            code="unsupported-type",
        )
    return _ACCEPTED[name]


def _format(head: bytes) -> str | None:
    return next((name for name, pattern in _HEADS.items() if pattern.match(head)), None)


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise UnusableImage(
            f"The image has {width:,} × {height:,} pixels; {max_pixels:,} in all are allowed. Scale it down.",
            code="too-many-pixels",
        )


@contextmanager
def _faults_named(content: bytes, accepted: _Accepted) -> Iterator[None]:
    """Raise :exc:`UnusableImage` for whatever Pillow raises: the file ends too soon, or is damaged inside."""
    try:
        yield
    except _UNREADABLE as error:
        if accepted.end not in content[-_TAIL_BYTES:]:
            raise UnusableImage(
                "The end of the image is missing. Upload it again, and wait until the upload is complete.",
                code="truncated",
            ) from error
        raise UnusableImage(
            "The image is damaged and cannot be read. Save it again in an image editor, then send it.",
            code="corrupt",
        ) from error


def _orientation(exif: bytes) -> int:
    """The orientation tag (EXIF 2.32, section 4.6.4) of the first directory; 1 where there is none.

    Damaged metadata is no reason to refuse a good picture, and Pillow's reader of it warns and raises.
    """
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2], "")
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
