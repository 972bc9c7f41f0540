"""A PNG is its critical chunks; no other one fails a photo, and a colour that stands for nothing is found."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

import numpy
import pytest
from PIL import Image

from chalicelib.errors import UnusableImage
from tests.intake.corpus import cat
from tests.intake.judge import distance, judged, read, shown, verdict
from tests.intake.pictures import chunk, saved

SIZE = (150, 100)
PHOTO = cat(*SIZE)
RGB = numpy.asarray(PHOTO)
GREY = numpy.asarray(PHOTO.convert("L"))
CLOSE = 4.0


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - repeatable on purpose


def png(samples: numpy.ndarray, kind: int, depth: int, *chunks: bytes) -> bytes:
    """A PNG of samples as they are, without filters."""
    height, width = samples.shape[:2]
    flat = samples.reshape(height, -1)
    if depth == 16:
        packed = [row.astype(">u2").tobytes() for row in flat]
    else:
        bits = (flat[:, :, None].astype("u1") >> numpy.arange(depth - 1, -1, -1, dtype="u1")) & 1
        packed = [numpy.packbits(row.reshape(-1)).tobytes() for row in bits]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + chunk(b"IEND", b"")


def with_notes(*chunks: bytes) -> bytes:
    whole = saved(PHOTO, "PNG")
    return whole[:33] + b"".join(chunks) + whole[33:-12] + b"".join(chunks) + whole[-12:]


def wrong(kind: bytes, body: bytes) -> bytes:
    """A chunk whose checksum is wrong."""
    return chunk(kind, body)[:-4] + b"oops"


NOTES: dict[str, Callable[[], bytes]] = {
    "a megabyte of text": lambda: chunk(b"zTXt", b"workflow\0\0" + zlib.compress(noise(40_000) * 30)),
    "text that unpacks to 80 MB": lambda: chunk(
        b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(bytes(80_000_000))
    ),
    "text that does not unpack": lambda: chunk(b"iTXt", b"Raw profile type exif\0\1\0\0\0" + noise(90)),
    "a profile of noise": lambda: chunk(b"iCCP", b"x\0\0" + zlib.compress(noise(5_000))),
    "a profile that does not unpack": lambda: chunk(b"iCCP", b"x\0\0" + noise(500)),
    "EXIF of noise": lambda: chunk(b"eXIf", b"MM\0*" + noise(500)),
    "wrong checksums": lambda: wrong(b"tEXt", b"a\0b") + wrong(b"pHYs", bytes(9)) + wrong(b"gAMA", bytes(4)),
    "wrong sizes": lambda: (
        chunk(b"pHYs", b"") + chunk(b"gAMA", b"\1") + chunk(b"cHRM", b"\1\2") + chunk(b"tIME", b"")
    ),
    "an animation of nothing": lambda: (
        chunk(b"acTL", bytes(8)) + chunk(b"fcTL", bytes(26)) + chunk(b"fdAT", bytes(9))
    ),
    "chunks that nobody knows": lambda: chunk(b"prVt", noise(70_000)) + chunk(b"cABX", b"jumb" * 99),
    "a palette of suggestions": lambda: chunk(b"sPLT", b"x") + chunk(b"hIST", b"\1"),
}


@pytest.mark.parametrize("name", NOTES)
def test_no_note_fails_a_photo_or_travels_along(name: str) -> None:
    photo = with_notes(NOTES[name]())
    made = read(photo)
    assert (made.width, made.height, made.warnings, made.converted) == (*SIZE, (), None)
    assert distance(shown(photo), PHOTO) < CLOSE
    assert len(made.plain or b"") <= len(saved(PHOTO, "PNG"))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_that_stands_for_nothing_is_white_and_no_other(depth: int) -> None:
    most = (1 << depth) - 1
    values = GREY.astype("u4") * most // 255
    clear = int(values[0, 0])
    content = png(values, 0, depth, chunk(b"tRNS", struct.pack(">H", clear)))
    expected = numpy.where(values == clear, 255, values * 255 // most).astype("u1")
    assert distance(shown(content), Image.fromarray(expected).convert("RGB")) < CLOSE + 6  # hard edges
    absent = png(values, 0, depth, chunk(b"tRNS", struct.pack(">H", most)))
    if depth > 4:  # a value that no pixel has
        assert (
            distance(shown(absent), Image.fromarray((values * 255 // most).astype("u1")).convert("RGB"))
            < CLOSE
        )


@pytest.mark.parametrize("depth", [8, 16])
def test_a_colour_that_stands_for_nothing_is_white_and_no_other(depth: int) -> None:
    values = RGB.astype("u4") * (257 if depth == 16 else 1)
    values[:20] = 0x1234 if depth == 16 else 0x12
    values[20:30] = 0x1235 if depth == 16 else 0x13  # of 16 bits the lower ones count, too
    clear = int(values[0, 0, 0])
    content = png(values, 2, depth, chunk(b"tRNS", struct.pack(">HHH", clear, clear, clear)))
    expected = values // (256 if depth == 16 else 1)
    expected[:20] = 255
    assert distance(shown(content), Image.fromarray(expected.astype("u1"))) < CLOSE


@judged
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6])
@pytest.mark.parametrize("interlaced", [False, True])
def test_an_independent_reader_agrees(kind: int, depth: int, interlaced: bool) -> None:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    if (depth < 8 and kind in (2, 4, 6)) or (depth == 16 and kind == 3):
        pytest.skip("PNG has no such kind")
    values = numpy.dstack([RGB, GREY])[:, :, -channels if channels < 3 else 0 :][:, :, :channels]
    values = values.astype("u4") * ((1 << depth) - 1) // 255
    palette = chunk(
        b"PLTE", bytes(value for index in range(1 << min(depth, 8)) for value in (index, 255 - index, 9))
    )
    content = png(values, kind, depth, *([palette] if kind == 3 else []))
    if interlaced:
        content = interlace(content)
    assert distance(shown(content), verdict(content, "png", SIZE)) < CLOSE + 6


def interlace(content: bytes) -> bytes:
    from tests.intake.judge import magick

    return magick("png:-", "-interlace", "PNG", "-define", "png:preserve-colormap", "png:-", content=content)


@pytest.mark.parametrize("interlaced", [False, True])
def test_one_that_is_cut_is_labelled_if_nine_rows_of_ten_are_there(interlaced: bool) -> None:
    whole = saved(PHOTO, "PNG", compress_level=0)
    if interlaced:
        whole = interlace(whole)
    start = whole.index(b"IDAT")
    for share, labelled in ((0.99, True), (0.6, False), (0.2, False)):
        content = whole[: start + int((len(whole) - start) * share)]
        if labelled:
            assert read(content).warnings == ("truncated",)
        else:
            with pytest.raises(UnusableImage) as raised:
                read(content)
            assert raised.value.code == "truncated"
    assert read(whole[:-12]).warnings == ("truncated",)


def test_a_gif_that_is_cut_is_labelled_if_nine_rows_of_ten_are_there() -> None:
    whole = saved(PHOTO, "GIF")
    assert read(whole).warnings == ()
    assert read(whole[:-1]).warnings == ("truncated",)
    assert read(whole[: int(len(whole) * 0.97)]).warnings == ("truncated",)
    for share in (0.001, 0.1, 0.5, 0.8):
        with pytest.raises(UnusableImage) as raised:
            read(whole[: max(10, int(len(whole) * share))])
        assert raised.value.code == "truncated"
