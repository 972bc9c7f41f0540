"""The formats of image files: how each begins, and which module reads it."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.intake import raw
from chalicelib.intake.tiff_tags import Tags
from chalicelib.intake.undecoded_image import UndecodedImage

_HEAD_BYTES = 1024


@dataclass(frozen=True)
class Format:
    """A format that can be read.

    ``reader`` and ``whole`` name functions of a module that is imported when it is first needed. ``whole``
    says whether the end of a file is there; it is asked only where reading failed.
    """

    name: str
    content_type: str
    reader: str
    whole: str = ""

    @property
    def read(self) -> Callable[[bytes], UndecodedImage]:
        """What makes an image of a file's content, its pixels not decoded yet."""
        read: Callable[[bytes], UndecodedImage] = pkgutil.resolve_name(f"chalicelib.intake.{self.reader}")
        return read

    def is_whole(self, content: bytes) -> bool:
        """Whether the end of the file is there."""
        if not self.whole:
            return True  # the reader itself tells
        ask: Callable[[bytes], bool] = pkgutil.resolve_name(f"chalicelib.intake.{self.whole}")
        return ask(content)


FORMATS = {
    one.name: one
    for one in (
        Format("JPEG", "image/jpeg", "jpeg:read", "jpeg:is_whole"),
        Format("PNG", "image/png", "png:read", "png:is_whole"),
        Format("WebP", "image/webp", "webp:read", "webp:is_whole"),
        Format("GIF", "image/gif", "gif:read", "gif:is_whole"),
        Format("BMP", "image/bmp", "bmp:read"),
        Format("TIFF", "image/tiff", "tiff:read", "tiff:is_whole"),
        Format("AVIF", "image/avif", "heif:read_avif", "heif:is_whole"),
        Format("HEIC", "image/heic", "heif:read_heic", "heif:is_whole"),
        Format("JPEG 2000", "image/jp2", "jp2:read", "jp2:is_whole"),
        Format("camera raw", "image/x-dcraw", "raw:read"),
    )
}
_TO_SEND = [name for name in FORMATS if name != "camera raw"]
READABLE = f"{', '.join(_TO_SEND[:-1])} or {_TO_SEND[-1]}"

_PROLOGUE = rb"(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)"
# Brands of ISO 14496-12 and QuickTime.
_VIDEO = rb"(?:mp4[12v]|isom|iso[2-9a]|avc1|M4[VAP] |qt  |3g[ep2]|dash|mmp4|MSNV|f4v |XAVC)"

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
        "TIFF": rb"II[*+]\x00|MM\x00[*+]",
        "AVIF": rb"....ftyp(?:avi[fs]|m[is]f1.{4}(?:.{4}){0,15}?avi[fs])",
        "HEIC": rb"....ftyp(?:he[iv][cmsx]|m[is]f1)",
        "JPEG 2000": rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        "camera raw": rb"FUJIFILMCCD-RAW |....ftypcrx |II(?:RO|RS|U\x00)|MMOR",
    }.items()
}

# Formats that are known but not read, by the name that people know, with its article.
_OTHERS = {
    name: re.compile(head, re.DOTALL)
    for name, head in {
        "a JPEG XL image": rb"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n",
        "a camera raw file": rb"FOVb|\x00MRM|II\x1a\x00\x00\x00HEAPCCDR|IIII[\x01-\xff]",
        "a JPEG XR image": rb"II\xbc",
        "an ICO image": rb"\x00\x00\x01\x00[\x01-\x40]\x00",
        "a Photoshop document": rb"8BPS\x00[\x01\x02]",
        "an SVG drawing": rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?" + _PROLOGUE + rb"*<svg\b",
        "a PDF document": rb"(?:\xef\xbb\xbf)?\s{0,16}%PDF-",
        "a PostScript document": rb"%!PS|\xc5\xd0\xd3\xc6",
        "a video": rb"....(?:ftyp"
        + _VIDEO
        + rb"|moov|mdat|wide....mdat)|\x1a\x45\xdf\xa3|RIFF....AVI |\x00\x00\x01\xba",
        "an OpenEXR image": rb"\x76\x2f\x31\x01",
        "a Radiance HDR image": rb"#\?(?:RADIANCE|RGBE)",
        "a Netpbm image": rb"P[1-7][\s#]",
        "a DDS texture": rb"DDS \x7c\x00\x00\x00",
        "a GIMP document": rb"gimp xcf ",
        "a FITS image": rb"SIMPLE  =",
        "an Apple icon": rb"icns....",
        "a DjVu document": rb"AT&TFORM....DJV",
        "a QOI image": rb"qoif",
        "a MNG animation": rb"\x8a[MJ]NG\r\n\x1a\n|\x8bJNG\r\n\x1a\n",
        "a Windows metafile": rb"\xd7\xcd\xc6\x9a|\x01\x00\x00\x00.{36} EMF",
    }.items()
}


def format_name(content: bytes) -> str | None:
    """The name of the format in :data:`FORMATS` that the first bytes show; None for none of them."""
    head = content[:_HEAD_BYTES]
    found = next((name for name, pattern in _HEADS.items() if pattern.match(head)), None)
    if found == "TIFF" and raw.is_raw(Tags.of(content)):
        return "camera raw"
    return found


def other_name(content: bytes) -> str | None:
    """The name of another format that the first bytes show, with its article; None for no known one."""
    head = content[:_HEAD_BYTES]
    return next((name for name, pattern in _OTHERS.items() if pattern.match(head)), None)
