"""Exports: what a question finds, as files to download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import job_handlers, responses
from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.api.questions import PARAMETERS, query_in, question_in
from chalicelib.api.requests import body_of, owner_of, query_of
from chalicelib.errors import BadRequest
from chalicelib.export.tabular import Format

if TYPE_CHECKING:
    from chalicelib.wiring import Services


def show(request: Request, services: Services) -> Response:
    """``GET /export``: a file of what is asked for, and a cursor where it takes more than one."""
    parameters = query_of(request, (*PARAMETERS, "format", "excel", "cursor"))
    owner, asked = owner_of(request), question_in(parameters)
    form: Format = "jsonl" if parameters.choice("format", "csv", "jsonl") == "jsonl" else "csv"
    marked = parameters.choice("excel", "false", "true") == "true"
    if marked and form != "csv":
        raise BadRequest("Only CSV can be for Excel.", code="bad-value", pointer="?excel")
    cursors = Cursors(services, owner, "export", form, str(asked))
    place = cursors.decode(parameters.line("cursor", longest=LONGEST))
    file = pipeline.export(owner, asked, form, services, marked=marked, at=place)
    body = {
        "url": file.url,
        "format": form,
        "images": file.images,
        "expires_in": services.settings.download_expires_seconds,
        "next_cursor": cursors.encode(file.next_at),
    }
    return responses.fresh(body)


def create(request: Request, services: Services) -> Response:
    """``POST /export``: the originals of what is asked for in one ZIP file, as a job."""
    wanted = {"q": query_in(body_of(request, ("q",), optional=True))}
    return job_handlers.started(request, "zip", wanted, services)
