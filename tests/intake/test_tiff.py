"""A TIFF of any layout is the picture that was put into it, or is refused by its name.

Holds `chalicelib/intake/tiff_layout.py`, `chalicelib/intake/tiff_pixels.py`,
`chalicelib/intake/tiff_strips.py`, `chalicelib/intake/tiff_tags.py`, `chalicelib/intake/tone_mapping.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy
import pytest
from PIL import Image

from chalicelib.errors import UnusableImage
from tests.intake.corpus import cat
from tests.intake.judge import distance, judged, magick, read, shown, verdict
from tests.intake.pictures import saved
from tests.intake.tiffs import DEFLATE, LZW, NONE, PACKBITS, Array, Tiff, assembled

SIZE = (150, 101)
PHOTO = cat(*SIZE)
PHOTO.paste("black", (0, 0, 4, 4))  # from 0 to 255, as numbers without a meaning are stretched to
PHOTO.paste("white", (4, 0, 8, 4))
RGB = numpy.asarray(PHOTO)
GREY = numpy.asarray(PHOTO.convert("L"))[:, :, None]
GREY_PHOTO = Image.fromarray(GREY[:, :, 0]).convert("RGB")
INKS = numpy.dstack([255 - RGB, numpy.zeros_like(GREY)])
OPAQUE = numpy.full_like(GREY, 255)
PALETTE = numpy.array([(index, 255 - index, 128) for index in range(256)])
CLOSE = 4.0  # of 255: what a thumbnail's compression costs


def laid(
    tiff: Callable[..., Tiff],
    *,
    packings: tuple[int, ...] = (NONE, LZW, DEFLATE, PACKBITS),
    predictors: tuple[int, ...] = (1, 2),
) -> Iterator[tuple[str, bytes]]:
    """A picture in every order of bytes, in planes or not, in strips, tiles or whole, packed in every way."""
    shapes = {"strips": {"rows": 17}, "whole": {}, "tiles": {"tile": (64, 48)}}
    for order, planar, shape, packing, predictor in itertools.product(
        "<>", (1, 2), shapes, packings, predictors
    ):
        if (predictor > 1 and packing in (NONE, PACKBITS)) or (predictor == 3 and planar == 2):
            continue
        options = {"order": order, "planar": planar, "compression": packing, "predictor": predictor}
        yield f"{shape} {options}", tiff(**options, **shapes[shape]).bytes()  # type: ignore[arg-type]


def wide(samples: Array) -> Array:
    return samples.astype("u2") * 257


NUMBERS: dict[str, Callable[[Array], Array]] = {
    "u4": lambda v: v.astype("u4") * 16_843_009,
    "i4": lambda v: (v.astype("i8") * 16_843_009 - 2**31).astype("i4"),
    "i2": lambda v: (v.astype("i4") * 257 - 32_768).astype("i2"),
    "i1": lambda v: (v.astype("i2") - 128).astype("i1"),
    "f2": lambda v: (v / 255).astype("f2"),
    "f4": lambda v: (v / 255).astype("f4"),
    "f8": lambda v: v / 255,
}
PLAIN: dict[str, tuple[Callable[..., Tiff], Image.Image]] = {
    "RGB": (lambda **how: Tiff(RGB, 2, **how), PHOTO),
    "RGB of 16 bits": (lambda **how: Tiff(wide(RGB), 2, **how), PHOTO),
    "RGB and opacity": (lambda **how: Tiff(numpy.dstack([RGB, OPAQUE]), 2, extra=[2], **how), PHOTO),
    "RGB and opacity of 16 bits": (
        lambda **how: Tiff(wide(numpy.dstack([RGB, OPAQUE])), 2, extra=[2], **how),
        PHOTO,
    ),
    "RGB and what nobody knows": (
        lambda **how: Tiff(numpy.dstack([RGB, GREY, GREY]), 2, extra=[0, 0], **how),
        PHOTO,
    ),
    "grey": (lambda **how: Tiff(GREY, 1, **how), GREY_PHOTO),
    "grey of 16 bits": (lambda **how: Tiff(wide(GREY), 1, **how), GREY_PHOTO),
    "grey and opacity of 16 bits": (
        lambda **how: Tiff(wide(numpy.dstack([GREY, OPAQUE])), 1, extra=[2], **how),
        GREY_PHOTO,
    ),
    "white is zero": (lambda **how: Tiff(255 - GREY, 0, **how), GREY_PHOTO),
    "white is zero, 16 bits": (lambda **how: Tiff(65_535 - wide(GREY), 0, **how), GREY_PHOTO),
    "inks": (lambda **how: Tiff(INKS, 5, **how), PHOTO),
    "inks of 16 bits": (lambda **how: Tiff(wide(INKS), 5, **how), PHOTO),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAIN)
def test_a_picture_is_itself_however_it_is_laid_out(name: str) -> None:
    tiff, expected = PLAIN[name]
    for layout, content in laid(tiff):
        assert distance(shown(content), expected) < CLOSE, layout


@pytest.mark.slow
@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_any_type_are_light_from_the_least_to_the_most(kind: str) -> None:
    for layout, content in laid(lambda **how: Tiff(NUMBERS[kind](GREY), 1, **how), packings=(LZW,)):
        assert distance(shown(content), GREY_PHOTO) < CLOSE + 2, layout  # stretched to the whole range
    for layout, content in laid(
        lambda **how: Tiff(NUMBERS[kind](RGB), 2, **how), packings=(DEFLATE,), predictors=(1,)
    ):
        assert distance(shown(content), PHOTO) < CLOSE, layout
    content = Tiff(NUMBERS[kind](255 - GREY), 0).bytes()
    assert distance(shown(content), GREY_PHOTO) < CLOSE + 2


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_fractions_that_are_packed_by_their_bytes_are_put_together(kind: str) -> None:
    for samples, photometric, expected in ((GREY, 1, GREY_PHOTO), (RGB, 2, PHOTO)):
        for order, packing in itertools.product("<>", (LZW, DEFLATE)):
            tiff = Tiff(
                NUMBERS[kind](samples), photometric, order=order, compression=packing, predictor=3, rows=9
            )
            assert distance(shown(tiff.bytes()), expected) < CLOSE + 2


@pytest.mark.parametrize("bits", [1, 2, 4, 12])
def test_samples_that_are_no_whole_bytes_are_spread_over_all_greys(bits: int) -> None:
    most = (1 << bits) - 1
    values = (GREY.astype("u4") * most // 255).astype("u2")
    expected = Image.fromarray((values[:, :, 0].astype("u4") * 255 // most).astype("u1")).convert("RGB")
    for layout, content in laid(lambda **how: Tiff(values, 1, bits=bits, **how), predictors=(1,)):
        assert distance(shown(content), expected) < CLOSE + 3, layout  # hard edges cost more
    inverted = Tiff((most - values).astype("u2"), 0, bits=bits).bytes()
    assert distance(shown(inverted), expected) < CLOSE + 3
    if bits < 12:
        mirrored = Tiff(values, 1, bits=bits, fill_order=2, compression=LZW).bytes()
        assert distance(shown(mirrored), expected) < CLOSE + 3


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_gives_the_colours(bits: int) -> None:
    indices = GREY >> (8 - bits)
    colours = PALETTE[:: 256 >> bits]
    expected = Image.fromarray(colours[indices[:, :, 0]].astype("u1"))
    for scale in (257, 1):  # some writers put 8 bits where 16 belong
        tags = [(320, 3, (colours.T.ravel() * scale).tolist())]
        content = Tiff(indices, 3, bits=bits, tags=tags, rows=10).bytes()
        assert distance(shown(content), expected) < (8 if bits > 2 else 15)  # hard edges cost more
        assert (
            shown(content).getextrema() == shown(Tiff(indices, 3, bits=bits, tags=tags).bytes()).getextrema()
        )


def test_a_bigtiff_is_a_tiff() -> None:
    for order in "<>":
        made = read(Tiff(RGB, 2, order=order, big=True, rows=20).bytes())
        assert (made.content_type, made.width, made.height) == ("image/tiff", *SIZE)
    assert distance(shown(Tiff(wide(RGB), 2, big=True, planar=2).bytes()), PHOTO) < CLOSE


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("hole", [numpy.nan, numpy.inf, -numpy.inf])
def test_what_is_no_number_hides_nothing_of_the_others(kind: str, hole: float) -> None:
    values = (GREY / 255 * 900 + 100).astype(kind)
    values[:5, :5] = hole
    expected = GREY_PHOTO.copy()
    expected.paste("white" if hole > 0 else "black", (0, 0, 5, 5))
    assert distance(shown(Tiff(values, 1, rows=7).bytes()), expected) < CLOSE + 2


@pytest.mark.parametrize(
    ("mark", "tag"), [(-9999.0, b"-9999\0"), (-3.4028234e38, b""), (-9999.0, b""), (7.5e5, b"750000\0")]
)
def test_a_mark_for_missing_data_is_no_datum(mark: float, tag: bytes) -> None:
    values = (GREY / 255 * 900 + 100).astype("f4")
    values[:5, :5] = mark
    expected = GREY_PHOTO.copy()
    expected.paste("black", (0, 0, 5, 5))
    tags = [(42_113, 2, tag)] if tag else []
    assert distance(shown(Tiff(values, 1, tags=tags).bytes()), expected) < CLOSE + 2


def test_a_picture_without_one_number_is_black_and_no_error() -> None:
    assert shown(Tiff(numpy.full((90, 90, 1), numpy.nan, "f4"), 1).bytes()).getextrema() == ((0, 0),) * 3


def test_highlights_do_not_darken_a_photo_of_fractions() -> None:
    values = (RGB / 255).astype("f4")
    values[:2, :2] = 400.0
    assert distance(shown(Tiff(values, 2).bytes()), PHOTO) < CLOSE


def test_colours_multiplied_by_their_opacity_are_shown_on_white() -> None:
    opacity = numpy.full_like(GREY, 128)
    apart = numpy.dstack([RGB, opacity])
    together = numpy.dstack([RGB // 2, opacity])
    expected = Image.fromarray(((RGB.astype("u2") + 255) // 2).astype("u1"))
    for samples, kind in ((apart, 2), (together, 1)):
        assert distance(shown(Tiff(samples, 2, extra=[kind]).bytes()), expected) < CLOSE


REFUSED = {
    "10 bits": (Tiff((RGB.astype("u2") << 2), 2, bits=10), "10 bits"),
    "other inks": (Tiff(INKS, 5, tags=[(332, 3, [2])]), "inks"),
    "LogLuv": (Tiff(RGB, 32_845), "LogLuv"),
    "complex numbers": (Tiff(GREY.astype("u4"), 1, tags=[(339, 3, [5])]), "32 bits"),
    "nine samples": (Tiff(numpy.dstack([RGB, RGB, RGB]), 2), "9 samples"),
    "JPEG 2000 inside": (Tiff(RGB, 2, compression=34_712), "JPEG 2000"),
    "JPEG XL inside": (Tiff(RGB, 2, compression=50_002), "JPEG XL"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_layout_that_is_not_read_is_refused_by_its_name(name: str) -> None:
    tiff, word = REFUSED[name]
    with pytest.raises(UnusableImage, match="a TIFF image") as raised:
        read(tiff.bytes())
    assert raised.value.code == "unsupported-type"
    assert word in raised.value.detail


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_one_is_truncated(share: float) -> None:
    tags = Tiff(RGB, 2, rows=10)
    strips = [strip for strip, _ in [(tags._compressed(*one), 0) for one in tags._parts()]]
    whole = assembled([(tags._tags([len(one) for one in strips]), strips)])
    directory_first = saved(PHOTO, "TIFF", compression="tiff_lzw")
    for content in (whole, directory_first, Tiff(wide(RGB), 2, planar=2).bytes()):
        with pytest.raises(UnusableImage) as raised:
            read(content[: int(len(content) * share)])
        assert raised.value.code == "truncated"


def test_strips_that_share_their_bytes_cost_no_more_than_a_few_files() -> None:
    whole = Tiff(RGB, 2).bytes()
    strips = [(273, 4, [8] * 101), (278, 4, [1]), (279, 4, [len(whole) - 8] * 101)]
    tags = [one for one in Tiff(RGB, 2)._tags([0]) if one[0] not in (273, 278, 279)]
    with pytest.raises(UnusableImage) as raised:
        read(assembled([([*tags, *strips], [RGB.tobytes()])]))
    assert raised.value.code == "corrupt"


MAGICK = {
    "JPEG": ["-compress", "JPEG"],
    "JPEG of greys": ["-colorspace", "gray", "-compress", "JPEG"],
    "JPEG of inks": ["-colorspace", "CMYK", "-compress", "JPEG"],
    "inks": ["-colorspace", "CMYK", "-compress", "LZW"],
    "L*a*b*": ["-colorspace", "Lab"],
    "L*a*b* of 16 bits": ["-colorspace", "Lab", "-depth", "16"],
    "fax 4": ["-monochrome", "-compress", "Group4"],
    "fax 3": ["-monochrome", "-compress", "Fax"],
    "YCbCr": ["-colorspace", "YCbCr", "-compress", "none"],
    "YCbCr by LZW": ["-colorspace", "YCbCr", "-compress", "LZW"],
    "deflated, 16 bits": ["-depth", "16", "-compress", "Zip"],
    "LZMA": ["-compress", "LZMA"],
    "half fractions": ["-define", "quantum:format=floating-point", "-depth", "16"],
    "fractions": ["-define", "quantum:format=floating-point", "-depth", "32"],
    "double fractions": ["-define", "quantum:format=floating-point", "-depth", "64"],
    "tiles": ["-define", "tiff:tile-geometry=64x64"],
    "planes": ["-interlace", "plane", "-depth", "16", "-compress", "LZW"],
    "12 bits": ["-depth", "12"],
    "white is zero": ["-colorspace", "gray", "-define", "quantum:polarity=min-is-white"],
    "mirrored bits": ["-define", "tiff:fill-order=lsb", "-monochrome"],
    "see-through": ["-alpha", "set", "-channel", "A", "-evaluate", "set", "50%", "+channel"],
    "palette": ["-colors", "16", "-type", "palette"],
    "a pyramid": ["ptif"],
}


@judged
@pytest.mark.parametrize("name", MAGICK)
def test_an_independent_writer_and_reader_agrees(name: str) -> None:
    kind = "ptif" if MAGICK[name] == ["ptif"] else "tif"
    options = [] if kind == "ptif" else MAGICK[name]
    content = magick("png:-", *options, f"{kind}:-", content=saved(PHOTO, "PNG"))
    assert distance(shown(content), verdict(content, "tif", SIZE)) < CLOSE + 3
