"""BMP ("Bitmap Storage", Windows GDI).

It is decoded here, because Pillow's reader decodes some run-lengths and some grey palettes wrongly.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from chalicelib.intake.undecoded_image import Size, Truncated, UndecodedImage, Unsupported

_FILE_HEADER = 14
_CORE = 12  # the header of OS/2 and Windows 2
_PLAIN, _RLE8, _RLE4, _FIELDS, _JPEG, _PNG, _FIELDS_AND_ALPHA = 0, 1, 2, 3, 4, 5, 6
_NAMES = {_JPEG: "a JPEG inside", _PNG: "a PNG inside"}
_OS2 = 64
_DEFAULT_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_INDEXED = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    bits: int
    compression: int
    upside_down: bool  # the first row stands at the bottom, as is usual
    masks: tuple[int, ...]
    palette: bytes
    colours: int
    start: int


def read(content: bytes) -> UndecodedImage:
    """A BMP, of which nothing has been decoded."""
    head = _header(content)
    _check(head)
    indexed = head.bits <= 8
    packed = head.compression in (_RLE4, _RLE8)
    copies = 2 if packed else 1
    bytes_a_pixel = copies if indexed else 4 if head.bits == 24 else 4 + 4 + 4 * (head.bits == 32)
    return UndecodedImage(
        (head.width, head.height),
        head.width * head.height * bytes_a_pixel,
        lambda at_least: _decoded(content, head),
    )


def _header(content: bytes) -> _Header:
    size = int.from_bytes(content[14:18], "little")
    start = int.from_bytes(content[10:14], "little")
    if len(content) < _FILE_HEADER + size:
        raise Truncated("the header ends too early")
    if size == _CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
        compression, used = _PLAIN, 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", content, 18)
        (used,) = struct.unpack_from("<I", content, 46) if size >= 36 else (0,)
    if size == _OS2 and compression in (_FIELDS, _JPEG):
        raise Unsupported("a BMP image of OS/2 with Huffman codes or run-lengths of 24 bits")
    masks_at = _FILE_HEADER + 40
    masks = _masks(content, size, bits, compression)
    palette_at = _FILE_HEADER + size
    if size == 40 and compression in (_FIELDS, _FIELDS_AND_ALPHA):
        palette_at = masks_at + (16 if compression == _FIELDS_AND_ALPHA else 12)
    each = 3 if size == _CORE else 4
    colours = min(used or 1 << min(bits, 8), 256) if bits <= 8 else 0
    palette = content[palette_at : min(palette_at + each * colours, max(start, palette_at))]
    rgb = b"".join(palette[at : at + 3][::-1] for at in range(0, len(palette) // each * each, each))
    return _Header(width, abs(height), bits, compression, height > 0, masks, rgb, len(rgb) // 3, start)


def _masks(content: bytes, size: int, bits: int, compression: int) -> tuple[int, ...]:
    if compression not in (_FIELDS, _FIELDS_AND_ALPHA):
        return _DEFAULT_MASKS.get(bits, (0, 0, 0, 0))
    count = 4 if size >= 56 or compression == _FIELDS_AND_ALPHA else 3
    if len(content) < _FILE_HEADER + 40 + 4 * count:
        raise Truncated("the masks end too early")
    found = struct.unpack_from(f"<{count}I", content, _FILE_HEADER + 40)
    return (*found, 0)[:4] if any(found) else _DEFAULT_MASKS.get(bits, (0, 0, 0, 0))


def _check(head: _Header) -> None:
    if head.width <= 0 or head.height <= 0:
        raise ValueError("no pixels")
    if head.compression in _NAMES:
        raise Unsupported(f"a BMP image with {_NAMES[head.compression]}")
    if head.compression > _FIELDS_AND_ALPHA:
        raise Unsupported(f"a BMP image with compression of number {head.compression}")
    wanted = {_RLE8: (8,), _RLE4: (4,), _FIELDS: (16, 32), _FIELDS_AND_ALPHA: (16, 32)}
    if head.bits not in wanted.get(head.compression, (1, 2, 4, 8, 16, 24, 32)):
        raise ValueError("no such depth")
    if head.bits <= 8 and not head.colours:
        raise ValueError("no palette")
    if head.bits == 32 and any(_byte_of(mask) is None for mask in head.masks if mask):
        raise Unsupported("a BMP image with bit fields that are no bytes")


def _decoded(content: bytes, head: _Header) -> Image.Image:
    size = (head.width, head.height)
    if head.compression in (_RLE8, _RLE4):
        rows = _unpacked(content, head)
        picture = Image.frombytes("P", size, rows, "raw", "P", 0, -1 if head.upside_down else 1)
        return _with_palette(picture, head)
    stride = (head.width * head.bits + 31) // 32 * 4
    data = content[head.start : head.start + stride * head.height]
    if len(data) < stride * (head.height - 1) + (head.width * head.bits + 7) // 8:
        raise Truncated("the rows end too early")
    data = data.ljust(stride * head.height, b"\0")
    direction = -1 if head.upside_down else 1
    if head.bits <= 8:
        picture = Image.frombytes("P", size, data, "raw", _INDEXED[head.bits], stride, direction)
        return _with_palette(picture, head)
    if head.bits == 24:
        return Image.frombytes("RGB", size, data, "raw", "BGR", stride, direction)
    if head.bits == 16:
        return _from_fields(Image.frombytes("I;16", size, data, "raw", "I;16", stride, direction), head.masks)
    pixels = Image.frombytes("RGBX", size, data, "raw", "RGBX", stride, direction).split()
    return _joined([pixels[_byte_of(mask) or 0] if mask else None for mask in head.masks], size)


def _with_palette(picture: Image.Image, head: _Header) -> Image.Image:
    picture.putpalette(head.palette)
    return picture


def _byte_of(mask: int) -> int | None:
    """Which byte of a pixel a mask is, None if it is no whole one."""
    return {0xFF << 8 * number: number for number in range(4)}.get(mask)


def _from_fields(picture: Image.Image, masks: Sequence[int]) -> Image.Image:
    numbers = picture.convert("I")
    return _joined([numbers.point(_table(mask), "L") if mask else None for mask in masks], picture.size)


def _table(mask: int) -> list[int]:
    """What each number of 16 bits is in 8, by one of its fields."""
    low = (mask & -mask).bit_length() - 1
    most = mask >> low
    return [((value & mask) >> low) * 255 // most for value in range(65_536)]


def _joined(bands: list[Image.Image | None], size: Size) -> Image.Image:
    black = Image.new("L", size)
    picture = Image.merge("RGB", [band or black for band in bands[:3]])
    opacity = bands[3]
    # Many writers name a field for opacity and leave it empty.
    if opacity is not None and opacity.getextrema() != (0, 0):
        picture.putalpha(opacity)
    return picture


def _unpacked(content: bytes, head: _Header) -> bytes:
    """The indices of a run-length encoded picture, one a byte; what no run reaches is 0."""
    width, height, four = head.width, head.height, head.compression == _RLE4
    pixels = bytearray(width * height)
    at, x, y = head.start, 0, 0
    while at + 2 <= len(content) and y < height:
        count, value = content[at], content[at + 1]
        at += 2
        if count:
            run = bytes((value >> 4, value & 15)) * (count // 2 + 1) if four else bytes((value,)) * count
        elif value == 0:
            x, y = 0, y + 1
            continue
        elif value == 1:
            return bytes(pixels)
        elif value == 2:
            x, y, at = x + content[at], y + content[at + 1], at + 2
            continue
        else:
            count, size = value, (value + 1) // 2 if four else value
            run = content[at : at + size]
            if four:
                run = bytes(half for byte in run for half in (byte >> 4, byte & 15))
            at += size + size % 2
        room = min(count, width - x)
        if room > 0:
            start = y * width + x
            pixels[start : start + room] = run[:room].ljust(room, b"\0")
        x += count
    if y < height - height // 10:
        raise Truncated("the runs end too early")
    return bytes(pixels)
