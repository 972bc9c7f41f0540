"""Where a photo was taken, as XMP spells it (XMP specification, part 2: "GPSCoordinate")."""

from __future__ import annotations

import re

from chalicelib.intake import xmp
from chalicelib.model import Location

# "51,30.5N" in degrees and minutes, or "51,30,15N" with seconds.
_ANGLE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", re.ASCII)
_LATITUDE = xmp.property_named(b"exif:GPSLatitude", least=3)
_LONGITUDE = xmp.property_named(b"exif:GPSLongitude", least=3)


def in_xmp(packet: bytes) -> Location | None:
    """Where, if both angles are noted and are on the earth."""
    latitude = _angle(xmp.value(_LATITUDE, packet), "N", "S", 90)
    longitude = _angle(xmp.value(_LONGITUDE, packet), "E", "W", 180)
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
