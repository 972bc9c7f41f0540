"""What passes as an image, and what an unusable one is told.

Holds `chalicelib/intake/formats.py`, `chalicelib/intake/undecoded_image.py`, `chalicelib/intake/webp.py`.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from chalicelib.errors import UnusableImage
from chalicelib.intake import photos
from chalicelib.intake.photos import Prepared, prepare
from tests.intake.pictures import chunk, encoded, exif, png

ROOT = Path(__file__).parents[2]
PHOTOS = sorted((ROOT / "photos").glob("*.jpg"))
CHELSEA = next(path.read_bytes() for path in PHOTOS if path.stem == "chelsea")
MEBI = 1 << 20


def look(content: bytes, *, max_bytes: int = 15 * MEBI, max_pixels: int = 1_000_000) -> Prepared:
    return prepare(content, max_bytes=max_bytes, max_pixels=max_pixels)


def seen(content: bytes, **limits: int) -> tuple[str, int, int]:
    found = look(content, **limits)
    return found.content_type, found.width, found.height


def refused(content: bytes, *, max_bytes: int = 15 * MEBI, max_pixels: int = 1_000_000) -> UnusableImage:
    with pytest.raises(UnusableImage) as raised:
        look(content, max_bytes=max_bytes, max_pixels=max_pixels)
    return raised.value


# ── what passes ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.name)
def test_the_sample_photos_pass(photo: Path) -> None:
    with Image.open(photo) as image:
        assert seen(photo.read_bytes()) == ("image/jpeg", *image.size)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_passes(mode: str) -> None:
    assert seen(encoded("PNG", mode)) == ("image/png", 60, 40)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"icc_profile": b"any"}, {"comment": b"any"}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_passes(mode: str, options: dict[str, object]) -> None:
    assert seen(encoded("JPEG", mode, **options)) == ("image/jpeg", 60, 40)


def test_a_jpeg_with_a_second_picture_behind_it_is_a_jpeg() -> None:
    content = encoded("MPO", save_all=True, append_images=[Image.new("RGB", (60, 40), "red")])
    assert seen(content) == ("image/jpeg", 60, 40)


def test_an_animated_png_is_a_png() -> None:
    content = encoded("PNG", save_all=True, append_images=[Image.new("RGB", (60, 40), "red")])
    assert seen(content) == ("image/png", 60, 40)


def test_whatever_follows_the_end_of_an_image_does_no_harm() -> None:
    assert look(CHELSEA + b"\x00" * 5000).content_type == "image/jpeg"
    assert look(encoded("PNG") + b"and some text").content_type == "image/png"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_width_and_height_are_those_of_the_upright_picture(kind: str, orientation: int) -> None:
    found = look(encoded(kind, exif=exif(orientation)))
    assert (found.width, found.height) == ((60, 40) if orientation < 5 else (40, 60))
    assert found.exif.orientation == orientation


def test_exif_of_either_byte_order_is_read() -> None:
    def tags(order: str, mark: bytes) -> bytes:
        entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 6, 0)
        return b"Exif\x00\x00" + mark + struct.pack(f"{order}HIH", 42, 8, 1) + entry + bytes(4)

    assert look(encoded("JPEG", exif=tags("<", b"II"))).exif.orientation == 6
    assert look(encoded("JPEG", exif=tags(">", b"MM"))).exif.orientation == 6


@pytest.mark.parametrize(
    "damaged",
    [
        b"Exif\x00\x00",
        b"Exif\x00\x00II*\x00\xff\xff\xff\xff",
        exif(6)[:18],
        exif(77),
        b"Exif\x00\x00no EXIF at all",
    ],
)
def test_a_good_picture_with_damaged_exif_is_good_and_stands_as_it_is(damaged: bytes) -> None:
    assert seen(encoded("JPEG", exif=damaged)) == ("image/jpeg", 60, 40)


# ── what is refused, and how ─────────────────────────────────────────────────────────────────


def test_an_empty_file_is_refused() -> None:
    assert refused(b"").code == "empty"


def test_the_largest_file_allowed_passes_and_one_byte_more_is_refused_with_both_sizes() -> None:
    assert look(CHELSEA, max_bytes=len(CHELSEA)).width == 451
    error = refused(CHELSEA, max_bytes=len(CHELSEA) - 1)
    assert error.code == "too-large"
    assert f"{len(CHELSEA):,} bytes; {len(CHELSEA) - 1:,} are allowed" in error.detail


def test_as_many_pixels_as_allowed_pass_and_one_more_is_refused_with_the_size() -> None:
    assert look(CHELSEA, max_pixels=451 * 300).width == 451
    error = refused(CHELSEA, max_pixels=451 * 300 - 1)
    assert error.code == "too-many-pixels"
    assert "451 × 300 pixels; 135,299" in error.detail


@pytest.mark.parametrize("side", [13_000, 65_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded_and_without_a_warning(side: int) -> None:
    bomb = png(side, side, chunk(b"IDAT", b"this is never looked at"))
    assert refused(bomb, max_pixels=100_000_000).code == "too-many-pixels"


def test_a_size_that_pillow_would_warn_of_passes_if_it_is_allowed() -> None:
    side = 9_500
    packed = zlib.compress(bytes(side * (side // 8 + 2)), 1)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    assert seen(content, max_pixels=100_000_000) == ("image/png", side, side)


@pytest.mark.parametrize("name", [b"k", b"XML:com.adobe.xmp", b"Raw profile type exif"])
def test_a_bomb_in_a_png_s_text_does_not_go_off(name: bytes) -> None:
    bomb = chunk(b"zTXt", name + b"\x00\x00" + zlib.compress(bytes(80 * MEBI)))
    assert seen(png(1, 1, bomb, chunk(b"IDAT", zlib.compress(b"\x00\x00")))) == ("image/png", 1, 1)


# Bytes a pixel, as docs/photos.md gives the limits.
HUNGER = {
    "progressive JPEG 4:2:0": (3.3, encoded("JPEG", size=(600, 400), progressive=True)),
    "progressive JPEG 4:4:4": (6.6, encoded("JPEG", size=(600, 400), progressive=True, subsampling=0)),
    "PNG": (4, encoded("PNG")),
    "grey PNG": (1, encoded("PNG", "L")),
    "16-bit PNG": (2.3, encoded("PNG", "I;16")),
    "WebP": (16.5, encoded("WEBP")),
    "GIF": (1, encoded("GIF", "L")),
    "BMP": (4, encoded("BMP")),
    "TIFF": (7, encoded("TIFF")),
    "grey TIFF": (2, encoded("TIFF", "L")),
    "see-through BMP": (12, encoded("BMP", "RGBA")),
    "PNG in which a colour stands for nothing": (13, encoded("PNG", "RGB", transparency=(1, 2, 3))),
    "AVIF": (13, encoded("AVIF")),
    "HEIC": (6.9, encoded("HEIF")),
    "see-through HEIC": (11.5, encoded("HEIF", "RGBA")),
}


@pytest.mark.parametrize("name", HUNGER)
def test_no_more_pixels_are_read_than_memory_is_there_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bytes_a_pixel, content = HUNGER[name]
    width, height = seen(content)[1:]
    needed = len(content) + bytes_a_pixel * width * height
    monkeypatch.setattr(photos, "MEMORY_BYTES", 1.02 * needed)
    assert seen(content)[1:] == (width, height)
    monkeypatch.setattr(photos, "MEMORY_BYTES", 0.98 * needed)
    assert refused(content).code == "too-many-pixels"


def test_a_camera_s_jpeg_needs_no_memory_by_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded("JPEG", size=(600, 400))
    monkeypatch.setattr(photos, "MEMORY_BYTES", len(content) + 600 * 400)
    assert seen(content) == ("image/jpeg", 600, 400)


def test_a_jpeg_of_more_scans_than_anybody_writes_is_refused() -> None:
    whole = encoded("JPEG", size=(64, 64), progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    assert look(whole[:-2] + 80 * last + whole[-2:]).width == 64
    assert refused(whole[:-2] + 120 * last + whole[-2:]).code == "corrupt"


@pytest.mark.parametrize("prefix", [b"Exif\x00\x00", b""])
def test_a_jpeg_whose_exif_claims_any_memory_is_read_without_it(prefix: bytes) -> None:
    entries = b"".join(struct.pack("<HHII", 0x9000 + n, 7, 60_000, 8) for n in range(4_000))
    block = prefix + b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 4_000) + entries + bytes(4)
    assert seen(encoded("JPEG", exif=block)) == ("image/jpeg", 60, 40)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("ICO", "an ICO"),
    ],
)
def test_other_images_are_refused_by_name(kind: str, shown: str) -> None:
    error = refused(encoded(kind))
    assert error.code == "unsupported-type"
    assert f"{shown} image" in error.detail
    assert "Send it as JPEG, PNG" in error.detail


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\x00\x01" + bytes(6), "Photoshop"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"\x00\x00\x00\x1cftypmp42", "video"),
        (b"\x00\x00\x00\x14ftypqt  ", "video"),
        (b"II\xbc\x01", "JPEG XR"),
        (b"v/1\x01", "OpenEXR"),
        (b"P6\n9 9\n", "Netpbm"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf<svg></svg>", "SVG"),
    ],
)
def test_images_that_pillow_does_not_write_are_known_by_their_first_bytes(head: bytes, shown: str) -> None:
    error = refused(head)
    assert (error.code, shown in error.detail) == ("unsupported-type", True)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00",
        b"hello, world",
        b"<html><img src=cat.jpg></html>",
        b"PK\x03\x04" + bytes(100),
        b"BM is how this text begins",
        bytes(10_000),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_image_is_refused(content: bytes) -> None:
    assert refused(content).code == "not-an-image"


@pytest.mark.parametrize(
    ("share", "options"),
    [
        (0.001, {}),
        (0.1, {}),
        (0.5, {}),
        (0.85, {}),
        (0.1, {"progressive": True}),
        (0.3, {"progressive": True}),
    ],
)
def test_a_jpeg_that_ends_too_soon_is_refused(options: dict[str, object], share: float) -> None:
    whole = encoded("JPEG", size=(300, 200), **options)
    error = refused(whole[: max(3, int(len(whole) * share))])
    assert error.code == "truncated"
    assert "Upload it again" in error.detail


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.89])
def test_a_png_that_ends_too_soon_is_refused(share: float) -> None:
    whole = encoded("PNG", size=(300, 200))
    assert refused(whole[: max(8, int(len(whole) * share))]).code == "truncated"


def test_the_end_of_a_thumbnail_is_not_taken_for_the_end_of_the_photo() -> None:
    thumbnail = encoded("JPEG", size=(160, 120))
    photo = encoded("JPEG", size=(600, 400), exif=exif(1) + thumbnail)
    assert thumbnail in photo
    assert refused(photo[: len(photo) // 2]).code == "truncated"


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    whole = bytearray(encoded("PNG"))
    whole[whole.index(b"IDAT") + 20] ^= 0xFF
    assert refused(bytes(whole)).code == "corrupt"


def test_a_png_without_pixels_is_refused() -> None:
    assert refused(png(0, 0, chunk(b"IDAT", zlib.compress(b"")))).code == "corrupt"
    assert refused(png(4, 4)).code == "corrupt"


@pytest.mark.parametrize("lost", [slice(5, 7), slice(7, 9)], ids=["height", "width"])
def test_a_jpeg_without_pixels_is_refused(lost: slice) -> None:
    whole = bytearray(encoded("JPEG"))
    frame = whole.index(b"\xff\xc0")
    whole[frame + lost.start : frame + lost.stop] = b"\x00\x00"
    assert refused(bytes(whole)).code == "corrupt"


def test_a_jpeg_whose_tables_are_damaged_is_refused() -> None:
    whole = bytearray(encoded("JPEG"))
    table = whole.index(b"\xff\xdb")
    whole[table + 2 : table + 4] = b"\x00\x03"
    assert refused(bytes(whole)).code == "corrupt"


def test_a_head_with_nothing_behind_it_is_refused() -> None:
    for head in (b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"):
        assert refused(head).code == "truncated"


def test_a_type_whose_reader_was_not_deployed_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded("HEIF")
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    error = refused(content)
    assert (error.code, "a HEIC image" in error.detail) == ("unsupported-type", True)


def test_readers_of_rare_types_are_imported_when_such_a_file_is_met() -> None:
    program = (
        "import sys, chalicelib.intake.photos;"
        "sys.exit(sum(name in sys.modules for name in ('pi_heif', 'PIL.WebPImagePlugin')))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0  # noqa: S603


def test_every_refusal_is_a_sentence_that_says_what_to_do() -> None:
    refusals = [
        refused(b""),
        refused(b"text"),
        refused(encoded("ICO")),
        refused(CHELSEA[:20_000]),
        refused(CHELSEA, max_bytes=9),
        refused(CHELSEA, max_pixels=9),
        refused(png(0, 0)),
    ]
    assert len({error.code for error in refusals}) == 7
    for error in refusals:
        assert error.detail.startswith("The ")
        assert any(word in error.detail for word in ("Send", "Upload", "Scale", "Save")), error.detail
