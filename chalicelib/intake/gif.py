"""GIF (GIF89a specification): its first picture."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageChops
from PIL.GifImagePlugin import GifImageFile

from chalicelib.intake.undecoded_image import MOSTLY, TRUNCATED, Size, Truncated, UndecodedImage

_TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C


def read(content: bytes) -> UndecodedImage:
    """A GIF's first picture, of which nothing has been decoded."""
    if _image_at(content) is None:
        raise Truncated("no picture") if not is_whole(content) else ValueError("no picture")
    warnings: list[str] = []

    def decode(at_least: Size) -> Image.Image:
        image = GifImageFile(BytesIO(content))
        try:
            image.load()
        except (OSError, IndexError):
            shown, rows = _as_far_as_it_goes(content)
            if is_whole(content):
                raise
            if rows < MOSTLY:
                raise Truncated("most rows are missing") from None
            warnings.append(TRUNCATED)
            return shown
        if not is_whole(content):
            warnings.append(TRUNCATED)
        return image

    with GifImageFile(BytesIO(content)) as head:
        size = head.size
    return UndecodedImage(size, size[0] * size[1] * 1.0, decode, warnings=warnings)


def is_whole(content: bytes) -> bool:
    """Whether the blocks reach the mark of the end."""
    at = _after_header(content)
    while at < len(content):
        kind = content[at]
        if kind == _TRAILER:
            return True
        if kind == _EXTENSION:
            at = _after_blocks(content, at + 2)
        elif kind == _IMAGE and at + 10 <= len(content):
            at = _after_blocks(content, at + 10 + _table(content[at + 9]) + 1)
        else:
            return False
    return False


def _image_at(content: bytes) -> int | None:
    at = _after_header(content)
    while at < len(content):
        if content[at] == _IMAGE:
            return at
        if content[at] != _EXTENSION:
            return None
        at = _after_blocks(content, at + 2)
    return None


def _after_header(content: bytes) -> int:
    return 13 + _table(content[10]) if len(content) >= 13 else len(content)


def _table(flags: int) -> int:
    """How many bytes the colour table takes that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    """The offset after the empty block that ends a sequence of blocks; beyond the end if there is none."""
    while at < len(content):
        size = content[at]
        at += 1 + size
        if size == 0:
            return at
    return len(content) + 1


class _Prefilled(GifImageFile):
    """Pillow's reader, with a chosen colour where no pixel is written."""

    filling = 0

    def load_prepare(self) -> None:
        super().load_prepare()
        self.im.paste(self.filling, (0, 0, *self.size))


def _as_far_as_it_goes(content: bytes) -> tuple[Image.Image, float]:
    """The picture without its missing rows, and the share of rows that are there.

    It is decoded over two different colours: rows that come out the same have been written.
    """
    shown = []
    for filling in (0, 255):
        image = _Prefilled(BytesIO(content))
        image.filling = filling
        try:
            image.load()
        except (OSError, IndexError):
            image.tile = []
        image.load()
        shown.append(Image.frombytes("L", image.size, image.tobytes()))
        if filling == 0:
            first = image
    width, height = first.size
    difference = ImageChops.difference(*shown).tobytes()
    there = sum(difference.count(0, at, at + width) == width for at in range(0, width * height, width))
    return first, there / height
