"""ImageMagick, a reader that shares no code with ours, says what is on a picture."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from chalicelib.intake.photos import Prepared, prepare

CONVERT = Path("/usr/bin/convert")
judged = pytest.mark.skipif(
    not CONVERT.exists(), reason="ImageMagick (Debian's imagemagick) is not installed"
)


def read(content: bytes) -> Prepared:
    return prepare(content, max_bytes=50_000_000, max_pixels=200_000_000)


def shown(content: bytes) -> Image.Image:
    """The thumbnail, which is the picture itself if that has at most 512 pixels a side."""
    with Image.open(BytesIO(read(content).thumbnail)) as image:
        return image.convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures' bytes; more than there can be if their shapes differ."""
    if one.size != other.size:
        return 999.0
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def magick(*arguments: str, content: bytes = b"") -> bytes:
    """What ``convert`` writes to its standard output."""
    done = subprocess.run([str(CONVERT), *arguments], input=content, capture_output=True, timeout=60)  # noqa: S603
    assert done.stdout, done.stderr
    return done.stdout


def verdict(content: bytes, kind: str, size: tuple[int, int]) -> Image.Image:
    """How ImageMagick sees a file: in sRGB, on white."""
    plain = ("-background", "white", "-alpha", "remove", "-colorspace", "sRGB", "-depth", "8", "rgb:-")
    return Image.frombytes("RGB", size, magick(f"{kind}:-[0]", *plain, content=content))
