"""The kinds of image files there are: how each begins, who reads it, and whether its end is there."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL.ImageFile import ImageFile

_HEAD_BYTES = 1024
_TAIL_BYTES = 1024


@dataclass(frozen=True)
class Format:
    """A kind of file that can be read.

    ``reader`` names the class that reads it: images are opened by their own class, because ``Image.open``
    would try every plugin on hostile bytes, make an MPO of some JPEGs, and warn of sizes by a limit of its
    own. ``upright`` says that the reader itself turns pictures the way their metadata ask for.
    """

    name: str
    content_type: str
    reader: str
    is_whole: Callable[[bytes], bool]
    upright: bool = False

    def open(self, content: bytes) -> ImageFile:
        """The picture, its pixels not decoded yet. The reader is imported when it is first needed."""
        image: ImageFile = pkgutil.resolve_name(self.reader)(BytesIO(content))
        return image


def format_name(content: bytes) -> str | None:
    """What kind of image the first bytes promise, by the name people know; None for what is no image."""
    head = content[:_HEAD_BYTES]
    return next((name for name, pattern in _HEADS.items() if pattern.match(head)), None)


def _ends_with(mark: bytes) -> Callable[[bytes], bool]:
    return lambda content: mark in content[-_TAIL_BYTES:]


def _has_stated_length(at: int, *, more: int = 0) -> Callable[[bytes], bool]:
    """Whether the file is as long as the little-endian number at this place says."""
    return lambda content: len(content) >= int.from_bytes(content[at : at + 4], "little") + more


def _has_all_boxes(content: bytes) -> bool:
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


def _has_directory(content: bytes) -> bool:
    """Whether the first directory of a TIFF lies inside the file; most writers put it at the end."""
    order = "little" if content[:2] == b"II" else "big"
    return int.from_bytes(content[4:8], order) + 2 <= len(content)  # type: ignore[arg-type]  # one of two


FORMATS = {
    one.name: one
    for one in (
        Format("JPEG", "image/jpeg", "chalicelib.intake.jpeg:JpegReader", _ends_with(b"\xff\xd9")),
        Format("PNG", "image/png", "PIL.PngImagePlugin:PngImageFile", _ends_with(b"IEND")),
        Format("WebP", "image/webp", "PIL.WebPImagePlugin:WebPImageFile", _has_stated_length(4, more=8)),
        Format("GIF", "image/gif", "PIL.GifImagePlugin:GifImageFile", _ends_with(b"\x3b")),
        Format("BMP", "image/bmp", "PIL.BmpImagePlugin:BmpImageFile", _has_stated_length(2)),
        Format("TIFF", "image/tiff", "PIL.TiffImagePlugin:TiffImageFile", _has_directory, upright=True),
        Format("AVIF", "image/avif", "PIL.AvifImagePlugin:AvifImageFile", _has_all_boxes),
        Format("HEIC", "image/heic", "pillow_heif:HeifImageFile", _has_all_boxes, upright=True),
    )
}

# The heads of BMP and ICO are so short that some of what follows is looked at too; a file of the common
# brand "mif1" is what the brands that it lists besides say.
_HEADS = {
    name: re.compile(head, re.DOTALL)
    for name, head in {
        "JPEG": rb"\xff\xd8\xff",
        "PNG": rb"\x89PNG\r\n\x1a\n",
        "WebP": rb"RIFF....WEBP",
        "GIF": rb"GIF8[79]a",
        "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00",
        "TIFF": rb"II\*\x00|MM\x00\*",
        "AVIF": rb"....ftyp(?:avi[fs]|m[is]f1.{4}(?:.{4}){0,15}?avi[fs])",
        "HEIC": rb"....ftyp(?:he[iv][cmsx]|m[is]f1)",
        "BigTIFF": rb"II\+\x00|MM\x00\+",
        "JPEG 2000": rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        "JPEG XL": rb"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n",
        "ICO": rb"\x00\x00\x01\x00[\x01-\x40]\x00",
        "Photoshop": rb"8BPS\x00[\x01\x02]",
        "SVG": rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg\b",
    }.items()
}
