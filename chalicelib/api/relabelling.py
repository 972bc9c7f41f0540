"""Again on purpose: one image, or all that a filter finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import job_handlers, responses
from chalicelib.api.questions import query_in
from chalicelib.api.requests import body_of, owner_of
from chalicelib.api.submissions import asked_in
from chalicelib.errors import BadRequest
from chalicelib.model import ASKED

if TYPE_CHECKING:
    from chalicelib.wiring import Services

FILTERS = ("q", "model_version_other_than", "labelled_before")
LONGEST_VERSION = 255


def relabel(request: Request, services: Services, image_id: str) -> Response:
    """``POST /images/{id}/relabel``: recognise it again; what is not given stays as it was asked before."""
    asked = asked_in(body_of(request, ASKED, optional=True))
    image = pipeline.relabel(owner_of(request), image_id, asked, services)
    body = responses.image_json(request, image)
    return responses.accepted(body, body["links"]["self"])


def relabel_many(request: Request, services: Services) -> Response:
    """``POST /relabel``: the same as a job, for the images that every filter lets through."""
    fields = body_of(request, (*FILTERS, *ASKED))
    if not any(name in fields for name in FILTERS):
        raise BadRequest(
            "Say which images: give q, model_version_other_than or labelled_before.",
            code="missing",
            pointer="",
        )
    wanted = {
        "q": query_in(fields),
        "model_version_other_than": fields.line("model_version_other_than", longest=LONGEST_VERSION),
        "labelled_before": fields.moment("labelled_before"),
        "asked": asked_in(fields).asked(),
    }
    return job_handlers.started(request, "relabel", wanted, services)
