"""The catalogue: labels, and the months in which photos were taken, with counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import responses
from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.api.requests import owner_of, query_of
from chalicelib.errors import BadRequest
from chalicelib.library.catalogue import LabelCount
from chalicelib.library.grammar import MOST_NAME_BYTES
from chalicelib.model import normalised

if TYPE_CHECKING:
    from chalicelib.wiring import Services

LONGEST_PREFIX = 128


def index(request: Request, services: Services) -> Response:
    """``GET /labels``: label names with exact counts, sorted by name or by count, highest first."""
    parameters = query_of(request, ("prefix", "sort", "limit", "cursor"))
    owner, prefix = owner_of(request), _comparable(parameters.line("prefix", longest=LONGEST_PREFIX) or "")
    sort = parameters.choice("sort", "name", "count")
    limit = parameters.whole("limit", low=1, high=200, default=50)
    cursors = Cursors(services, owner, "labels", sort, prefix)
    place = cursors.decode(parameters.line("cursor", longest=LONGEST))
    after = LabelCount(*json.loads(place)) if place else None
    read = services.labels.by_name if sort == "name" else services.labels.by_count
    page = read(owner, prefix=prefix, limit=limit, after=after)
    last = page.next_after
    ended_at = json.dumps([last.name, last.count]) if last else None
    counts = [{"name": one.name, "count": one.count} for one in page.counts]
    return responses.tagged(request, {"labels": counts, "next_cursor": cursors.encode(ended_at)})


def months(request: Request, services: Services) -> Response:
    """``GET /months``: the number of photos taken in each month, newest first."""
    query_of(request, ())
    counts = services.labels.months(owner_of(request))
    dated = [{"month": one.name, "count": one.count} for one in counts if one.name]
    undated = sum(one.count for one in counts if not one.name)
    return responses.tagged(request, {"months": dated, "undated": undated})


def _comparable(prefix: str) -> str:
    compared = normalised(prefix)
    if len(compared.encode()) > MOST_NAME_BYTES:
        raise BadRequest("No label has so long a name.", code="bad-value", pointer="?prefix")
    return compared
