"""One file of each kind that people have, and of each that is broken, with what becomes of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageFilter

from tests.intake.pictures import chunk, exif, png, saved

CHELSEA = Path(__file__).parents[2] / "photos" / "chelsea.jpg"
LABELLED = "labelled"
HTML = b"<!doctype html><html><script>alert(document.domain)</script></html>"
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(4000)
Make = Callable[[], bytes]


def cat(width: int = 451, height: int = 300) -> Image.Image:
    with Image.open(CHELSEA) as image:
        return image.convert("RGB").resize((width, height))


def frames() -> dict[str, object]:
    return {"save_all": True, "append_images": [Image.new("RGB", (451, 300), "red")], "duration": 100}


def see_through(width: int = 451, height: int = 300) -> Image.Image:
    image = cat(width, height).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def wide() -> Image.Image:
    return cat(10_400, 300)


def turned(kind: str, orientation: int = 6, **options: object) -> bytes:
    """A photo from a camera held sideways: stored lying, with a note to turn it."""
    return saved(cat().transpose(Image.Transpose.ROTATE_90), kind, exif=exif(orientation), **options)


def cut(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 90).convert("RGB").filter(ImageFilter.SHARPEN)


def heavy_png() -> bytes:
    """A photo above Rekognition's 15 MB: noise, which nothing compresses."""
    return saved(noise(2600, 2600), "PNG", compress_level=0)


GOOD: dict[str, Make] = {
    "plain.jpg": CHELSEA.read_bytes,
    "progressive.jpg": lambda: saved(cat(), "JPEG", progressive=True),
    "cmyk.jpg": lambda: saved(cat().convert("CMYK"), "JPEG"),
    "grey.jpg": lambda: saved(cat().convert("L"), "JPEG"),
    "sideways.jpg": lambda: turned("JPEG"),
    "two pictures.jpg": lambda: saved(cat(), "MPO", **frames()),
    "polyglot.jpg": lambda: CHELSEA.read_bytes() + HTML,
    "too wide for rekognition.jpg": lambda: saved(wide(), "JPEG"),
    "no suffix": CHELSEA.read_bytes,
    "wrong suffix.heic": CHELSEA.read_bytes,
    "plain.png": lambda: saved(cat(), "PNG"),
    "palette.png": lambda: saved(cat().convert("P"), "PNG"),
    "transparent palette.png": lambda: saved(cat().convert("P"), "PNG", transparency=0),
    "see-through.png": lambda: saved(see_through(), "PNG"),
    "black and white.png": lambda: saved(cat().convert("1"), "PNG"),
    "sixteen bits.png": lambda: saved(cat().convert("I").point(lambda v: v * 257).convert("I;16"), "PNG"),
    "sideways.png": lambda: turned("PNG"),
    "animated.png": lambda: saved(cat(), "PNG", **frames()),
    "heavy.png": heavy_png,
    "tiny.png": lambda: saved(cat(30, 20), "PNG"),
    "one pixel.png": lambda: saved(cat(1, 1), "PNG"),
    "a line.png": lambda: saved(cat(3000, 1), "PNG"),
    "plain.webp": lambda: saved(cat(), "WEBP"),
    "lossless.webp": lambda: saved(see_through(), "WEBP", lossless=True),
    "animated.webp": lambda: saved(cat(), "WEBP", **frames()),
    "sideways.webp": lambda: turned("WEBP"),
    "plain.gif": lambda: saved(cat(), "GIF"),
    "animated.gif": lambda: saved(cat(), "GIF", **frames()),
    "plain.bmp": lambda: saved(cat(), "BMP"),
    "palette.bmp": lambda: saved(cat().convert("P"), "BMP"),
    "plain.tif": lambda: saved(cat(), "TIFF"),
    "lzw.tif": lambda: saved(cat(), "TIFF", compression="tiff_lzw"),
    "jpeg inside.tif": lambda: saved(cat(), "TIFF", compression="jpeg"),
    "cmyk.tif": lambda: saved(cat().convert("CMYK"), "TIFF"),
    "sixteen bits.tif": lambda: saved(cat().convert("I").point(lambda v: v * 257).convert("I;16"), "TIFF"),
    "fractions.tif": lambda: saved(cat().convert("F"), "TIFF"),
    "pages.tif": lambda: saved(cat(), "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]),
    "sideways.tif": lambda: turned("TIFF"),
    "plain.heic": lambda: saved(cat(), "HEIF"),
    "see-through.heic": lambda: saved(see_through(), "HEIF"),
    "sideways.heic": lambda: turned("HEIF"),
    "plain.jp2": lambda: saved(cat(), "JPEG2000"),
    "see-through.jp2": lambda: saved(see_through(), "JPEG2000"),
    "plain.avif": lambda: saved(cat(), "AVIF", speed=10),
    "see-through.avif": lambda: saved(see_through(), "AVIF", speed=10),
    "sideways.avif": lambda: turned("AVIF", speed=10),
}

BAD: dict[str, tuple[str, Make]] = {
    "empty.jpg": ("empty", lambda: b""),
    "text.jpg": ("not-an-image", lambda: b"I am no photo at all."),
    "page.jpg": ("not-an-image", lambda: HTML),
    "document.pdf": ("unsupported-type", lambda: b"%PDF-1.7\n" + bytes(500)),
    "archive.zip": ("not-an-image", lambda: b"PK\x03\x04" + bytes(500)),
    "film.mp4": ("unsupported-type", lambda: MP4),
    "zeros.bin": ("not-an-image", lambda: bytes(100_000)),
    "page with a photo behind it.jpg": ("not-an-image", lambda: HTML + CHELSEA.read_bytes()),
    "drawing.svg": ("unsupported-type", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "icon.ico": ("unsupported-type", lambda: saved(cat(64, 64), "ICO")),
    "plain.jxl": ("unsupported-type", lambda: b"\xff\x0a" + bytes(500)),
    "layers.psd": ("unsupported-type", lambda: b"8BPS\x00\x01" + bytes(500)),
    "bomb.png": ("too-many-pixels", lambda: png(60_000, 60_000, chunk(b"IDAT", zlib.compress(bytes(9))))),
    "thread.png": ("too-many-pixels", lambda: png(150_000, 9, chunk(b"IDAT", zlib.compress(bytes(9))))),
    "a text bomb.png": (
        "corrupt",
        lambda: png(9, 9, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1 << 26)))),
    ),
    "cut.jpg": ("truncated", lambda: cut(CHELSEA.read_bytes())),
    "cut.png": ("truncated", lambda: cut(saved(cat(), "PNG"))),
    "cut.webp": ("truncated", lambda: cut(saved(cat(), "WEBP"))),
    "cut.gif": ("truncated", lambda: cut(saved(cat(), "GIF"))),
    "cut.bmp": ("truncated", lambda: cut(saved(cat(), "BMP"))),
    "cut.tif": ("truncated", lambda: cut(saved(cat(), "TIFF", compression="tiff_lzw"))),
    "cut.heic": ("truncated", lambda: cut(saved(cat(), "HEIF"))),
    "cut.avif": ("truncated", lambda: cut(saved(cat(), "AVIF", speed=10))),
    "hollow.png": ("corrupt", lambda: png(40, 40)),
    "hollow.webp": ("corrupt", lambda: b"RIFF\x10\0\0\0WEBPVP8 " + bytes(12)),
    "hollow.heic": ("corrupt", lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
}
