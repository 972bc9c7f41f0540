"""WebP (RFC 9649): the picture, without chunks of metadata."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from chalicelib.intake.undecoded_image import Size, Truncated, UndecodedImage

BYTES_A_PIXEL = 16.5  # measured: tests/intake/test_memory.py
_PICTURE = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
_NOTED = 0x20 | 0x08 | 0x04  # the flags that announce a profile, EXIF and XMP


def read(content: bytes) -> UndecodedImage:
    """A WebP, not decoded yet; of an animation the first frame."""
    notes: dict[bytes, bytes] = {}
    image = WebPImageFile(BytesIO(_picture_of(content, notes)))

    def decode(at_least: Size) -> Image.Image:
        image.load()
        return image

    return UndecodedImage(
        image.size,
        image.width * image.height * BYTES_A_PIXEL,
        decode,
        exif=notes.get(b"EXIF", b""),
        xmp=notes.get(b"XMP ", b""),
        profile=notes.get(b"ICCP", b""),
    )


def is_whole(content: bytes) -> bool:
    """Whether the file is as long as it says."""
    return len(content) >= int.from_bytes(content[4:8], "little") + 8


def _picture_of(content: bytes, notes: dict[bytes, bytes]) -> bytes:
    """The file with nothing but the picture's chunks; the others go into ``notes``."""
    view, end = memoryview(content), int.from_bytes(content[4:8], "little") + 8
    if len(content) < end:
        raise Truncated("the file is shorter than it says")
    kept: list[bytes | memoryview] = []
    at = 12
    while at + 8 <= end:
        kind, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        whole = view[at : at + 8 + size + size % 2]
        if kind == b"VP8X" and size >= 10:
            kept += [view[at : at + 8], bytes([content[at + 8] & ~_NOTED]), whole[9:]]
        elif kind in _PICTURE:
            kept.append(whole)
        else:
            notes.setdefault(kind, bytes(view[at + 8 : min(at + 8 + size, end)]))
        at += len(whole) or 8
    body = b"".join((b"WEBP", *kept))
    return b"RIFF" + len(body).to_bytes(4, "little") + body
