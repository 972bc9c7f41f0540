"""A BMP of any depth, by any header, packed in runs or not, is the picture that was put into it."""

from __future__ import annotations

import struct

import numpy
import pytest
from PIL import Image

from chalicelib.errors import UnusableImage
from tests.intake.corpus import cat
from tests.intake.judge import distance, judged, magick, read, shown, verdict
from tests.intake.pictures import saved

SIZE = (151, 100)
PHOTO = cat(*SIZE)
GREY = numpy.asarray(PHOTO.convert("L"))
CLOSE = 4.0


def bmp(
    bits: int,
    data: bytes,
    palette: bytes = b"",
    *,
    compression: int = 0,
    masks: tuple[int, ...] = (),
    **how: int,
) -> bytes:
    """A BMP with a header of 40 bytes or of ``header``; its first row is the top one for a height below 0."""
    width, height, size = how.get("width", SIZE[0]), how.get("height", SIZE[1]), how.get("header", 40)
    fields = struct.pack(f"<{len(masks)}I", *masks)
    if size == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack(
            "<IiiHHIIiiII", size, width, height, 1, bits, compression, len(data), 0, 0, how.get("used", 0), 0
        )
        head = (head + fields).ljust(size, b"\0") if size > 40 else head + fields
    start = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + head + palette + data


def rows(values: numpy.ndarray, bits: int) -> bytes:
    """The packed rows, from the bottom up, each of a whole number of four bytes."""
    spread = (values[::-1, :, None].astype("u1") >> numpy.arange(bits - 1, -1, -1, dtype="u1")) & 1
    packed = numpy.packbits(spread.reshape(len(values), -1), axis=1)
    return numpy.pad(packed, ((0, 0), (0, -packed.shape[1] % 4))).tobytes()


def greys(count: int, each: int = 4) -> bytes:
    return b"".join(bytes([value * 255 // (count - 1)] * 3) + bytes(each - 3) for value in range(count))


def runs(values: numpy.ndarray, *, four: bool) -> bytes:
    """Run-lengths of every kind: encoded, absolute of odd and even lengths, ends of lines and the end."""
    out = bytearray()
    for y, row in enumerate(values[::-1].tolist()):
        x = 0
        while x < len(row):
            size = min(len(row) - x, 3 + (x * 7 + y) % 20)
            part = row[x : x + size]
            if size < 3 or len(set(part)) == 1:
                for value in part:
                    out += bytes([1, value << 4 | value if four else value])
            else:
                padded = [*part, 0] if four and size % 2 else part
                body = (
                    bytes(a << 4 | b for a, b in zip(padded[::2], padded[1::2], strict=True))
                    if four
                    else bytes(part)
                )
                out += bytes([0, size]) + body + bytes(len(body) % 2)
            x += size
        out += b"\0\0"
    return bytes(out + b"\0\1")


def spread(bits: int) -> Image.Image:
    most = (1 << bits) - 1
    return Image.fromarray((GREY >> (8 - bits)) * (255 // most)).convert("RGB")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("header", [12, 40, 64, 108, 124])
def test_indices_of_any_depth_are_looked_up(bits: int, header: int) -> None:
    content = bmp(
        bits, rows(GREY >> (8 - bits), bits), greys(1 << bits, 3 if header == 12 else 4), header=header
    )
    assert distance(shown(content), spread(bits)) < CLOSE + 4


def test_eight_bits_with_two_colours_are_still_eight_bits() -> None:
    content = bmp(8, rows(GREY >> 7, 8), greys(2), used=2)
    assert distance(shown(content), spread(1)) < CLOSE + 4


@pytest.mark.parametrize("four", [False, True])
def test_runs_are_unpacked(four: bool) -> None:
    bits = 4 if four else 8
    content = bmp(bits, runs(GREY >> (8 - bits), four=four), greys(1 << bits), compression=2 if four else 1)
    assert distance(shown(content), spread(bits)) < CLOSE + 2


def test_a_leap_leaves_the_first_colour() -> None:
    data = b"\4\1" + b"\0\2\4\2" + b"\4\1" + b"\0\1"
    picture = shown(
        bmp(8, data, b"\xff\xff\xff\0" + b"\0\0\0\0", compression=1, width=100, height=90, used=2)
    )
    dark = {at for at in ((2, 89), (9, 87), (50, 50), (9, 89)) if max(picture.getpixel(at)) < 120}  # type: ignore[type-var]
    assert dark == {(2, 89), (9, 87)}


@pytest.mark.parametrize(
    "masks", [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F), (0xF00, 0xF0, 0xF), (0x1F, 0x7E0, 0xF800)]
)
def test_bit_fields_of_sixteen_bits_are_taken_apart(masks: tuple[int, ...]) -> None:
    pixels = numpy.zeros(SIZE[::-1], "u2")
    for band, mask in enumerate(masks):
        low = (mask & -mask).bit_length() - 1
        pixels |= (numpy.asarray(PHOTO)[:, :, band].astype("u4") * (mask >> low) // 255 << low).astype("u2")
    data = numpy.pad(pixels[::-1], ((0, 0), (0, SIZE[0] % 2))).tobytes()
    assert distance(shown(bmp(16, data, compression=3, masks=masks)), PHOTO) < (
        8 if masks[0] != 0xF00 else 12
    )


@pytest.mark.parametrize("order", ["RGBX", "BGRX", "XRGB", "XBGR"])
def test_bit_fields_of_thirty_two_bits_are_taken_apart(order: str) -> None:
    bands = dict(zip("RGBX", [*PHOTO.split(), Image.new("L", SIZE)], strict=True))
    data = numpy.dstack([numpy.asarray(bands[one]) for one in order])[::-1].tobytes()
    masks = tuple(0xFF << 8 * order.index(one) for one in "RGB")
    assert distance(shown(bmp(32, data, compression=3, masks=masks)), PHOTO) < CLOSE


def test_a_field_for_opacity_is_honoured_and_an_empty_one_is_not() -> None:
    masks = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    for opacity, expected in ((0, PHOTO), (128, Image.blend(Image.new("RGB", SIZE, "white"), PHOTO, 0.5))):
        data = numpy.dstack([numpy.asarray(PHOTO), numpy.full(SIZE[::-1], opacity, "u1")])[::-1].tobytes()
        assert distance(shown(bmp(32, data, compression=3, masks=masks, header=108)), expected) < CLOSE


def test_a_first_row_at_the_top_is_at_the_top() -> None:
    data = rows(GREY[::-1], 8)
    assert distance(shown(bmp(8, data, greys(256), height=-SIZE[1])), spread(8)) < CLOSE


@pytest.mark.parametrize(
    "content",
    [
        bmp(32, bytes(9), compression=3, masks=(0x3FF00000, 0xFFC00, 0x3FF)),
        bmp(24, bytes(9), compression=4),
        bmp(24, bytes(9), compression=5),
        bmp(1, bytes(9), greys(2), compression=3, header=64),
    ],
)
def test_what_is_not_read_is_refused_by_its_name(content: bytes) -> None:
    with pytest.raises(UnusableImage, match="a BMP image") as raised:
        read(content)
    assert raised.value.code == "unsupported-type"


def test_a_cut_one_is_truncated() -> None:
    for whole in (saved(PHOTO, "BMP"), bmp(8, runs(GREY, four=False), greys(256), compression=1)):
        with pytest.raises(UnusableImage) as raised:
            read(whole[: len(whole) // 2])
        assert raised.value.code == "truncated"


@judged
@pytest.mark.parametrize(
    "options",
    [
        ["BMP3:-"],
        ["BMP2:-"],
        ["-colors", "200", "-compress", "RLE", "BMP3:-"],
        ["-colors", "16", "-type", "palette", "-compress", "RLE", "BMP3:-"],
        ["-monochrome", "BMP3:-"],
        ["-define", "bmp:subtype=RGB565", "BMP:-"],
        ["-define", "bmp:subtype=ARGB4444", "BMP:-"],
        ["-define", "bmp:subtype=ARGB1555", "BMP:-"],
        ["-alpha", "set", "-channel", "A", "-evaluate", "set", "50%", "+channel", "BMP:-"],
    ],
)
def test_an_independent_writer_and_reader_agrees(options: list[str]) -> None:
    content = magick("png:-", *options, content=saved(PHOTO, "PNG"))
    assert distance(shown(content), verdict(content, "bmp", SIZE)) < CLOSE + 4
