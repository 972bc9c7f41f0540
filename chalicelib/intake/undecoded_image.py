"""An image whose header has been read and whose pixels have not been decoded yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image

Size = tuple[int, int]

TRUNCATED = "truncated"  # a warning: the end is missing, and what is there is shown
MOSTLY = 0.9  # of a picture's rows: with so many of them it is labelled


class Unsupported(Exception):
    """An undamaged file of a format or layout that is not read; ``what`` names it, with its article."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Truncated(ValueError):
    """The end of the file is missing, and too much of the picture with it."""


@dataclass
class UndecodedImage:
    """What the reader of a format found in a file.

    ``size`` is the size of the stored pixels; ``memory`` is what decoding takes, in bytes, with the picture.
    ``decode`` returns a picture, which may be scaled down, but not below the size that it is given; it may
    add to ``warnings``. ``orientation`` is what the file itself says besides its EXIF, None where EXIF
    decides. ``plain`` is the file with nothing but the picture, where a recogniser may be given it.
    ``camera_size`` is the size of the whole photo where the picture is the ``preview`` of a camera raw file.
    """

    size: Size
    memory: float
    decode: Callable[[Size], Image.Image]
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    orientation: int | None = None
    plain: bytes | None = None
    preview: bool = False
    camera_size: Size | None = None
    warnings: list[str] = field(default_factory=list)
