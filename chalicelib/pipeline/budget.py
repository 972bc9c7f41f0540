"""An owner's budget: so many recogniser calls a day (UTC), each reserved before it is made.

The reservations of a day are one counter, so that workers who ask at the same moment keep within the limit
too.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from chalicelib.errors import RecogniserRefused
from chalicelib.expressions import Key, Update
from chalicelib.ids import rfc3339
from chalicelib.model import calls_in
from chalicelib.wiring import Services

KEPT_SECONDS = 3 * 24 * 3600


def reserve(owner: str, services: Services) -> None:
    """Reserve one call of today's; does nothing where there is no limit.

    :raises RecogniserRefused: they are used up.
    """
    most = services.settings.daily_calls
    if most and services.table.count(_today(owner, services), expires_at=_end(services)) > most:
        _add(owner, -1, services)
        raise RecogniserRefused(
            f"Today's {most} calls of the recogniser are used up; have it labelled again tomorrow.",
            code="budget-used-up",
        )


def settle(owner: str, calls: Mapping[str, int], services: Services) -> None:
    """Let a reservation stand for as many calls as were made, none where the recogniser did not answer."""
    if services.settings.daily_calls:
        _add(owner, calls_in(calls) - 1, services)


def today(services: Services) -> str:
    """The day (UTC) that calls count for."""
    return rfc3339(services.now())[:10]


def _add(owner: str, calls: int, services: Services) -> None:
    if calls:
        services.table.write(Update(_today(owner, services), add={"used": calls}))


def _today(owner: str, services: Services) -> Key:
    return Key(f"{owner}#budget", today(services))


def _end(services: Services) -> int:
    day = datetime.datetime.fromisoformat(today(services)).replace(tzinfo=datetime.UTC)
    return int(day.timestamp()) + KEPT_SECONDS
