"""Files as cameras write them: a small preview first, the sensor's samples below, JPEGs here and there."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy
from PIL import Image

from tests.intake.tiffs import Tag, assembled

NOISE = numpy.random.default_rng(1)
WHEN = b"2024:05:06 07:08:09\0"
SENSOR = (600, 400)


def jpeg(picture: Image.Image, **options: object) -> bytes:
    with BytesIO() as stream:
        picture.save(stream, "JPEG", quality=90, **options)
        return stream.getvalue()


def thumbnail(picture: Image.Image, orientation: int) -> tuple[list[Tag], list[bytes]]:
    """The first directory: uncompressed, 60 pixels long, with what the camera says of the photo."""
    small = picture.resize((60, 40)).tobytes()
    tags: list[Tag] = [
        (254, 4, [1]), (256, 4, [60]), (257, 4, [40]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]),
        (271, 2, b"NIKON\0"), (272, 2, b"D1\0"), (273, 4, []), (274, 3, [orientation]), (277, 3, [3]),
        (278, 4, [40]), (279, 4, [len(small)]), (284, 3, [1]),
    ]  # fmt: skip
    return tags, [small]


def sensor(size: tuple[int, int] = SENSOR) -> tuple[list[Tag], list[bytes]]:
    """The raw data: noise, as nobody is to look at them."""
    data = NOISE.integers(0, 4000, size, dtype="u2").tobytes()
    tags: list[Tag] = [
        (254, 4, [0]), (256, 4, [size[0]]), (257, 4, [size[1]]), (258, 3, [16]), (259, 3, [1]),
        (262, 3, [32803]), (273, 4, []), (277, 3, [1]), (278, 4, [size[1]]),
        (279, 4, [len(data)]), (0x828D, 3, [2, 2]),
    ]  # fmt: skip
    return tags, [data]


def in_jpeg_tags(preview: bytes) -> tuple[list[Tag], list[bytes]]:
    """A directory that points to a JPEG file; the file lies first in what stands behind the pictures."""
    return [(254, 4, [1]), (259, 3, [6]), (513, 4, ("at", 0)), (514, 4, [len(preview)])], []  # type: ignore[list-item]


def in_a_strip(preview: bytes, size: tuple[int, int]) -> tuple[list[Tag], list[bytes]]:
    """A DNG's preview: a JPEG as the one strip of a reduced picture."""
    tags: list[Tag] = [
        (254, 4, [1]), (256, 4, [size[0]]), (257, 4, [size[1]]), (258, 3, [8, 8, 8]), (259, 3, [7]),
        (262, 3, [6]), (273, 4, []), (277, 3, [3]), (278, 4, [size[1]]), (279, 4, [len(preview)]),
    ]  # fmt: skip
    return tags, [preview]


def nef(
    picture: Image.Image, preview: bytes, *, order: str = "<", orientation: int = 1, dng: bool = False
) -> bytes:
    """NEF, ARW and the like; a DNG with ``dng``. No preview where there are no bytes of one."""
    tags, strips = thumbnail(picture, orientation)
    if dng:
        tags = [*tags, (0xC612, 1, bytes([1, 4, 0, 0]))]
    pictures = [(tags, strips), sensor()]
    if preview:
        pictures.append(in_a_strip(preview, picture.size) if dng else in_jpeg_tags(preview))
    below = {0: list(range(1, len(pictures)))}
    return assembled(pictures, order, below=below, behind=preview)


def cr2(picture: Image.Image, preview: bytes) -> bytes:
    """Canon's older kind: the first directory is the JPEG, the fourth the raw data as a lossless one."""
    lossless = b"\xff\xd8\xff\xc3\x00\x0b\x0e\x01\x90\x02\x58\x01\x01\x11\x00" + bytes(500) + b"\xff\xd9"
    first: list[Tag] = [
        (256, 3, [picture.width]), (257, 3, [picture.height]), (258, 3, [8, 8, 8]), (259, 3, [6]),
        (271, 2, b"Canon\0"), (273, 4, []), (274, 3, [6]), (279, 4, [len(preview)]),
    ]  # fmt: skip
    raw: list[Tag] = [(259, 3, [6]), (273, 4, []), (279, 4, [len(lossless)]), (0xC640, 3, [1, 2, 3])]
    whole = bytearray(assembled([(first, [b"CR\x02\0" + bytes(4) + preview]), (raw, [lossless])]))
    place = whole.index(struct.pack("<HHI", 273, 4, 1)) + 8
    whole[place : place + 4] = struct.pack("<I", 16)
    return bytes(whole)


def raf(preview: bytes) -> bytes:
    head = b"FUJIFILMCCD-RAW 0201FF383501".ljust(84, b"\0") + struct.pack(">II", 160, len(preview))
    return head.ljust(160, b"\0") + preview + bytes(3000)


def rw2(preview: bytes) -> bytes:
    tags: list[Tag] = [
        (4, 3, [0]), (5, 3, [0]), (6, 3, [SENSOR[1]]), (7, 3, [SENSOR[0]]), (0x2E, 7, preview), (274, 3, [1]),
    ]  # fmt: skip
    return assembled([(tags, [])], mark=b"IIU\0")


def orf(picture: Image.Image, preview: bytes) -> bytes:
    """Olympus: the preview is told of in the settings inside the maker's note inside EXIF."""
    tags, strips = thumbnail(picture, 1)
    note = bytearray(
        b"OLYMPUS\0II\x03\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x2020, 4, 1, 30) + bytes(4)
    )
    note += (
        struct.pack("<H", 2)
        + struct.pack("<HHII", 0x101, 4, 1, 60)
        + struct.pack("<HHII", 0x102, 4, 1, len(preview))
    )
    note = note.ljust(60, b"\0") + preview
    exif = struct.pack("<H", 1) + struct.pack("<HHI", 0x927C, 7, len(note))
    whole = assembled(
        [([*tags, (0x8769, 4, ("at", 0))], strips), sensor()], mark=b"IIRO", behind=exif + bytes(8) + note
    )  # type: ignore[list-item]
    at = whole.index(struct.pack("<HHI", 0x927C, 7, len(note))) + 8
    return whole[:at] + struct.pack("<I", at + 8) + whole[at + 4 :]


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


GPS = [
    (1, 2, b"S\0"), (2, 5, [(51, 1), (30, 1), (1500, 100)]), (3, 2, b"W\0"), (4, 5, [(0, 1), (7, 1), (30, 1)])
]  # fmt: skip


def cr3(preview: bytes, orientation: int = 1) -> bytes:
    camera = assembled([([(271, 2, b"Canon\0"), (272, 2, b"Canon EOS R5\0"), (274, 3, [orientation])], [])])
    shot = assembled([([(0x9003, 2, WHEN), (0xA002, 3, [SENSOR[0]]), (0xA003, 3, [SENSOR[1]])], [])])
    noted = [box(b"CMT1", camera), box(b"CMT2", shot), box(b"CMT4", assembled([(GPS, [])]))]
    canon = box(b"uuid", bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"), *noted)

    def movie(at: int) -> bytes:
        sizes = box(b"stsz", bytes(4), struct.pack(">II", len(preview), 1))
        table = box(b"stbl", sizes, box(b"co64", bytes(4), struct.pack(">IQ", 1, at)))
        return box(b"moov", canon, box(b"trak", box(b"mdia", box(b"minf", table))))

    head = box(b"ftyp", b"crx \0\0\0\1crx isom")
    return head + movie(len(head) + len(movie(0)) + 8) + box(b"mdat", preview, bytes(999))
