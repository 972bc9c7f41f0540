"""An owner's names for labels: renames, and a vocabulary, which allows only its own terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import job_handlers, responses
from chalicelib.api.label_names import name_in, name_in_path
from chalicelib.api.requests import body_of, owner_of, query_of
from chalicelib.errors import BadRequest
from chalicelib.model import LONGEST_LABEL_NAME, Json, Terms, normalised

if TYPE_CHECKING:
    from chalicelib.wiring import Services

MOST_TERMS = 1000
LONGEST_TERM = 8 * LONGEST_LABEL_NAME  # characters, with its aliases


def show(request: Request, services: Services) -> Response:
    """``GET /vocabulary``: the terms; an empty list allows any name."""
    query_of(request, ())
    return responses.fresh(_shown(services.renames.vocabulary(owner_of(request))))


def put(request: Request, services: Services) -> Response:
    """``PUT /vocabulary``: show labels by these terms only; a job changes the images that are there."""
    lines = body_of(request, ("terms",)).lines("terms", most=MOST_TERMS, longest=LONGEST_TERM)
    if lines is None:
        raise BadRequest("Terms is missing.", code="missing", pointer="/terms")
    owner, entries = owner_of(request), [_entry(line, f"/terms/{place}") for place, line in enumerate(lines)]
    known = Terms.from_entries(entries).known
    if len(known) < sum(len({normalised(one) for one in entry}) for entry in entries):
        raise BadRequest("A name stands for two terms.", code="ambiguous-term", pointer="/terms")
    services.jobs.refuse_too_many(owner)
    services.renames.set_vocabulary(owner, entries)
    return job_handlers.started(request, "vocabulary", {"q": "", "terms": len(entries)}, services)


def rename(request: Request, services: Services, name: str) -> Response:
    """``POST /labels/{name}/rename``: rename a label in all images, by a job, and in future results."""
    old, new = name_in_path(name), name_in(body_of(request, ("to",)), "to")
    if normalised(old) == normalised(new):
        raise BadRequest("That is the same name.", code="same-name", pointer="/to")
    services.jobs.refuse_too_many(owner_of(request))
    services.renames.add(owner_of(request), old, new)
    return job_handlers.started(request, "rename", {"from": old, "to": new}, services)


def end_rename(request: Request, services: Services, name: str) -> Response:
    """``DELETE /labels/{name}/rename``: future results have the old name again."""
    services.renames.remove(owner_of(request), name_in_path(name))
    return Response(body="", status_code=204)


def renames(request: Request, services: Services) -> Response:
    """``GET /renames``: the renames in effect."""
    query_of(request, ())
    shown = [{"from": one.old, "to": one.new, "at": one.at} for one in services.renames.of(owner_of(request))]
    return responses.fresh({"renames": shown})


def _entry(line: str, pointer: str) -> list[str]:
    """A term and its aliases, from a line like ``sneaker = trainer = running shoe``."""
    said = [" ".join(one.split()) for one in line.split("=")]
    if not all(normalised(one) and len(one) <= LONGEST_LABEL_NAME for one in said):
        raise BadRequest(
            f"A term and each alias has 1 to {LONGEST_LABEL_NAME} characters.",
            code="bad-value",
            pointer=pointer,
        )
    return said


def _shown(entries: list[list[str]]) -> Json:
    return {"terms": [" = ".join(entry) for entry in entries]}
