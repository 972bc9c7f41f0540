"""TIFF (TIFF 6.0 and its supplements, BigTIFF): which picture of the file is the photo."""

from __future__ import annotations

from chalicelib.intake.tiff_layout import COMPRESSION, HEIGHT, WIDTH, Layout
from chalicelib.intake.tiff_pixels import TiffPicture
from chalicelib.intake.tiff_strips import OLD_JPEG
from chalicelib.intake.tiff_tags import Directory, Tags
from chalicelib.intake.undecoded_image import Truncated, UndecodedImage, Unsupported

_ORIENTATION, _SUBDIRECTORIES, _XMP, _PROFILE = 274, 330, 700, 34_675


def read(content: bytes) -> UndecodedImage:
    """A TIFF's main picture.

    :raises Unsupported: its layout would not be read correctly here.
    """
    tags = Tags.of(content)
    directory = main_directory(tags)
    if tags.number(directory, COMPRESSION, 1) == OLD_JPEG:
        return _old_jpeg(tags, directory, content)
    picture = TiffPicture(tags, directory)
    picture.check()
    first = next(tags.chain(), {})  # it may say what the picture's own directory does not
    turn = tags.number(directory, _ORIENTATION) or tags.number(first, _ORIENTATION)
    return UndecodedImage(
        (picture.width, picture.height),
        picture.memory(),
        picture.decode,
        exif=content,
        xmp=tags.raw(directory, _XMP) or tags.raw(first, _XMP),
        profile=tags.raw(directory, _PROFILE),
        orientation=turn if turn in range(1, 9) else 1,
    )


def main_directory(tags: Tags) -> Directory:
    """The directory of the picture itself: not of a smaller copy of it, nor of a mask.

    Some writers put a preview first, and the picture into a directory below or after it.
    """
    chain = list(tags.chain())
    if not chain:
        raise Truncated("no directory")
    for directory in chain:
        for one in (directory, *tags.below(directory, _SUBDIRECTORIES)):
            if not tags.is_reduced(one) and tags.number(one, WIDTH):
                return one
    return max(chain, key=lambda one: tags.number(one, WIDTH) * tags.number(one, HEIGHT))


def _old_jpeg(tags: Tags, directory: Directory, content: bytes) -> UndecodedImage:
    """JPEG as it was before technical note 2: readable if there is one whole JPEG file inside."""
    from chalicelib.intake import jpeg

    start, size = tags.number(directory, 513), tags.number(directory, 514)
    inner = content[start : start + size] if size else content[start:]
    if not start or not inner.startswith(b"\xff\xd8\xff"):
        raise Unsupported("a TIFF image with JPEG compression of the old kind")
    found = jpeg.read(inner)
    if found.size != (tags.number(directory, WIDTH), tags.number(directory, HEIGHT)):
        raise Unsupported("a TIFF image with JPEG compression of the old kind")
    found.exif, found.plain = content, None
    return found


def is_whole(content: bytes) -> bool:
    """Whether all that the main directory tells of lies inside the file."""
    try:
        tags = Tags.of(content)
        directory = main_directory(tags)
        offsets, counts = Layout(tags, directory).places()
    except (ValueError, Unsupported):
        return False
    return all(
        at + size <= len(content) or size >= 1 << 40 for at, size in zip(offsets, counts, strict=False)
    )
