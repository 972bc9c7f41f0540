"""Pictures for recognisers and for people: in RGB, upright, neither too large nor too small.

Pictures for people are in sRGB, whatever colour space the file is in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

from PIL import Image

from chalicelib.intake.png import sixteen_in_eight
from chalicelib.intake.undecoded_image import Size, UndecodedImage

# What Rekognition takes (its guidelines and quotas): JPEG and PNG, 15 MB in S3 and 5 MB as bytes, 80 to
# 10,000 pixels a side. What SageMaker's endpoints and the networks here take is more.
MOST_BYTES = 15_000_000
MOST_BYTES_SENT = 5_000_000
SHORTEST_SIDE = 80
LONGEST_SIDE = 10_000

CONVERTED_SIDE = 2_000  # a larger picture is scaled by a whole number to 2,000–3,999 pixels
_QUALITY = 90
_STRIP_PIXELS = 1 << 19
THUMBNAIL_SIDE = 512
_THUMBNAIL_QUALITY = 82
MOST_PROFILE_BYTES = 4 << 20  # a screen's has some hundred bytes, a press's up to two million
_FLIPPED = [value ^ 0x80 for value in range(256)]

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


def usable_as_it_is(source: UndecodedImage, content: bytes, orientation: int) -> bool:
    """Whether every recogniser takes the file as it is and sees in it what a person sees."""
    return (
        source.plain is not None
        and orientation == 1
        and len(content) <= MOST_BYTES
        and min(source.size) >= SHORTEST_SIDE
        and max(source.size) <= LONGEST_SIDE
    )


def picture_of(source: UndecodedImage, orientation: int, side: int, shortest: int = 1) -> Image.Image:
    """The picture in RGB on white, upright, in its own shape.

    It is scaled by a whole number: its long side becomes ``side`` to twice that if it was longer, unless its
    short side would fall below ``shortest``, as long as the long one stays within 10,000. A JPEG is decoded
    at a fitting scale; others are scaled strip by strip, so there is never a second copy in full size.
    """
    width, height = source.size
    factor = _factor(source.size, side, shortest)
    image = source.decode((width // factor, height // factor))
    picture = _scaled(image, _factor(image.size, side, shortest), source.profile)
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def jpeg_of(picture: Image.Image) -> bytes:
    """The picture for recognisers, as a JPEG of at most 5 MB without any metadata.

    A picture of less than 80 pixels in one direction is enlarged, and stretched where it would get longer
    than 10,000 in the other. Boxes are fractions, so those of the JPEG are those of the original.
    """
    content = _jpeg(_enlarged(picture), _QUALITY)
    while len(content) > MOST_BYTES_SENT:
        picture = picture.reduce(2)
        content = _jpeg(_enlarged(picture), _QUALITY)
    return content


def thumbnail_of(picture: Image.Image, profile: bytes) -> bytes:
    """A JPEG of the picture with its long side at 512 pixels, or less if it is smaller; no metadata.

    Its colours, which are those of the ICC ``profile``, become sRGB, so the JPEG needs no profile.
    """
    small, longest = picture.copy(), max(picture.size)
    if longest > THUMBNAIL_SIDE:
        # The short side stays in proportion: Pillow's own thumbnail() would round it as it likes.
        width, height = (max(1, round(length * THUMBNAIL_SIDE / longest)) for length in small.size)
        small = small.resize((width, height), Image.Resampling.HAMMING, reducing_gap=1.0)
    return _jpeg(in_srgb(small, profile), _THUMBNAIL_QUALITY)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    """A JPEG of a picture from :func:`picture_of`, which has pixels only and no metadata."""
    with BytesIO() as stream:
        picture.save(stream, "JPEG", quality=quality)
        return stream.getvalue()


def _factor(size: Size, side: int, shortest: int) -> int:
    """The whole number to divide both width and height by."""
    if max(size) * shortest > min(size) * LONGEST_SIDE:  # both limits cannot be kept
        shortest = 1
    wanted = min(max(size) // side, min(size) // shortest)
    return max(1, wanted, -(-max(size) // LONGEST_SIDE))


def _scaled(image: Image.Image, factor: int, profile: bytes) -> Image.Image:
    width, height = image.size
    picture = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    in_rgb = inks_in_srgb(profile) if image.mode == "CMYK" else _rgb
    rows = factor * max(1, _STRIP_PIXELS // (width * factor))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        picture.paste(in_rgb(_plain(strip).reduce(factor)), (0, top // factor))
    return picture


def _plain(image: Image.Image) -> Image.Image:
    """The pixels as numbers that can be averaged: no palette, no single bits, no transparent colour."""
    if image.mode[0] == "P" or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode[0] == "I":
        return sixteen_in_eight(image)
    return image.convert("L") if image.mode == "1" else image


def _rgb(image: Image.Image) -> Image.Image:
    """On white, as a viewer shows it: the colours under full transparency may be anything."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def _enlarged(picture: Image.Image) -> Image.Image:
    shortest = min(picture.size)
    if shortest >= SHORTEST_SIDE:
        return picture
    longest = max(picture.size)
    can_be_kept = longest * SHORTEST_SIDE <= shortest * LONGEST_SIDE
    factor = SHORTEST_SIDE / shortest if can_be_kept else max(1.0, CONVERTED_SIDE / longest)
    width, height = (min(LONGEST_SIDE, max(SHORTEST_SIDE, round(length * factor))) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """An RGB picture's colours, which are those of an ICC ``profile``, in sRGB.

    Without a profile they are taken for sRGB, as browsers do; a profile that is broken, or for inks or greys,
    is ignored.
    """
    convert = _conversion(profile, "RGB")
    return convert(picture) if convert else picture


def inks_in_srgb(profile: bytes) -> Callable[[Image.Image], Image.Image]:
    """A function that makes RGB of CMYK: by the press's ICC ``profile``, or by a plain rule without one."""
    return _conversion(profile, "CMYK") or (lambda picture: picture.convert("RGB"))


def lab_in_srgb(bands: Sequence[Image.Image], *, signed: bool) -> Image.Image:
    """CIE L*a*b* in 8 bits; ``signed`` as TIFF has a and b, otherwise with 128 for 0, as ICC does."""
    from PIL import ImageCms

    hues = [band.point(_FLIPPED) for band in bands[1:]] if signed else bands[1:]
    # Pillow keeps a and b with 128 for 0 inside, and merges bands as they are.
    picture = Image.merge("LAB", [bands[0], *hues])
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(picture, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")) or picture


def _conversion(profile: bytes, mode: str) -> Callable[[Image.Image], Image.Image] | None:
    if not profile or len(profile) > MOST_PROFILE_BYTES:
        return None
    from PIL import ImageCms  # two milliseconds that most photos need not pay

    try:
        theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
        if theirs.profile.xcolor_space.strip() != mode:
            return None
        transform = ImageCms.buildTransform(theirs, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None
    return lambda picture: ImageCms.applyTransform(picture, transform) or picture
