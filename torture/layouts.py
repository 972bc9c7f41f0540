"""Sound files of rare layouts, each with the picture that it is: what is labelled must be that picture."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO

import numpy
from PIL import Image, ImageChops, ImageStat

from tests.intake import raws
from tests.intake.corpus import MP4, cat
from tests.intake.pictures import chunk, saved
from tests.intake.tiffs import DEFLATE, LZW, NONE, PACKBITS, Array, Tiff

SIZE = (300, 200)
FARTHEST = 9.0  # of 255, the mean over all bytes: what stretching and a thumbnail's compression cost
_NUMBERS: dict[str, Callable[[Array], Array]] = {
    "u1": lambda v: v,
    "u2": lambda v: v.astype("u2") * 257,
    "u4": lambda v: v.astype("u4") * 16_843_009,
    "i2": lambda v: (v.astype("i4") * 257 - 32_768).astype("i2"),
    "f2": lambda v: (v.astype("f8") * (1 / 255)).astype("f2"),
    "f4": lambda v: (v.astype("f8") * (1 / 255)).astype("f4"),
    "f8": lambda v: v.astype("f8") * (1 / 255),
}


def sound(chance: random.Random) -> tuple[bytes, Image.Image]:
    """A file that is good by its own specification, and the picture that it is."""
    return chance.choice((_tiff, _tiff, _tiff, _raw, _noted_jpeg, _noted_png))(chance)


def distance(thumbnail: bytes, picture: Image.Image) -> float:
    """How far a thumbnail is from the picture; more than there can be if it has another shape."""
    with Image.open(BytesIO(thumbnail)) as image:
        if image.size != picture.size:
            return 999.0
        return sum(ImageStat.Stat(ImageChops.difference(image.convert("RGB"), picture)).mean) / 3


def _picture() -> Image.Image:
    picture = cat(*SIZE)
    picture.paste("black", (0, 0, 9, 9))  # from black to white, as numbers without a meaning are stretched to
    picture.paste("white", (9, 0, 18, 9))
    return picture


def _tiff(chance: random.Random) -> tuple[bytes, Image.Image]:
    picture = _picture()
    grey = chance.random() < 0.4
    samples = numpy.asarray(picture.convert("L"))[:, :, None] if grey else numpy.asarray(picture)
    white_is_zero = grey and chance.random() < 0.4
    kind = chance.choice(sorted(_NUMBERS))
    packing = chance.choice((NONE, LZW, DEFLATE, PACKBITS))
    tiff = Tiff(
        _NUMBERS[kind](255 - samples if white_is_zero else samples),
        2 if not grey else 0 if white_is_zero else 1,
        order=chance.choice("<>"),
        planar=chance.choice((1, 2)),
        compression=packing,
        predictor=chance.choice((1, 2)) if packing in (LZW, DEFLATE) and kind[0] != "f" else 1,
        big=chance.random() < 0.2,
        **chance.choice(({}, {"rows": chance.randrange(1, 90)}, {"tile": (16 * chance.randrange(2, 9), 48)})),
    )
    return tiff.bytes(), picture.convert("L").convert("RGB") if grey else picture


def _raw(chance: random.Random) -> tuple[bytes, Image.Image]:
    picture = _picture()
    preview = raws.jpeg(picture)
    make = chance.choice(
        (raws.raf, raws.rw2, raws.cr3, lambda one: raws.nef(picture, one, dng=chance.random() < 0.5))
    )
    return make(preview), picture


def _noted_jpeg(chance: random.Random) -> tuple[bytes, Image.Image]:
    picture = _picture()
    whole = saved(picture, "JPEG", quality=92, progressive=chance.random() < 0.5)
    body = chance.choice((b"\xff\xda" * 20_000, chance.randbytes(900), b"Exif\0\0" + chance.randbytes(400)))
    note = bytes((0xFF, chance.choice((0xE1, 0xE2, 0xED, 0xFE)))) + (len(body) + 2).to_bytes(2, "big") + body
    return whole[:2] + note + whole[2:] + chance.choice((b"", MP4, b"\xff\xda" * 300)), picture


def _noted_png(chance: random.Random) -> tuple[bytes, Image.Image]:
    picture = _picture()
    whole = saved(picture, "PNG")
    kind = chance.choice((b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"gAMA", b"acTL", b"prVt"))
    note = chunk(kind, chance.randbytes(chance.randrange(3_000)))
    return whole[:33] + (note if chance.random() < 0.5 else note[:-4] + b"oops") + whole[33:], picture
