"""Search: what a query finds, as a page of images or as a file to download."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import responses
from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.api.image_handlers import answered
from chalicelib.api.query_parameters import PARAMETERS, read_query, read_search
from chalicelib.api.requests import owner_of, query_of
from chalicelib.errors import BadRequest
from chalicelib.library.search import ORDERS
from chalicelib.library.streams import TOP

if TYPE_CHECKING:
    from chalicelib.export.tabular import Format
    from chalicelib.wiring import Services


def index(request: Request, services: Services) -> Response:
    """``GET /images``: the images that a query finds, newest first, by upload or by the date taken."""
    parameters = query_of(request, (*PARAMETERS, "search", "order", "limit", "cursor", "with"))
    owner, asked, order = owner_of(request), read_query(parameters), parameters.choice("order", *ORDERS)
    understood, meant = read_search(parameters, owner, services)
    words = parameters.line("search", longest=LONGEST)
    cursors = Cursors(services, owner, "images", str(asked), order, *filter(None, [words]))
    place = cursors.decode(parameters.line("cursor", longest=LONGEST))
    limit = parameters.whole("limit", low=1, high=200, default=50)
    page = services.search.page(owner, asked & meant, limit=limit, at=place or TOP, order=order)
    following = json.dumps(cursors.encode(page.next_at))

    def listed(shown: list[str]) -> str:
        told = f',"understood":{json.dumps(understood)}' if words else ""
        return f'{{"images":[{",".join(shown)}],"next_cursor":{following}{told}}}'

    return answered(parameters, request, services, page.stored, listed)


def export(request: Request, services: Services) -> Response:
    """``GET /export``: a file of what a query finds, and a cursor if there is more than fits into it."""
    parameters = query_of(request, (*PARAMETERS, "format", "excel", "cursor"))
    owner, asked = owner_of(request), read_query(parameters)
    form: Format = "jsonl" if parameters.choice("format", "csv", "jsonl") == "jsonl" else "csv"
    marked = parameters.choice("excel", "false", "true") == "true"
    if marked and form != "csv":
        raise BadRequest("Only CSV can be for Excel.", code="bad-value", pointer="?excel")
    cursors = Cursors(services, owner, "export", form, str(asked))
    place = cursors.decode(parameters.line("cursor", longest=LONGEST))
    from chalicelib.export.listings import write_listing  # late: a page of images needs no files

    file = write_listing(owner, asked, form, services, marked=marked, at=place)
    body = {
        "url": file.url,
        "format": form,
        "images": file.images,
        "expires_in": services.settings.download_expires_seconds,
        "next_cursor": cursors.encode(file.next_at),
    }
    return responses.fresh(body)
