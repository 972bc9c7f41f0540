"""A picture that every recogniser can be given: RGB, upright, neither too large nor too small."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from chalicelib.intake.inspection import Opened

# What Rekognition takes (its guidelines and quotas): JPEG and PNG, 15 MB in S3 and 5 MB as bytes, 80 to
# 10,000 pixels a side. What SageMaker's endpoints and the networks here take is more.
MOST_BYTES = 15_000_000
MOST_BYTES_SENT = 5_000_000
SHORTEST_SIDE = 80
LONGEST_SIDE = 10_000

CONVERTED_SIDE = 2_000  # a larger picture is scaled by a whole number to 2,000–3,999 pixels
_QUALITY = 90
_STRIP_PIXELS = 1 << 19

# What each EXIF orientation asks for (EXIF 2.32, section 4.6.4, tag 0x0112); 1 is upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset({5, 6, 7, 8})
_PNG_BIT_DEPTH = 24  # where IHDR, always a PNG's first chunk, has it


def usable_as_it_is(seen: Opened, orientation: int) -> bool:
    """Whether every recogniser takes the file itself and sees in it what a person sees."""
    image = seen.image
    return (
        seen.format.name in ("JPEG", "PNG")
        and orientation == 1
        and image.mode in ("L", "RGB")
        and not image.has_transparency_data
        and not (seen.format.name == "PNG" and seen.content[_PNG_BIT_DEPTH] > 8)
        and len(seen.content) <= MOST_BYTES
        and min(image.size) >= SHORTEST_SIDE
        and max(image.size) <= LONGEST_SIDE
    )


def picture_of(seen: Opened, orientation: int, side: int) -> Image.Image:
    """The picture in RGB on white, upright, its long side from ``side`` to twice that if it was longer.

    A JPEG is decoded at the scale that fits; others are scaled strip by strip, so that in no mode a second
    copy in full size comes into being.
    """
    image = seen.image
    across, down = _factors(image.size, side)
    image.draft(image.mode, (image.width // across, image.height // down))
    picture = _scaled(image, _factors(image.size, side))
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def jpeg_of(picture: Image.Image) -> bytes:
    """The picture as a JPEG of at most 5 MB, without any metadata.

    What is shorter than 80 pixels in a direction is stretched to 80. Boxes are fractions, so those of the
    JPEG are those of the original.
    """
    content = encoded(_stretched(picture), _QUALITY)
    while len(content) > MOST_BYTES_SENT:
        picture = picture.reduce(2)
        content = encoded(_stretched(picture), _QUALITY)
    return content


def encoded(picture: Image.Image, quality: int) -> bytes:
    """A JPEG of a picture from :func:`picture_of`, which has only pixels: no metadata to be written along."""
    with BytesIO() as stream:
        picture.save(stream, "JPEG", quality=quality)
        return stream.getvalue()


def _factors(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Whole numbers to divide width and height by: the same, unless a side would become too short."""
    factor = max(1, max(size) // side)
    across, down = (max(1, min(factor, length // SHORTEST_SIDE)) for length in size)
    return across, down


def _scaled(image: Image.Image, factors: tuple[int, int]) -> Image.Image:
    across, down = factors
    width, height = image.size
    picture = Image.new("RGB", (-(-width // across), -(-height // down)))
    grey = _range_of(image)
    rows = down * max(1, _STRIP_PIXELS // (width * down))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        picture.paste(_rgb(_plain(strip).reduce(factors), grey), (0, top // down))
    return picture


def _plain(image: Image.Image) -> Image.Image:
    """The pixels as numbers that may be averaged: no palette, no bits, no colour that means nothing."""
    if image.mode[0] == "P" or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I;16"):
        return image.convert("I")
    return image.convert("L") if image.mode == "1" else image


def _range_of(image: Image.Image) -> tuple[float, float]:
    """The values that are shown as black and as white, for the modes that have more than 8 bits.

    Numbers of 16 bits are light; 32 bits and fractions have no such meaning, so theirs is the range in use.
    """
    if image.mode not in ("I", "F"):
        return 0.0, 65_535.0
    image.load()
    low, high = image.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]  # one band: a pair of numbers


def _rgb(image: Image.Image, grey: tuple[float, float]) -> Image.Image:
    if image.mode in ("I", "F"):  # Pillow would clip these instead of scaling them
        low, high = grey
        scale = 255 / max(high - low, 1e-9)
        return image.point(lambda value: value * scale - low * scale).convert("L").convert("RGB")
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """What a viewer shows; the colours under full transparency may be anything."""
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    return ground.convert("RGB")


def _stretched(picture: Image.Image) -> Image.Image:
    shortest = min(picture.size)
    if shortest >= SHORTEST_SIDE:
        return picture
    factor = min(SHORTEST_SIDE / shortest, max(1.0, CONVERTED_SIDE / max(picture.size)))
    width, height = (max(SHORTEST_SIDE, round(length * factor)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)
