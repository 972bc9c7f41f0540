"""Pictures of every kind, made when they are asked for."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pillow_heif
from PIL import Image


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    """A picture with some texture, the same each time: flat ones are too easy to decode after damage."""
    return saved(texture(size).convert(mode), kind, **options)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """A file of any kind that can be written."""
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    with BytesIO() as stream:
        image.save(stream, kind, **options)
        return stream.getvalue()


def texture(size: tuple[int, int]) -> Image.Image:
    noise = random.Random(size[0])  # noqa: S311  # repeatable on purpose
    return Image.frombytes("L", size, noise.randbytes(size[0] * size[1]))


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x010F] = "A camera"
    tags[0x0112] = orientation
    return tags.tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """An 8-bit grey PNG that says it has this size, whatever its chunks hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")
