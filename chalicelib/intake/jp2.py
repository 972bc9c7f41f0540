"""JPEG 2000 (ITU-T T.800), as a file or a bare codestream: decoded at the resolution that is needed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from chalicelib.intake import isobmff
from chalicelib.intake.undecoded_image import Size, Truncated, UndecodedImage, Unsupported

_SIZ, _COD, _SOT, _EOC = 0xFF51, 0xFF52, 0xFF90, b"\xff\xd9"
# Bytes that OpenJPEG takes for each pixel and component that it decodes, and for its own book-keeping
# (measured: tests/intake/test_memory.py).
_BYTES_A_SAMPLE = 9.0
_BYTES_A_BLOCK = 400
_BYTES_A_PRECINCT = 600
_NEEDED_SIDE = 2_000  # pixels: no caller needs more, see conversion.CONVERTED_SIDE
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"


@dataclass(frozen=True)
class _Head:
    """What the main header of a codestream says (annex A)."""

    width: int
    height: int
    components: int
    sampled_alike: bool
    bits: set[int]  # of each component; above 128: signed
    levels: int
    block: int  # samples
    precinct: int  # samples

    @property
    def memory(self) -> float:
        """What decoding takes at the resolution that is needed."""
        pixels = self.width * self.height
        scale = 1 << min(self.levels, _halvings((self.width, self.height), (_NEEDED_SIDE, _NEEDED_SIDE)))
        decoded = pixels / scale**2 * (_BYTES_A_SAMPLE * self.components + 8)
        kept = pixels * self.components * (_BYTES_A_BLOCK / self.block + _BYTES_A_PRECINCT / self.precinct)
        return decoded + kept


def read(content: bytes) -> UndecodedImage:
    """A JPEG 2000, of which nothing has been decoded."""
    head = _head(content)
    if not head.sampled_alike or head.components > 4:
        raise Unsupported("a JPEG 2000 image whose components are of different sizes, or more than four")
    if not head.bits <= set(range(8, 17)):
        raise Unsupported("a JPEG 2000 image with signed numbers, or less than 8 or more than 16 bits")
    with Jpeg2KImageFile(BytesIO(content)) as image:
        size, profile = image.size, image.info.get("icc_profile") or b""
    if size != (head.width, head.height):
        raise ValueError("two sizes")

    def decode(at_least: Size) -> Image.Image:
        picture = Jpeg2KImageFile(BytesIO(content))
        picture.reduce = min(head.levels, _halvings(size, at_least))
        picture.load()
        return picture

    return UndecodedImage(
        size, head.memory, decode, exif=_note(content, _EXIF), xmp=_note(content, _XMP), profile=profile
    )


def is_whole(content: bytes) -> bool:
    """Whether the mark of the codestream's end is there."""
    return content.rstrip(b"\x00")[-2:] == _EOC


def _halvings(size: Size, at_least: Size) -> int:
    """How often both sides can be halved without falling below what is asked for."""
    times = min(max(1, side // max(1, least)) for side, least in zip(size, at_least, strict=True))
    return times.bit_length() - 1


def _head(content: bytes) -> _Head:
    at = _codestream_at(content) + 2
    size: tuple[int, ...] = ()
    components, alike, bits = 0, True, set[int]()
    while at + 4 <= len(content):
        marker, length = struct.unpack_from(">HH", content, at)
        body = content[at + 4 : at + 2 + length]
        if marker == _SIZ and len(body) >= 36:
            size = struct.unpack_from(">8I", body, 2)
            components = int.from_bytes(body[34:36], "big")
            bits = {one + 1 for one in body[36 : 36 + 3 * components : 3]}
            steps = {body[one : one + 2] for one in range(37, 36 + 3 * components, 3)}
            alike = steps == {b"\x01\x01"}
        elif marker == _COD and len(body) >= 10 and size:
            width, height = size[0] - size[2], size[1] - size[3]
            block = 1 << (body[6] & 15) + (body[7] & 15) + 4
            precincts = body[10:] if body[0] & 1 else b"\xff"
            smallest = min((1 << (one & 15) + (one >> 4) for one in precincts), default=1)
            return _Head(width, height, components, alike, bits, body[5], block, smallest)
        elif marker == _SOT:
            break
        at += 2 + max(2, length)
    raise Truncated("no main header") if at + 4 > len(content) else ValueError("no main header")


def _codestream_at(content: bytes) -> int:
    if content.startswith(b"\xff\x4f"):
        return 0
    box = isobmff.first(content, [b"jp2c"])
    if box is None:
        raise Truncated("no codestream")
    return box.start


def _note(content: bytes, name: bytes) -> bytes:
    """The content of the box of that name, as ExifTool and Adobe write EXIF and XMP."""
    if content.startswith(b"\xff\x4f"):
        return b""
    box = isobmff.uuid(content, name)
    return content[box.start : box.end] if box else b""
