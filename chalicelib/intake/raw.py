"""Camera raw files: the preview inside, a JPEG by the camera itself, if it is large enough.

No raw data are decoded. Most of these files are TIFF (NEF, DNG, CR2, ARW, ORF, RW2, PEF …); CR3 consists of
boxes, RAF has a header of its own. Offsets and tags come from Adobe's DNG specification and, for the others,
from exiftool's documentation.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Sequence

from chalicelib.intake import isobmff, jpeg
from chalicelib.intake.tiff_tags import Directory, Tags
from chalicelib.intake.undecoded_image import Size, UndecodedImage, Unsupported

NAME = "a camera raw file without a preview of full size"
_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _COUNTS = 256, 257, 259, 262, 273, 279
_MAKE, _MODEL, _SUBDIRECTORIES, _EXIF, _GPS, _ORIENTATION = 271, 272, 330, 0x8769, 0x8825, 274
_XMP = 700
_PLACE = {1, 2, 3, 4}  # latitude and longitude, each with the side that it is on
_JPEG_AT, _JPEG_SIZE, _DNG_VERSION, _CROP = 513, 514, 0xC612, 0xC620
_PIXEL_WIDTH, _PIXEL_HEIGHT, _MAKER_NOTE = 0xA002, 0xA003, 0x927C
_PANASONIC_JPEG = 0x2E
_PANASONIC_EDGES = (4, 5, 6, 7)  # of the sensor: top, left, bottom, right
_SENSOR = {32_803, 34_892}  # colour filter array, linear raw
_RAW_COMPRESSIONS = {
    32_767,
    32_769,
    32_770,
    34_713,
    65_000,
    65_535,
}  # Sony's, Epson's, Samsung's, Nikon's, others
_MARKS = {b"IIRO", b"IIRS", b"MMOR", b"IIU\x00"}
_FUJIFILM = b"FUJIFILMCCD-RAW "
_CR2 = b"CR"
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CANON_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_MOST_SEARCHED = 64
_LEAST = 0.5  # of the sensor's long side: a smaller preview does not stand for the photo
_LARGE = 1_500  # pixels: a preview of that length does, whatever the size of the sensor
_THUMBNAIL = 160  # pixels: up to that it is no preview, where the size of the sensor is unknown


def is_raw(tags: Tags) -> bool:
    """Whether a TIFF is a camera raw file: by its mark, by sensor data, or as a DNG with a preview."""
    if tags.tiff[:4] in _MARKS or tags.tiff[8:10] == _CR2:
        return True
    directories = list(_directories(tags))
    if any(_is_sensor(tags, one) for one in directories):
        return True
    return bool(directories) and _DNG_VERSION in directories[0] and tags.is_reduced(directories[0])


def read(content: bytes) -> UndecodedImage:
    """The preview inside a raw file of any kind.

    :raises Unsupported: no preview in it is large enough.
    """
    if content.startswith(_FUJIFILM):
        return _read_raf(content)
    return _read_cr3(content) if content[4:8] == b"ftyp" else _read_tiff(content)


def _read_tiff(content: bytes) -> UndecodedImage:
    tags = Tags.of(content)
    directories = list(_directories(tags))
    first = next(iter(directories), {})
    noted = _noted_size(tags, next(tags.below(first, _EXIF), {}))
    sensor = _sensor_size(tags, directories)
    found = _best(content, _places(tags, directories), sensor or noted)
    return dataclasses.replace(
        _as_preview(found, sensor, noted),
        exif=content if tags.number(first, _EXIF) or not found.exif else found.exif,
        xmp=tags.raw(first, _XMP) or found.xmp,
        orientation=_turn(tags.number(first, _ORIENTATION)) if _ORIENTATION in first else None,
    )


def _read_raf(content: bytes) -> UndecodedImage:
    """Fujifilm's: the preview is a JPEG file, with EXIF of its own."""
    at, size = (int.from_bytes(content[start : start + 4], "big") for start in (84, 88))
    found = _best(content, [(at, size)], None)
    return _as_preview(found, None, None)


def _read_cr3(content: bytes) -> UndecodedImage:
    """Canon's of boxes: the preview is the first track's, EXIF lies in boxes of its own."""
    movie = isobmff.first(content, [b"moov"])
    if movie is None:
        raise Unsupported(NAME)
    noted = isobmff.uuid(content, _CANON, movie.start, movie.end)
    blocks = {}
    if noted:
        blocks = {
            box.kind: content[box.start : box.end] for box in isobmff.boxes(content, noted.start, noted.end)
        }
    camera, shot, place = (Tags.of(blocks.get(kind, b"")) for kind in (b"CMT1", b"CMT2", b"CMT4"))
    noted_size = _noted_size(shot, next(shot.chain(), {}))
    found = _best(content, _in_boxes(content, movie), noted_size)
    return dataclasses.replace(
        _as_preview(found, None, noted_size),
        exif=_joined(camera, shot, place),
        orientation=_turn(camera.number(next(camera.chain(), {}), _ORIENTATION)),
    )


def _in_boxes(content: bytes, movie: isobmff.BmffBox) -> Iterator[tuple[int, int]]:
    """The first sample of each track, and the preview in a box of its own."""
    for track in isobmff.boxes(content, movie.start, movie.end):
        if track.kind != b"trak":
            continue
        table = isobmff.first(content, [b"mdia", b"minf", b"stbl"], track.start, track.end)
        inner = {box.kind: box for box in isobmff.boxes(content, table.start, table.end)} if table else {}
        sizes, wide, narrow = inner.get(b"stsz"), inner.get(b"co64"), inner.get(b"stco")
        if sizes is None or not (wide or narrow):
            continue
        size = _at(content, sizes.start + 4, 4) or _at(content, sizes.start + 12, 4)
        yield _at(content, wide.start + 8, 8) if wide else _at(content, (narrow or sizes).start + 8, 4), size
    preview = isobmff.uuid(content, _CANON_PREVIEW)
    inside = isobmff.first(content, [b"PRVW"], preview.start + 8, preview.end) if preview else None
    if inside:
        start = content.find(b"\xff\xd8\xff", inside.start, inside.start + 64)
        yield start, inside.end - start


def _at(content: bytes, start: int, size: int) -> int:
    return int.from_bytes(content[start : start + size], "big")


def _joined(camera: Tags, shot: Tags, place: Tags) -> bytes:
    """One EXIF block made of three: of the camera, of the shot, and of the place."""
    if not shot.tiff:
        return camera.tiff
    at, order = len(shot.tiff), shot.order
    noted = next(place.chain(), {}) if place.order == order else {}
    tags = sorted(_PLACE & noted.keys())
    found = [(tag, noted[tag].kind, noted[tag].count, place.raw(noted, tag)) for tag in tags]
    where = _directory(order, at, found)
    first = next(camera.chain(), {})
    texts = [(tag, camera.text(first, tag).encode() + b"\x00") for tag in (_MAKE, _MODEL)]
    values = [(tag, 2, len(text), text) for tag, text in texts]
    values += [(_EXIF, 4, 1, shot.tiff[4:8]), (_GPS, 4, 1, struct.pack(order + "I", at))]
    start = struct.pack(order + "I", at + len(where))
    return shot.tiff[:4] + start + shot.tiff[8:] + where + _directory(order, at + len(where), values)


def _directory(order: str, at: int, values: Sequence[tuple[int, int, int, bytes]]) -> bytes:
    """A directory of a TIFF at an offset: of each value the tag, the type, the count and the bytes."""
    entries, behind = struct.pack(order + "H", len(values)), b""
    end = at + 2 + 12 * len(values) + 4
    for tag, kind, count, value in values:
        entries += struct.pack(order + "HHI", tag, kind, count)
        if len(value) > 4:
            entries += struct.pack(order + "I", end + len(behind))
            behind += value
        else:
            entries += value.ljust(4, b"\x00")
    return entries + bytes(4) + behind


def _turn(said: int) -> int:
    return said if said in range(1, 9) else 1


def _directories(tags: Tags) -> Iterator[Directory]:
    """The directories of the chain, and two levels of directories below each."""
    for directory in tags.chain():
        yield directory
        for one in tags.below(directory, _SUBDIRECTORIES):
            yield one
            yield from tags.below(one, _SUBDIRECTORIES)


def _is_sensor(tags: Tags, directory: Directory) -> bool:
    return (
        tags.number(directory, _PHOTOMETRIC) in _SENSOR
        or tags.number(directory, _COMPRESSION) in _RAW_COMPRESSIONS
    )


def _sensor_size(tags: Tags, directories: list[Directory]) -> Size | None:
    """The size of the camera's photos, as far as the directory of the raw data says."""
    sizes = []
    for one in directories:
        crop = tags.numbers(one, _CROP, 2)
        if crop and len(crop) == 2:
            sizes.append((int(crop[0]), int(crop[1])))
        elif _is_sensor(tags, one):
            sizes.append((tags.number(one, _WIDTH), tags.number(one, _HEIGHT)))
    if directories and tags.tiff[:4] == b"IIU\x00":
        top, left, bottom, right = (tags.number(directories[0], edge) for edge in _PANASONIC_EDGES)
        sizes.append((right - left, bottom - top))
    return max(sizes, default=None)


def _noted_size(tags: Tags, exif_: Directory) -> Size | None:
    size = tags.number(exif_, _PIXEL_WIDTH), tags.number(exif_, _PIXEL_HEIGHT)
    return size if min(size) > 0 else None


def _places(tags: Tags, directories: list[Directory]) -> Iterator[tuple[int, int]]:
    """Offsets and lengths of possible JPEG files."""
    for one in directories:
        yield tags.number(one, _JPEG_AT), tags.number(one, _JPEG_SIZE)
        if _PANASONIC_JPEG in one:
            yield one[_PANASONIC_JPEG].at, one[_PANASONIC_JPEG].count
        if tags.number(one, _COMPRESSION) in (6, 7) and not _is_sensor(tags, one):
            counts = tags.numbers(one, _COUNTS, 1)
            if counts:
                yield tags.number(one, _OFFSETS), int(counts[0])
        for exif_ in tags.below(one, _EXIF):
            yield from _in_maker_note(tags, exif_)


def _in_maker_note(tags: Tags, exif_: Directory) -> Iterator[tuple[int, int]]:
    """The previews of Olympus (camera settings), Nikon and Pentax (a directory of the maker's note)."""
    note = exif_.get(_MAKER_NOTE)
    if note is None:
        return
    body = tags.tiff[note.at : note.at + note.count]
    if body[:10] in (b"OLYMPUS\x00II", b"OM SYSTEM\x00"):
        base, start = note.at, 12 if body[:7] == b"OLYMPUS" else 16
        inner = dataclasses.replace(tags, tiff=tags.tiff[base:])
        settings = inner.number(inner.entries(start), 0x2020)
        entries = inner.entries(settings)
        yield base + inner.number(entries, 0x101), inner.number(entries, 0x102)
    elif body[:6] == b"Nikon\x00" and body[10:12] in (b"II", b"MM"):
        inner = Tags.of(body[10:])
        for one in inner.below(next(inner.chain(), {}), 0x11):
            yield note.at + 10 + inner.number(one, _JPEG_AT), inner.number(one, _JPEG_SIZE)


def _best(
    content: bytes, places: Iterator[tuple[int, int]] | list[tuple[int, int]], sensor: Size | None
) -> UndecodedImage:
    """The largest JPEG that can be read; it must not be much smaller than the photo."""
    found: list[UndecodedImage] = []
    for number, (at, size) in enumerate(places):
        inner = content[at : at + size] if at > 0 and size > 0 else b""
        if inner.startswith(b"\xff\xd8") and number < _MOST_SEARCHED:
            try:
                found.append(jpeg.read(inner))
            except (Unsupported, ValueError):
                continue
    best = max(found, key=lambda one: one.size[0] * one.size[1], default=None)
    if best is None:
        raise Unsupported(NAME)
    least = _LEAST * max(sensor) if sensor else _THUMBNAIL + 1
    if max(best.size) < min(least, _LARGE):
        raise Unsupported(NAME)
    return best


def _as_preview(found: UndecodedImage, sensor: Size | None, noted: Size | None) -> UndecodedImage:
    """The preview with the size of the camera's photo, if both have the same shape."""
    size = next((one for one in (noted, sensor) if one and _alike(one, found.size)), found.size)
    if max(found.size) >= 0.9 * max(size):
        size = found.size  # the sensor has some rows more than the camera's photos
    return dataclasses.replace(found, plain=None, preview=True, camera_size=size)


def _alike(one: Size, other: Size) -> bool:
    return abs(one[0] * other[1] - one[1] * other[0]) < 0.1 * one[0] * other[1]
