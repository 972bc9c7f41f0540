"""The largest files of each type that are read at all: how long they take, and in how much memory.

The labeler stays below 1280 MiB for any of them. AWS's clients and the embedded networks take 160 MB of it.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from chalicelib.intake.heif import BYTES_A_PIXEL
from tests.intake.pictures import chunk, png, saved

ROOT = Path(__file__).parents[2]
MEBIBYTES = 1280 - 160
SECONDS = 8.0
Make = Callable[[], bytes]


def picture(megapixels: float, mode: str = "RGB") -> Image.Image:
    """Three by two, and not of one colour."""
    width = int((megapixels * 1_500_000) ** 0.5)
    size = (width, int(megapixels * 1_000_000 / width))
    return Image.linear_gradient("L").convert(mode).resize(size, Image.Resampling.NEAREST)


def rows_of(width: int, height: int, bytes_a_pixel: int) -> Iterator[bytes]:
    """The packed pixels of a PNG, row by row: this test needs no more memory than what it tests."""
    packer = zlib.compressobj(1)
    for number in range(height):
        yield packer.compress(b"\x00" + bytes([number % 251]) * (width * bytes_a_pixel))
    yield packer.flush()


def see_through_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = b"".join(rows_of(width, height, 4))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def bmp_of_one_colour(side: int) -> bytes:
    with BytesIO() as stream:
        Image.new("1", (side, side)).save(stream, "BMP")
        return stream.getvalue()


def turned_tiff(megapixels: float, mode: str, compression: str) -> bytes:
    """One strip that holds the whole picture, which then has to be turned: the most a TIFF can ask for."""
    return saved(
        picture(megapixels, mode), "TIFF", compression=compression, strip_size=1 << 30, tiffinfo={274: 6}
    )


LARGEST: dict[str, Make] = {
    "camera.jpg": lambda: saved(picture(199), "JPEG"),
    "progressive.jpg": lambda: saved(picture(199), "JPEG", progressive=True),
    "see-through.png": lambda: see_through_png(16_000, 12_400),
    "grey.png": lambda: saved(picture(199, "L"), "PNG", compress_level=1),
    "see-through.webp": lambda: saved(picture(50, "RGBA"), "WEBP", lossless=True, quality=0, method=0),
    "grey.gif": lambda: saved(picture(199, "L"), "GIF"),
    "bits.bmp": lambda: bmp_of_one_colour(14_000),
    "fractions.tif": lambda: turned_tiff(28.5, "F", "tiff_adobe_deflate"),
    "cmyk.tif": lambda: turned_tiff(100, "CMYK", "tiff_lzw"),
    "strips.tif": lambda: saved(picture(199, "L"), "TIFF", compression="tiff_lzw"),
    "one strip.tif": lambda: turned_tiff(199, "L", "tiff_adobe_deflate"),
    "plain.jp2": lambda: saved(picture(25), "JPEG2000", irreversible=True, quality_layers=[100]),
    "see-through.avif": lambda: saved(picture(50, "RGBA"), "AVIF", speed=10, subsampling="4:4:4"),
}


# Those that take the most memory or time of their kind; the others are measured by night.
DAILY = {"progressive.jpg", "see-through.png", "fractions.tif", "cmyk.tif", "see-through.avif"}


def by_day(name: str) -> object:
    return pytest.param(name, marks=() if name in DAILY else pytest.mark.nightly)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The file of a name; to write one takes its encoder seconds, so each is written once."""
    folder = tmp_path_factory.mktemp("large")

    def file(name: str) -> Path:
        path = folder / name
        if not path.exists():
            path.write_bytes(LARGEST[name]())
        return path

    return file


def measured(path: Path) -> dict[str, float | str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.intake.measure", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, float | str] = json.loads(done.stdout)
    return found


def assert_within(found: dict[str, float | str], mebibytes: float) -> None:
    assert float(found["mib"]) < mebibytes
    assert float(found["seconds"]) < SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("name", [by_day(name) for name in LARGEST])
def test_the_largest_that_is_read_is_read_in_time_and_in_memory(
    name: str, large: Callable[[str], Path]
) -> None:
    found = measured(large(name))
    assert found["code"] == "read"
    assert_within(found, MEBIBYTES)


@pytest.mark.slow
@pytest.mark.parametrize("chroma", [pytest.param(420, marks=pytest.mark.nightly), 444])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_heic_takes_no_more_than_is_reckoned_with(mode: str, chroma: int, tmp_path: Path) -> None:
    """A whole one takes its encoder too long, so it is the bytes a pixel that are measured here."""
    path = tmp_path / "x.heic"
    quick = {"preset": "ultrafast"}  # of the encoder; its decoder takes the same memory
    path.write_bytes(saved(picture(12, mode), "HEIF", quality=20, chroma=chroma, enc_params=quick))
    reckoned = 12e6 * BYTES_A_PIXEL[mode] / (1 << 20)
    assert_within(measured(path), reckoned + 35)


BOMBS: dict[str, Make] = {
    "png": lambda: png(60_000, 60_000, chunk(b"IDAT", zlib.compress(bytes(10_000_000)))),
    "profile": lambda: png(
        9, 9, chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(200_000_000), 9)), chunk(b"IDAT", b"")
    ),
    "gif": lambda: (
        b"GIF89a\xff\xff\xff\xff\x00\x00\x00," + bytes(4) + b"\xff\xff\xff\xff\x00\x08" + bytes(5000)
    ),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.slow
def test_a_bomb_goes_off_in_no_memory_at_all(name: str, tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(BOMBS[name]())
    found = measured(tmp_path / "bomb")
    assert found["code"] in ("too-many-pixels", "corrupt", "truncated")
    assert_within(found, 100)


@pytest.mark.slow
@pytest.mark.nightly
def test_a_process_that_lives_on_keeps_its_memory(large: Callable[[str], Path], tmp_path: Path) -> None:
    """Thirty large photos of mixed kinds one after another, the networks loaded, as in a warm function."""
    names = ["camera.jpg", "progressive.jpg", "see-through.png", "grey.gif", "bits.bmp", "cmyk.tif"]
    paths = [large(name) for name in [*names, "strips.tif", "one strip.tif", "plain.jp2"]]
    paths.append(tmp_path / "plain.webp")
    paths[-1].write_bytes(saved(picture(50), "WEBP", quality=1, method=0))
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.intake.warm", *map(str, 3 * paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["files"][1:]
    assert [one["code"] for one in found] == ["labelled"] * 30
    assert max(one["mib"] for one in found) < 1280
    for early, late in zip(found[10:20], found[20:], strict=True):
        assert late["mib"] < early["mib"] + 60, "nothing is kept from photo to photo"
