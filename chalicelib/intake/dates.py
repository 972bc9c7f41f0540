"""When a photo was taken, in whatever way that is spelt: never a time that nobody noted."""

from __future__ import annotations

import re
from datetime import datetime

from chalicelib.intake import xmp

# EXIF wants "2024:05:06 07:08:09"; others write dashes, slashes or points, ISO 8601, fractions, no seconds.
_MOMENT = re.compile(
    r"(\d{4})([:/.-])(\d{1,2})\2(\d{1,2})[T ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d*)?)?"
    r"\s*(Z|[+-]\d{1,2}:?\d\d)?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d\d)", re.ASCII)
_FARTHEST = 14  # hours from UTC
_IN_XMP = tuple(
    (xmp.property_named(name, least=10), source)
    for name, source in (
        (b"exif:DateTimeOriginal", "xmp:DateTimeOriginal"),
        (b"photoshop:DateCreated", "xmp:DateCreated"),
        (b"xmp:CreateDate", "xmp:CreateDate"),
    )
)


def moment(local: str, offset: str = "") -> str | None:
    """A moment as in RFC 3339, with the offset that it has in itself, else with ``offset`` if there is one.

    None for what names no moment: zeros, blanks, a date alone, the 31st of February.
    """
    found = _MOMENT.fullmatch(local.strip())
    if found is None:
        return None
    numbers = [int(found[part] or 0) for part in (1, 3, 4, 5, 6, 7)]
    try:
        return datetime(*numbers).isoformat() + _offset(found[8] or offset.strip())  # type: ignore[arg-type]
    except ValueError:
        return None


def in_xmp(packet: bytes) -> tuple[str | None, str | None]:
    """When, and by which property: that of the shutter, else of the work's creation, else of the file's."""
    for wanted, source in _IN_XMP:
        taken_at = moment(xmp.value(wanted, packet))
        if taken_at:
            return taken_at, source
    return None, None


def _offset(text: str) -> str:
    if text == "Z":
        return "+00:00"
    found = _OFFSET.fullmatch(text)
    if found is None or int(found[2]) > _FARTHEST or int(found[3]) > 59:
        return ""
    return f"{found[1]}{int(found[2]):02}:{found[3]}"
