"""Corrections by people: labels and captions of one image, or labels of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import job_handlers, responses
from chalicelib.api.label_names import name_in_path, names_in
from chalicelib.api.query_parameters import ids_in, query_in
from chalicelib.api.requests import body_of, owner_of, pointing_at, query_of, raw_body_of
from chalicelib.errors import BadRequest, NotFound, Permanent
from chalicelib.model import LONGEST_ALT, LONGEST_CAPTION, MOST_PARENTS, Json, normalised
from chalicelib.pipeline.curation import LabelEdit

if TYPE_CHECKING:
    from chalicelib.wiring import Services

MOST_NAMES = 20


def put_label(request: Request, services: Services, image_id: str, name: str) -> Response:
    """``PUT /images/{id}/labels/{name}``: add a label, whatever a recogniser says."""
    fields = body_of(request, ("confidence", "parents"), optional=True)
    word = LabelEdit(
        name_in_path(name),
        True,
        fields.number("confidence", low=0, high=100),
        names_in(fields, "parents", most=MOST_PARENTS),
    )
    return _corrected(request, services, image_id, word)


def remove_label(request: Request, services: Services, image_id: str, name: str) -> Response:
    """``DELETE /images/{id}/labels/{name}``: remove a label, whatever a recogniser says."""
    return _corrected(request, services, image_id, LabelEdit(name_in_path(name), False))


def undo(request: Request, services: Services, image_id: str, name: str) -> Response:
    """``DELETE /images/{id}/corrections/{name}``: undo a correction; the recogniser's answer counts again."""
    return _corrected(request, services, image_id, LabelEdit(name_in_path(name), None))


def put_xmp(request: Request, services: Services, image_id: str) -> Response:
    """``PUT /images/{id}/xmp``: add the keywords of an XMP sidecar as labels."""
    query_of(request, ())
    packet, owner, check = raw_body_of(request), owner_of(request), responses.precondition_of(request)
    services.images.stored(owner, image_id)  # a 404 comes before any problem with the body
    with pointing_at(""):
        image = pipeline.add_keywords(owner, image_id, packet, services, check=check)
    return responses.changed(responses.image_json(request, image))


def put_caption(request: Request, services: Services, image_id: str) -> Response:
    """``PUT /images/{id}/caption``: set caption and alternative text, whatever a model says."""
    fields = body_of(request, ("text", "alt"))
    text = fields.line("text", longest=LONGEST_CAPTION)
    alt = fields.line("alt", longest=LONGEST_ALT)
    if text is None and alt is None:
        raise BadRequest("Give text, alt or both.", code="missing", pointer="")
    check = responses.precondition_of(request)
    image = pipeline.write_caption(owner_of(request), image_id, services, text=text, alt=alt, check=check)
    return responses.changed(responses.image_json(request, image))


def remove_caption(request: Request, services: Services, image_id: str) -> Response:
    """``DELETE /images/{id}/caption``: undo that; the model's caption counts again."""
    check = responses.precondition_of(request)
    image = pipeline.remove_caption(owner_of(request), image_id, services, check=check)
    return responses.changed(responses.image_json(request, image))


def correct_many(request: Request, services: Services) -> Response:
    """``POST /images/labels``: correct up to 100 images now, or all that a query finds by a job."""
    fields = body_of(request, ("ids", "q", "add", "remove"))
    add = names_in(fields, "add", most=MOST_NAMES) or ()
    remove = names_in(fields, "remove", most=MOST_NAMES) or ()
    _refuse_contradiction(add, remove)
    ids = ids_in(fields)
    if ids is None:
        wanted = {"q": query_in(fields), "add": list(add), "remove": list(remove)}
        return job_handlers.started(request, "correct", wanted, services)
    words = pipeline.label_edits(add, remove)
    outcomes = [_outcome(owner_of(request), one, words, services) for one in dict.fromkeys(ids)]
    return responses.fresh({"images": outcomes})


def _corrected(request: Request, services: Services, image_id: str, word: LabelEdit) -> Response:
    check = responses.precondition_of(request)
    image, _ = pipeline.correct(owner_of(request), image_id, [word], services, check=check)
    return responses.changed(responses.image_json(request, image))


def _outcome(owner: str, image_id: str, words: list[LabelEdit], services: Services) -> Json:
    try:
        _, changed = pipeline.correct(owner, image_id, words, services, lenient=True)
    except NotFound:
        return {"id": image_id, "outcome": "not-found"}
    except Permanent as error:
        return {"id": image_id, "outcome": "refused", "code": error.code, "detail": error.detail}
    return {"id": image_id, "outcome": "changed" if changed else "unchanged"}


def _refuse_contradiction(add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    if not add and not remove:
        raise BadRequest("There is nothing to add and nothing to remove.", code="nothing-to-do", pointer="")
    both = set(map(normalised, add)) & set(map(normalised, remove))
    if both:
        raise BadRequest(
            f"{min(both)} is to be added and removed.", code="added-and-removed", pointer="/remove"
        )
