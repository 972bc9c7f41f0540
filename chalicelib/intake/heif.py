"""HEIC and AVIF (ISO 23008-12): the primary picture, turned and cropped as the file says."""

from __future__ import annotations

import pkgutil
import struct
from io import BytesIO

from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile

from chalicelib.intake.isobmff import Items, items
from chalicelib.intake.undecoded_image import Size, UndecodedImage

# Bytes that the decoders take for each pixel (measured: tests/intake/test_memory.py).
BYTES_A_PIXEL = {"AVIF": 13.0, "RGB": 6.9, "RGBA": 11.5}


def read_heic(content: bytes) -> UndecodedImage:
    """A HEIC; libheif turns and crops it by itself.

    :raises ImportError: the deployment has no library that reads it.
    """
    reader = pkgutil.resolve_name("pi_heif:HeifImageFile")
    found = items(content)
    image: Image.Image = reader(BytesIO(_without_notes(content, found)))

    def decode(at_least: Size) -> Image.Image:
        image.load()
        return image

    return UndecodedImage(
        image.size,
        image.width * image.height * BYTES_A_PIXEL.get(image.mode, BYTES_A_PIXEL["RGBA"]),
        decode,
        exif=_exif(content, found),
        xmp=_xmp(content, found),
        profile=image.info.get("icc_profile") or b"",
        orientation=1,
    )


def read_avif(content: bytes) -> UndecodedImage:
    """An AVIF; of a sequence the still picture. Its own properties decide how it is turned, not its EXIF."""
    found = items(content)
    image = AvifImageFile(BytesIO(_without_notes(content, found)))
    noted = Image.Exif()
    noted.load(image.info.get("exif") or b"")  # Pillow makes it; it holds nothing but the orientation
    window = _window(content, found, image.size)

    def decode(at_least: Size) -> Image.Image:
        image.load()
        return image.crop(window) if window else image

    return UndecodedImage(
        (window[2] - window[0], window[3] - window[1]) if window else image.size,
        image.width * image.height * BYTES_A_PIXEL["AVIF"],
        decode,
        exif=_exif(content, found),
        xmp=_xmp(content, found),
        profile=image.info.get("icc_profile") or b"",
        orientation=noted.get(0x0112, 1),
    )


def is_whole(content: bytes) -> bool:
    """Whether the last of the boxes (ISO 14496-12, section 4.2) that make up the file ends inside it."""
    at = 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        if size < 8:  # 0: to the end of the file; anything else is no box
            return size == 0
        at += size
    return at == len(content)


def _without_notes(content: bytes, found: Items) -> bytes:
    """The file with its EXIF and XMP items given an unknown type, as damaged ones make readers fail."""
    notes = [found.kinds_at[item] for item, kind in found.kinds.items() if kind in (b"Exif", b"mime")]
    if not notes:
        return content
    changed = bytearray(content)
    for at in notes:
        changed[at : at + 4] = b"note"
    return bytes(changed)


def _exif(content: bytes, found: Items) -> bytes:
    for item, kind in found.kinds.items():
        if kind == b"Exif":
            block = found.bytes_of(content, item)
            start = int.from_bytes(block[:4], "big") + 4
            return block[start:]
    return b""


def _xmp(content: bytes, found: Items) -> bytes:
    for item, kind in found.mime.items():
        if kind == b"application/rdf+xml":
            return found.bytes_of(content, item)
    return b""


def _window(content: bytes, found: Items, size: Size) -> tuple[int, int, int, int] | None:
    """The part that ``clap`` leaves of the primary picture (ISO 14496-12, section 12.1.4.2)."""
    box = found.of(found.primary, b"clap")
    if box is None or box.end - box.start < 32:
        return None
    numbers = struct.unpack_from(">8i", content, box.start)
    if any(below <= 0 for below in numbers[1::2]):
        return None
    width, height, right, down = (
        above / below for above, below in zip(numbers[::2], numbers[1::2], strict=True)
    )
    left, top = round((size[0] - width) / 2 + right), round((size[1] - height) / 2 + down)
    window = (max(0, left), max(0, top), min(size[0], left + round(width)), min(size[1], top + round(height)))
    return window if window[0] < window[2] and window[1] < window[3] and window != (0, 0, *size) else None
