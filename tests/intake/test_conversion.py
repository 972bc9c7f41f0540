"""Whatever is seen on a file is seen on what is made of it, and nothing else travels along.

Holds `chalicelib/intake/gif.py`.
"""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from chalicelib.intake.photos import Prepared, prepare
from tests.intake.pictures import exif, saved, texture

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 200, 0), (0, 0, 255), (255, 255, 255)
SECRETS = (b"a secret", b"Exif", b"ns.adobe.com", b"ICC_PROFILE", b"A camera")
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>a secret http://ns.adobe.com/</x:xmpmeta>"


def quarters(width: int = 240, height: int = 160) -> Image.Image:
    """Red, green, blue and white, clockwise from the top left."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (width // 2, height // 2, width, height))
    image.paste(WHITE, (0, height // 2, width // 2, height))
    return image


def ready(content: bytes) -> Prepared:
    return prepare(content, max_bytes=50_000_000, max_pixels=200_000_000)


def shown(content: bytes) -> Image.Image:
    with Image.open(BytesIO(content)) as image:
        return image.convert("RGB")


def colours(image: Image.Image) -> list[tuple[int, ...]]:
    """Those in the middle of the quarters, clockwise from the top left."""
    right, bottom = image.width * 3 // 4, image.height * 3 // 4
    left, top = image.width // 4, image.height // 4
    return [image.getpixel(at) for at in ((left, top), (right, top), (right, bottom), (left, bottom))]  # type: ignore[misc]


def assert_like(image: Image.Image, expected: list[tuple[int, ...]], tolerance: int = 40) -> None:
    for found, wanted in zip(colours(image), expected, strict=True):
        assert all(abs(a - b) < tolerance for a, b in zip(found, wanted, strict=True)), (found, wanted)


_UNDO = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_type_held_in_every_way_is_seen_upright(kind: str, orientation: int) -> None:
    undo = _UNDO[orientation]
    stored = quarters() if undo is None else quarters().transpose(undo)
    if kind == "HEIF":  # its writer turns by a note of its own format
        stored.info["exif"] = exif(orientation)
        made = ready(saved(stored, kind))
    else:
        made = ready(saved(stored, kind, exif=exif(orientation)))
    assert (made.width, made.height) == (240, 160)
    for content in (made.thumbnail, made.converted):
        if content is not None:
            assert shown(content).size == (240, 160)
            assert_like(shown(content), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_what_is_transparent_is_white(kind: str) -> None:
    image = quarters().convert("RGBA")
    image.paste((9, 9, 9, 0), (0, 0, 120, 80))
    assert_like(shown(ready(saved(image, kind)).converted or b""), [WHITE, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("size", [(240, 160), (2400, 1600), (4800, 3200)])
def test_a_colour_that_stands_for_nothing_is_white(size: tuple[int, int]) -> None:
    content = saved(quarters(*size), "PNG", transparency=RED, compress_level=1)
    assert_like(shown(ready(content).converted or b""), [WHITE, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("size", [(240, 160), (4800, 3200)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_colours_stay_what_they_are_in_every_mode(mode: str, size: tuple[int, int]) -> None:
    made = ready(saved(quarters(*size).convert(mode), "TIFF", compression="tiff_lzw"))
    assert_like(shown(made.converted or b""), [RED, GREEN, BLUE, WHITE])
    assert_like(shown(made.thumbnail), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_scaled_and_not_clipped(kind: str) -> None:
    content = saved(Image.new("I;16", (200, 100), 0x8000), kind)
    assert_like(shown(ready(content).converted or b""), [(128, 128, 128)] * 4, 4)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_numbers_without_a_scale_are_shown_from_their_least_to_their_most(mode: str) -> None:
    image = Image.new(mode, (200, 100), -3)
    image.paste(5, (100, 0, 200, 100))
    content = saved(image, "TIFF")
    assert_like(shown(ready(content).converted or b""), [(0, 0, 0), WHITE, WHITE, (0, 0, 0)])


def test_a_picture_of_one_number_is_no_division_by_nothing() -> None:
    assert ready(saved(Image.new("F", (100, 100), 0.5), "TIFF")).converted


def test_eight_bits_of_sixteen_are_kept_where_a_png_has_them_in_colour() -> None:
    made = ready(_sixteen_bit_png())
    assert made.converted is not None
    assert_like(shown(made.converted), [(128, 0, 255)] * 4, 12)


def _sixteen_bit_png() -> bytes:
    import struct
    import zlib

    from tests.intake.pictures import chunk

    row = b"\x00" + struct.pack(">HHH", 0x8000, 0, 0xFFFF) * 90
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 90, 90, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(row * 90)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((10_000, 400), None),
        ((10_100, 400), (2020, 80)),
        ((4_032, 3_024), None),
        ((80, 80), None),
        ((79, 80), (80, 81)),
        ((40, 30), (107, 80)),
        ((1, 1), (80, 80)),
        ((3_000, 1), (3_000, 80)),
        ((1, 3_000), (80, 3_000)),
        ((30_000, 20), (2_000, 80)),
    ],
)
def test_a_side_is_never_too_short_nor_too_long(
    size: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    made = ready(saved(Image.new("RGB", size, "red"), "PNG"))
    assert (made.width, made.height) == size
    assert (made.converted and shown(made.converted).size) == expected


@pytest.mark.slow
def test_a_file_above_15_mb_becomes_a_jpeg_that_can_be_sent() -> None:
    noise = texture((3_900, 3_900)).convert("RGB")
    content = saved(noise, "PNG", compress_level=0)
    assert len(content) > 15_000_000
    made = ready(content)
    assert made.converted is not None
    assert len(made.converted) <= 5_000_000
    assert shown(made.converted).size == (1_950, 1_950)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_nothing_but_pixels_travels_along(kind: str) -> None:
    tags = Image.Exif()
    tags[0x010F], tags[0x0112] = "A camera", 6
    tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: "a secret"})
    notes: dict[str, object] = {"exif": tags.tobytes()}
    if kind != "TIFF":
        notes["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        notes["xmp"] = XMP
    if kind == "PNG":
        notes["pnginfo"] = PngImagePlugin.PngInfo()
        notes["pnginfo"].add_text("Comment", "a secret")  # type: ignore[attr-defined]
    if kind == "JPEG":
        notes["comment"] = b"a secret"
    content = saved(quarters(), kind, **notes)
    assert any(secret in content for secret in SECRETS)
    made = ready(content)
    assert made.converted is not None
    for derived in (made.converted, made.thumbnail):
        assert not any(secret in derived for secret in SECRETS)
        with Image.open(BytesIO(derived)) as image:
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(("size", "expected"), [((2_000, 1_000), (512, 256)), ((300, 451), (300, 451))])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_thumbnail_is_512_pixels_long_at_most(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    thumbnail = ready(saved(quarters(*size), kind)).thumbnail
    with Image.open(BytesIO(thumbnail)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected)
    assert len(thumbnail) < 60_000


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (240, 160), "black"), Image.new("RGB", (240, 160), "white")]
    content = saved(quarters(), kind, save_all=True, append_images=frames, duration=90)
    assert_like(shown(ready(content).thumbnail), [RED, GREEN, BLUE, WHITE])
