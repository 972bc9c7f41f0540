"""What a camera noted in a photo (EXIF 2.32): how it was held, when, which one it was, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.intake import dates, places
from chalicelib.intake.tags import Tags, Value
from chalicelib.model import Location

_MAKE, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112
_EXIF, _GPS = 0x8769, 0x8825
# Which tag says when, which says how far that clock is from UTC, and what to call that: the best one first.
_TIMES = (
    (0x9003, 0x9011, "exif:DateTimeOriginal"),
    (0x9004, 0x9012, "exif:DateTimeDigitized"),
)
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4


@dataclass(frozen=True)
class Exif:
    """``orientation`` 1–8, 1 upright; ``taken_at`` as in RFC 3339, its offset only if noted.

    ``taken_at_source`` is the note that it is from.
    """

    orientation: int = 1
    taken_at: str | None = None
    camera: str | None = None
    location: Location | None = None
    taken_at_source: str | None = None


def noted(block: bytes, xmp: bytes) -> Exif:
    """What EXIF and XMP say together: XMP is asked where EXIF knows no time, or no place."""
    found = read(block)
    if not found.taken_at:
        taken_at, source = dates.in_xmp(xmp)
        found = replace(found, taken_at=taken_at, taken_at_source=source)
    return found if found.location else replace(found, location=places.in_xmp(xmp))


def read(block: bytes) -> Exif:
    """What an EXIF block, with or without its ``Exif`` head, or a whole TIFF says; nothing if damaged."""
    tags = Tags.of(_tiff_in(block))
    first = tags.first()
    taken_at, source = _taken(tags.directory(_number(first, _EXIF)))
    return Exif(
        orientation=_orientation(first),
        taken_at=taken_at,
        taken_at_source=source,
        camera=_camera(_text(first, _MAKE), _text(first, _MODEL)),
        location=_location(tags.directory(_number(first, _GPS))),
    )


def _orientation(first: Mapping[int, Value]) -> int:
    value = _number(first, _ORIENTATION)
    return int(value) if value in range(1, 9) else 1


def _tiff_in(block: bytes) -> bytes:
    """The TIFF inside: some writers put ``Exif`` before it, once, twice, or with other bytes behind."""
    while block[:4] == b"Exif":
        block = block[6:]
    return block


def _taken(exif: Mapping[int, Value]) -> tuple[str | None, str | None]:
    """When, by the camera's clock; which instant that was is only known if it also noted its own offset."""
    for tag, offset, name in _TIMES:
        moment = dates.moment(_text(exif, tag), _text(exif, offset))
        if moment:
            return moment, name
    return None, None


def _camera(make: str, model: str) -> str | None:
    """``Apple iPhone 15``; makers that repeat their name in the model are not named twice."""
    first_word = make.split(" ")[0].lower()
    full = model if model.lower().startswith(first_word) else f"{make} {model}"
    return " ".join("".join(c if c.isprintable() else " " for c in full).split()) or None


def _location(gps: Mapping[int, Value]) -> Location | None:
    latitude = _degrees(gps, _LATITUDE, _LATITUDE_REF, "N", "S")
    longitude = _degrees(gps, _LONGITUDE, _LONGITUDE_REF, "E", "W")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Location(latitude, longitude)


def _degrees(gps: Mapping[int, Value], tag: int, ref: int, plus: str, minus: str) -> float | None:
    parts, side = gps.get(tag), _text(gps, ref)
    side = side[:1].upper()
    if not isinstance(parts, tuple) or len(parts) != 3 or side not in (plus, minus):
        return None
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    return round(degrees if side == plus else -degrees, 6)


def _text(values: Mapping[int, Value], tag: int) -> str:
    value = values.get(tag, "")
    return value if isinstance(value, str) else ""


def _number(values: Mapping[int, Value], tag: int) -> float:
    value = values.get(tag, ())
    return value[0] if isinstance(value, tuple) and value else 0
