"""Where a page ended, as an opaque word that fits into a URL."""

from __future__ import annotations

import base64
from collections.abc import Callable

from chalicelib.errors import BadRequest

LONGEST = 1366  # characters: base64 of 1024 bytes, the longest sort key of DynamoDB


def encode(after: str | None) -> str | None:
    """The cursor of a page that ended after ``after``; ``None`` where nothing follows."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def decode(cursor: str | None, fits: Callable[[str], bool]) -> str | None:
    """What :func:`encode` was given, if it ``fits`` the question; anything else is a :exc:`BadRequest`."""
    if cursor is None:
        return None
    try:
        after = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:  # binascii.Error, UnicodeDecodeError, or characters beyond ASCII
        raise _bad() from error
    if encode(after) != cursor or not fits(after):  # the decoder skips what is not base64
        raise _bad()
    return after


def _bad() -> BadRequest:
    return BadRequest(
        "The cursor was not given out for this question; start again without it.",
        code="bad-cursor",
        pointer="?cursor",
    )
