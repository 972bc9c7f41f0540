"""The retry schedule of a delivery: ten attempts over about 75 hours.

It is the example of the Standard Webhooks specification 1.0, "Retry schedule". Each wait is up to a fifth
longer or shorter at random, so that a receiver that comes back does not get everything at once.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from email.utils import parsedate_to_datetime

MINUTE, HOUR = 60.0, 3600.0
# Seconds before each attempt, counted from the one before.
WAITS = (
    0.0,
    5.0,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
JITTER = 0.2
TRIES = len(WAITS)
LONGEST_ASKED = 24 * HOUR

Spread = Callable[[float, float], float]  # a number between the two


def wait_after(tries: int, asked: float | None = None, spread: Spread = random.uniform) -> float | None:
    """Seconds to wait after so many attempts; None after the last one.

    Where a receiver ``asked`` for a wait (Retry-After), the longer of both counts: ten attempts, each after
    the two seconds it asked for, would be used up within half a minute.
    """
    if tries >= TRIES:
        return None
    scheduled = WAITS[tries] * (1 + spread(-JITTER, JITTER))
    return max(scheduled, (asked or 0.0) * (1 + spread(0, JITTER)))


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` (RFC 9110 §10.2.3) asks for, at most a day; None if it says nothing.

    ``now`` is in seconds since 1970, for the form that names a date.
    """
    if value is None:
        return None
    seconds = float(value) if value.isascii() and value.isdecimal() else _until(value, now)
    return None if seconds is None else max(0.0, min(seconds, LONGEST_ASKED))


def _until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        # "-0000" says that the zone is unknown; HTTP's dates are always UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError):  # no date, or one that no clock shows
        return None
