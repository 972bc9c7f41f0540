"""Usage: images and recogniser calls per day, and their cost at list prices."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import responses
from chalicelib.api.fields import Parameters
from chalicelib.api.requests import owner_of, query_of
from chalicelib.errors import BadRequest
from chalicelib.ids import rfc3339
from chalicelib.library.usage import Day
from chalicelib.model import Json
from chalicelib.recognition.prices import CURRENCY, MICRO, cost, prices

if TYPE_CHECKING:
    from chalicelib.wiring import Services

MOST_DAYS = 366
USUAL_DAYS = 30


def show(request: Request, services: Services) -> Response:
    """``GET /usage``: day by day from ``from`` to ``to``, by default the last 30 days."""
    query = query_of(request, ("from", "to"))
    last = _day(query, "to") or datetime.date.fromisoformat(rfc3339(services.now())[:10])
    first = _day(query, "from") or last - datetime.timedelta(days=min(USUAL_DAYS, last.toordinal()) - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise BadRequest(
            f"From must not be after to, nor {MOST_DAYS} days before it.", code="bad-period", pointer="?from"
        )
    days = services.usage.days(owner_of(request), str(first), str(last), most=MOST_DAYS)
    listed = prices(services.settings)
    body = {
        "from": str(first),
        "to": str(last),
        "currency": CURRENCY,
        "prices": {name: float(micros / MICRO) for name, micros in listed.items()},
        "days": [{"day": one.day, **_shown([one], listed)} for one in days],
        "total": _shown(days, listed),
    }
    return responses.fresh(body)


def _day(query: Parameters, name: str) -> datetime.date | None:
    text = query.line(name, longest=10)
    if text is None:
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:
        raise BadRequest(f"{name} must be a day like 2026-11-21.", code="bad-value", pointer=f"?{name}")
    return day


def _shown(days: Sequence[Day], listed: Mapping[str, Decimal]) -> Json:
    calls = sum((Counter(one.calls) for one in days), Counter[str]())
    return {
        "images": sum(one.images for one in days),
        "duplicates_spared": sum(one.duplicates_spared for one in days),
        "calls": dict(sorted(calls.items())),
        "cost": cost(calls, listed) / MICRO,
    }
