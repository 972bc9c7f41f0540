"""Labels: the catalogue, and a label as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import answers, cursors
from chalicelib.api.requests import owner_of, query_of
from chalicelib.errors import BadRequest
from chalicelib.library.index import label_term
from chalicelib.model import normalised

if TYPE_CHECKING:
    from chalicelib.wiring import Services

LONGEST_LABEL = 128
# Normalising can make one character eighteen; DynamoDB has sort keys of 1024 bytes, partition keys of 2048.
MOST_NORMALISED_BYTES = 1024


def index(request: Request, services: Services) -> Response:
    """``GET /labels``: names with their exact counts, by name."""
    query = query_of(request, ("prefix", "limit", "cursor"))
    prefix = _comparable(query.line("prefix", longest=LONGEST_LABEL) or "", "?prefix")
    page = services.labels.page(
        owner_of(request),
        prefix=prefix,
        limit=query.whole("limit", low=1, high=200, default=50),
        # A page cannot begin outside of what is asked for.
        after=cursors.decode(
            query.line("cursor", longest=cursors.LONGEST), fits=lambda name: name.startswith(prefix)
        ),
    )
    counts = [{"name": one.name, "count": one.count} for one in page.counts]
    return answers.fresh({"labels": counts, "next_cursor": cursors.encode(page.next_after)})


def index_term(label: str) -> str:
    """What the images are to carry for ``label``; raises :exc:`BadRequest` if no label has such a name."""
    return label_term(_comparable(label, "?label"))


def _comparable(name: str, pointer: str) -> str:
    compared = normalised(name)
    if len(compared.encode()) > MOST_NORMALISED_BYTES:
        raise BadRequest("No label has so long a name.", code="bad-value", pointer=pointer)
    return compared
