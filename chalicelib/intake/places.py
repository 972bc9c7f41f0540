"""Where a photo was taken, as XMP spells it (XMP specification, part 2: "GPSCoordinate")."""

from __future__ import annotations

import re

from chalicelib.model import Location

_MOST_XMP = 4 << 20
# "51,30.5N" in degrees and minutes, or "51,30,15N" with seconds.
_ANGLE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", re.ASCII)
_LATITUDE, _LONGITUDE = (
    re.compile(rb"[<\s]exif:GPS" + name + rb"\s*(?:=\s*[\"']|>)\s*([^\"'<]{3,40}?)\s*[\"'<]")
    for name in (b"Latitude", b"Longitude")
)


def in_xmp(packet: bytes) -> Location | None:
    """Where, if both angles are noted and are on the earth."""
    latitude = _angle(_LATITUDE.search(packet[:_MOST_XMP]), "N", "S", 90)
    longitude = _angle(_LONGITUDE.search(packet[:_MOST_XMP]), "E", "W", 180)
    return None if latitude is None or longitude is None else Location(latitude, longitude)


def _angle(noted: re.Match[bytes] | None, plus: str, minus: str, most: int) -> float | None:
    found = noted and _ANGLE.fullmatch(noted[1].decode("ascii", "replace"))
    if not found or found[4] not in (plus, minus):
        return None
    minutes, seconds = float(found[2]), float(found[3] or 0)
    degrees = int(found[1]) + minutes / 60 + seconds / 3600
    if minutes >= 60 or seconds >= 60 or degrees > most:
        return None
    return round(degrees if found[4] == plus else -degrees, 6)
