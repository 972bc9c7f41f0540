"""PNG (third edition, and its extensions): the chunks of the picture itself, and what the others say of it.

The decoder gets the critical chunks only, so no ancillary chunk can make a photo fail. The transparent colour
(``tRNS``) is applied here, because Pillow compares it with samples of another depth.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngImageFile

from chalicelib.intake.undecoded_image import MOSTLY, TRUNCATED, Size, Truncated, UndecodedImage

_SIGNATURE = 8
_MOST_TEXT = 16 << 20  # bytes of a note, unpacked; a photo's are a few thousand
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_XMP = b"XML:com.adobe.xmp"
_RAW_EXIF = re.compile(rb"Raw profile type (?:exif|APP1)", re.I)
# Adam7 (section 8.1): where each pass begins and how far apart its pixels are.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass
class Chunks:
    """The chunks of a PNG: the picture's ``own`` as they stand, and the content of others that is used."""

    header: bytes = b""
    own: list[memoryview] = field(default_factory=list)
    data: list[memoryview] = field(default_factory=list)
    clear: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    ended: bool = False
    dropped: bool = False


def read(content: bytes) -> UndecodedImage:
    """A PNG, not decoded yet; of an animation the still picture."""
    found = parsed(content)
    if len(found.header) < 13:
        raise Truncated("no header")
    width, height, depth, kind = struct.unpack_from(">IIBB", found.header)
    plain = b"".join((content[:_SIGNATURE], *found.own)) if found.dropped or not found.ended else content
    picture = _Picture(found, plain, depth, kind)
    grey16 = (kind, depth) == (0, 16)
    bytes_a_pixel = 2.3 if grey16 else 1 if kind in (0, 3) else 4
    clear = found.clear and kind != 3
    return UndecodedImage(
        (width, height),
        width * height * (bytes_a_pixel + (6 if clear else 0)) + (0 if plain is content else len(plain)),
        picture.decode,
        exif=found.exif,
        xmp=found.xmp,
        profile=found.profile,
        plain=plain if found.ended and kind in (0, 2) and 1 < depth <= 8 and not found.clear else None,
        warnings=picture.warnings,
    )


def parsed(content: bytes) -> Chunks:
    """The chunks up to the end of the picture, or as far as they go."""
    found, view = Chunks(), memoryview(content)
    at = kept = _SIGNATURE
    while at + 8 <= len(content):
        size, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        body, end = view[at + 8 : at + 8 + size], at + 12 + size
        if kind == b"IHDR" and not found.header:
            found.header = bytes(body)
        if kind == b"IDAT":
            found.data.append(body)
        if kind not in _CRITICAL and not (kind == b"tRNS" and _is_palette(found)):
            _noted(found, kind, body)
            found.own.append(view[kept:at])
            kept, found.dropped = min(end, len(content)), True
        at = end
        if kind == b"IEND" and at <= len(content):
            found.ended = True
            break
    found.own.append(view[kept : min(at, len(content))])
    found.dropped |= at < len(content)
    return found


def is_whole(content: bytes) -> bool:
    """Whether the chunk is there that marks the end."""
    return parsed(content).ended


def _is_palette(found: Chunks) -> bool:
    return found.header[9:10] == b"\x03"


def _noted(found: Chunks, kind: bytes, body: memoryview) -> None:
    if kind == b"eXIf":
        found.exif = bytes(body)
    elif kind == b"iCCP":
        found.profile = found.profile or _inflated(bytes(body).partition(b"\x00")[2][1:])
    elif kind == b"tRNS":
        found.clear = found.clear or bytes(body[:6])
    elif kind in (b"tEXt", b"zTXt", b"iTXt"):
        name = bytes(body[:80]).partition(b"\x00")[0]
        if name == _XMP:
            found.xmp = found.xmp or _text(kind, bytes(body))
        elif _RAW_EXIF.fullmatch(name):
            found.exif = found.exif or _raw_profile(_text(kind, bytes(body)))


def _text(kind: bytes, body: bytes) -> bytes:
    rest = body.partition(b"\x00")[2]
    if kind == b"tEXt":
        return rest[:_MOST_TEXT]
    if kind == b"zTXt":
        return _inflated(rest[1:])
    packed, rest = rest[:1] == b"\x01", rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
    return _inflated(rest) if packed else rest[:_MOST_TEXT]


def _inflated(packed: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, _MOST_TEXT)
    except zlib.error:
        return b""
    return text if not unpacker.unconsumed_tail else b""


def _raw_profile(text: bytes) -> bytes:
    """EXIF as ImageMagick writes it into a text chunk: a kind, a length, and hexadecimal digits."""
    digits = re.match(rb"\s*\w+\s+\d+\s+([0-9a-fA-F\s]*)", text[: 1 << 20])
    if digits is None:
        return b""
    plain = re.sub(rb"\s", b"", digits[1])
    return bytes.fromhex(plain[: len(plain) // 2 * 2].decode("ascii"))


class _Picture:
    """The pixels of a PNG, and opacity where there is any."""

    def __init__(self, found: Chunks, plain: bytes, depth: int, kind: int) -> None:
        self._found, self._plain, self._depth, self._kind = found, plain, depth, kind
        self.warnings: list[str] = []

    def decode(self, at_least: Size) -> Image.Image:
        picture = self._decoded()
        if not self._found.clear or self._kind not in (0, 2):
            return picture
        clear = self._clear_places(picture)
        if clear is None:
            return picture
        grey = picture.mode.startswith("I")
        shown = sixteen_in_eight(picture).convert("RGB") if grey else picture.convert("RGB")
        shown.putalpha(ImageChops.invert(clear))
        return shown

    def _clear_places(self, picture: Image.Image) -> Image.Image | None:
        """White where a pixel has the transparent colour, compared at the file's own depth."""
        count = _CHANNELS[self._kind]
        if len(self._found.clear) < 2 * count:
            return None
        colour = struct.unpack_from(f">{count}H", self._found.clear)
        if self._depth == 16 and count == 1:
            return _equal_sixteen(picture, colour[0])
        if self._depth == 16:
            high = _equal(picture, [one >> 8 for one in colour])
            return ImageChops.darker(high, _equal(self._decoded("RGB;16L"), [one & 255 for one in colour]))
        most = (1 << self._depth) - 1
        return _equal(picture.convert("L") if count == 1 else picture, [one * 255 // most for one in colour])

    def _decoded(self, rawmode: str | None = None) -> Image.Image:
        if self._found.ended or rawmode:
            with BytesIO(self._plain) as stream:
                return _loaded(PngImageFile(stream), rawmode)
        if _share_of_rows(self._found) < MOSTLY:
            raise Truncated("most rows are missing")
        if TRUNCATED not in self.warnings:
            self.warnings.append(TRUNCATED)
        return self._completed()

    def _completed(self) -> Image.Image:
        """The rows that are there; what is missing is black."""
        with BytesIO(self._plain + _chunk(b"IEND", b"")) as stream:
            image = PngImageFile(stream)
            try:
                image.load()
            except OSError:  # the decoder has written the rows that it got
                image.tile = []
            image.load()
            return image


def _loaded(image: PngImageFile, rawmode: str | None) -> Image.Image:
    if rawmode:
        [tile] = image.tile
        image.tile = [tile._replace(args=rawmode)]
    image.load()
    return image


def _share_of_rows(found: Chunks) -> float:
    """The share of rows that the data reach to, counted by unpacking them piece by piece."""
    width, height, depth, kind, interlaced = _numbers(found)
    missing = _missing_bytes(found, _size(width, height, depth, kind, interlaced))
    if not interlaced:
        return 1 - -(-missing // (_row(width, depth, kind) + 1)) / max(1, height)
    for left, top, across, down in reversed(_PASSES):
        rows, row = -(-(height - top) // down), _row(-(-(width - left) // across), depth, kind) + 1
        if missing < rows * row:
            return 1 - -(-missing // row) / max(1, rows)
        missing -= rows * row
        if missing > 0:
            return 0.0
    return 1.0


def _numbers(found: Chunks) -> tuple[int, int, int, int, int]:
    width, height, depth, kind, _, _, interlaced = struct.unpack_from(">IIBBBBB", found.header)
    return width, height, depth, kind, interlaced


def _missing_bytes(found: Chunks, size: int) -> int:
    unpacker, there = zlib.decompressobj(), 0
    for part in found.data:
        rest = bytes(part)
        while rest and not unpacker.eof and there < size:
            try:
                there += len(unpacker.decompress(rest, 1 << 20))
            except zlib.error:
                return max(0, size - there)
            rest = unpacker.unconsumed_tail
    return max(0, size - there)


def _size(width: int, height: int, depth: int, kind: int, interlaced: int) -> int:
    if not interlaced:
        return height * (_row(width, depth, kind) + 1)
    return sum(
        -(-(height - top) // down) * (_row(-(-(width - left) // across), depth, kind) + 1)
        for left, top, across, down in _PASSES
        if width > left and height > top
    )


def _row(width: int, depth: int, kind: int) -> int:
    return (width * depth * _CHANNELS.get(kind, 1) + 7) // 8


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _equal(picture: Image.Image, colour: list[int]) -> Image.Image:
    """White where every band has the value that is asked for."""
    bands = picture.split()
    masks = [
        band.point([255 if value == wanted else 0 for value in range(256)])
        for band, wanted in zip(bands, colour, strict=False)
    ]
    found = masks[0]
    for mask in masks[1:]:
        found = ImageChops.darker(found, mask)
    return found


def _equal_sixteen(picture: Image.Image, wanted: int) -> Image.Image:
    table = [0] * 65_536
    table[wanted] = 255
    return picture.convert("I").point(table, "L")


_IN_EIGHT = [(value * 255 + 32_767) // 65_535 for value in range(65_536)]


def sixteen_in_eight(picture: Image.Image) -> Image.Image:
    """Greys of 16 bits in 8: scaled, where Pillow would clip."""
    return picture.convert("I").point(_IN_EIGHT, "L")
