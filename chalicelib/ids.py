"""Identifiers, and times as text."""

from __future__ import annotations

import datetime
import hashlib
import re

from ulid import ULID

EPOCH = datetime.datetime.fromtimestamp(0, tz=datetime.UTC)
LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999, the last that RFC 3339 can write
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2}))?"
)


def new_id() -> str:
    """A ULID: 26 characters, sortable by the millisecond of its creation, with 80 random bits."""
    return str(ULID())


def is_id(text: str) -> bool:
    """Whether ``text`` has the canonical form of an id made by :func:`new_id`."""
    try:
        return str(ULID.from_str(text)) == text
    except ValueError:
        return False


def moment_of(image_id: str) -> int:
    """The millisecond since 1970 in which an id was created."""
    return ULID.from_str(image_id).milliseconds


def first_id_of(millisecond: int) -> str:
    """The smallest id of a millisecond since 1970."""
    return str(ULID(millisecond.to_bytes(6, "big") + bytes(10)))


def derived_id(*parts: str) -> str:
    """An id that depends on its parts only: 32 hexadecimal digits."""
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def is_derived_id(text: str) -> bool:
    """Whether ``text`` has the form of an id made by :func:`derived_id`."""
    return len(text) == 32 and set(text) <= set("0123456789abcdef")


def millisecond_at(text: str) -> int:
    """The first millisecond since 1970 that is not before an RFC 3339 time, or a date's midnight in UTC.

    :raises ValueError: ``text`` is neither.
    """
    if not _TIME.fullmatch(text):
        raise ValueError
    moment = datetime.datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    millisecond = -((EPOCH - moment) // datetime.timedelta(milliseconds=1))
    if not 0 <= millisecond <= LAST_MILLISECOND:
        raise ValueError
    return millisecond


def rfc3339(moment: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC with milliseconds."""
    at = datetime.datetime.fromtimestamp(moment, tz=datetime.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
