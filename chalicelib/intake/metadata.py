"""What a camera notes in a photo, in EXIF or XMP: orientation, time, camera and place.

EXIF 2.32; the XMP specification, part 2. XMP is searched for single properties, not parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.intake.tiff_tags import Tags, Value
from chalicelib.model import Location

_MAKE, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112
_EXIF, _GPS = 0x8769, 0x8825
# The tags of a time and of its offset from UTC, and the name of this source: the best one first.
_TIMES = (
    (0x9003, 0x9011, "exif:DateTimeOriginal"),
    (0x9004, 0x9012, "exif:DateTimeDigitized"),
)
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4
# EXIF wants "2024:05:06 07:08:09"; others write dashes, slashes or points, ISO 8601, fractions, no seconds.
_MOMENT = re.compile(
    r"(\d{4})([:/.-])(\d{1,2})\2(\d{1,2})[T ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d*)?)?"
    r"\s*(Z|[+-]\d{1,2}:?\d\d)?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d\d)", re.ASCII)
_FARTHEST = 14  # hours from UTC
_MOST_BYTES = 4 << 20  # of an XMP packet: only so many are searched


@dataclass(frozen=True)
class Exif:
    """``orientation`` 1–8, 1 is upright; ``taken_at`` as in RFC 3339, with an offset only if there is one.

    ``taken_at_source`` names the tag or property that it comes from.
    """

    orientation: int = 1
    taken_at: str | None = None
    camera: str | None = None
    location: Location | None = None
    taken_at_source: str | None = None


def completed(found: Exif, xmp: bytes) -> Exif:
    """What EXIF and XMP say together: XMP is asked where EXIF knows no time, or no place."""
    if not found.taken_at:
        taken_at, source = time_in_xmp(xmp)
        found = replace(found, taken_at=taken_at, taken_at_source=source)
    return found if found.location else replace(found, location=place_in_xmp(xmp))


def read(block: bytes) -> Exif:
    """What an EXIF block, with or without its ``Exif`` head, or a whole TIFF says; nothing if damaged."""
    while block[:4] == b"Exif":  # some writers put this before it once, others twice
        block = block[6:]
    tags = Tags.of(block)
    first = tags.first()
    turn = _number(first, _ORIENTATION)
    taken_at, source = _taken(tags.directory(_number(first, _EXIF)))
    return Exif(
        orientation=int(turn) if turn in range(1, 9) else 1,
        taken_at=taken_at,
        taken_at_source=source,
        camera=_camera(_text(first, _MAKE), _text(first, _MODEL)),
        location=_location(tags.directory(_number(first, _GPS))),
    )


def _taken(exif: Mapping[int, Value]) -> tuple[str | None, str | None]:
    """The time by the camera's clock, with its offset from UTC if the camera noted that, and its source."""
    for tag, offset, name in _TIMES:
        moment = moment_of(_text(exif, tag), _text(exif, offset))
        if moment:
            return moment, name
    return None, None


def _camera(make: str, model: str) -> str | None:
    """Maker and model (``Apple iPhone 15``); a maker whose name is in the model is not named twice."""
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


def moment_of(local: str, offset: str = "") -> str | None:
    """A time as in RFC 3339, with the offset in ``local``, else with ``offset`` if there is one.

    None for what is no time: zeros, blanks, a date alone, the 31st of February.
    """
    found = _MOMENT.fullmatch(local.strip())
    if found is None:
        return None
    numbers = [int(found[part] or 0) for part in (1, 3, 4, 5, 6, 7)]
    try:
        return datetime(*numbers).isoformat() + _offset(found[8] or offset.strip())  # type: ignore[arg-type]
    except ValueError:
        return None


def _offset(text: str) -> str:
    if text == "Z":
        return "+00:00"
    found = _OFFSET.fullmatch(text)
    if found is None or int(found[2]) > _FARTHEST or int(found[3]) > 59:
        return ""
    return f"{found[1]}{int(found[2]):02}:{found[3]}"


def _property(name: bytes, *, least: int) -> re.Pattern[bytes]:
    """A pattern for a property with its prefix and a value of ``least`` to 40 characters."""
    return re.compile(rb"[<\s]" + name + rb"\s*(?:=\s*[\"']|>)\s*([^\"'<]{%d,40}?)\s*[\"'<]" % least)


_TIMES_IN_XMP = tuple(
    (_property(name, least=10), source)
    for name, source in (
        (b"exif:DateTimeOriginal", "xmp:DateTimeOriginal"),
        (b"photoshop:DateCreated", "xmp:DateCreated"),
        (b"xmp:CreateDate", "xmp:CreateDate"),
    )
)
# "51,30.5N" in degrees and minutes, or "51,30,15N" with seconds.
_ANGLE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", re.ASCII)
_XMP_LATITUDE = _property(b"exif:GPSLatitude", least=3)
_XMP_LONGITUDE = _property(b"exif:GPSLongitude", least=3)


def time_in_xmp(packet: bytes) -> tuple[str | None, str | None]:
    """The time and its property: that of the shutter, else of the work's creation, else of the file's."""
    for wanted, source in _TIMES_IN_XMP:
        taken_at = moment_of(_value(wanted, packet))
        if taken_at:
            return taken_at, source
    return None, None


def place_in_xmp(packet: bytes) -> Location | None:
    """The place, if the packet has both angles and they are on the earth."""
    latitude = _angle(_value(_XMP_LATITUDE, packet), "N", "S", 90)
    longitude = _angle(_value(_XMP_LONGITUDE, packet), "E", "W", 180)
    return None if latitude is None or longitude is None else Location(latitude, longitude)


def _angle(noted: str, plus: str, minus: str, most: int) -> float | None:
    found = _ANGLE.fullmatch(noted)
    if not found or found[4] not in (plus, minus):
        return None
    minutes, seconds = float(found[2]), float(found[3] or 0)
    degrees = int(found[1]) + minutes / 60 + seconds / 3600
    if minutes >= 60 or seconds >= 60 or degrees > most:
        return None
    return round(degrees if found[4] == plus else -degrees, 6)


def _value(of: re.Pattern[bytes], packet: bytes) -> str:
    """The first value of a property; empty where the packet has none."""
    found = of.search(packet[:_MOST_BYTES])
    return found[1].decode("ascii", "replace") if found else ""
