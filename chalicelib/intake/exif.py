"""What a camera noted in a photo (EXIF 2.32): how it was held, when, which one it was, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.intake.tags import Tags, Value
from chalicelib.model import Location

_MAKE, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112
_EXIF, _GPS = 0x8769, 0x8825
_TAKEN, _TAKEN_OFFSET = 0x9003, 0x9011
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d", re.ASCII)


@dataclass(frozen=True)
class Exif:
    """``orientation`` 1–8, 1 upright; ``taken_at`` as in RFC 3339, its offset only if noted."""

    orientation: int = 1
    taken_at: str | None = None
    camera: str | None = None
    location: Location | None = None


def read(block: bytes) -> Exif:
    """What an EXIF block, with or without its ``Exif`` head, or a whole TIFF says; nothing if damaged."""
    tags = Tags.of(block.removeprefix(b"Exif\x00\x00"))
    first = tags.first()
    taken = tags.directory(_number(first, _EXIF))
    return Exif(
        orientation=_orientation(first),
        taken_at=_taken_at(_text(taken, _TAKEN), _text(taken, _TAKEN_OFFSET)),
        camera=_camera(_text(first, _MAKE), _text(first, _MODEL)),
        location=_location(tags.directory(_number(first, _GPS))),
    )


def _orientation(first: Mapping[int, Value]) -> int:
    value = _number(first, _ORIENTATION)
    return int(value) if value in range(1, 9) else 1


def _taken_at(local: str, offset: str) -> str | None:
    """The camera's clock; which instant that was is only known if it also noted the offset from UTC."""
    try:
        moment = datetime.strptime(local, "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    return moment.isoformat() + (offset if _OFFSET.fullmatch(offset) else "")


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
