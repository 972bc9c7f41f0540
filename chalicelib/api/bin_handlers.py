"""The bin: images are deleted into it, or for good, and restored from it, one at a time or many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import job_handlers, responses
from chalicelib.api.query_parameters import ids_in, query_in
from chalicelib.api.requests import body_of, owner_of, query_of
from chalicelib.errors import Conflict, NotFound
from chalicelib.model import Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services


def remove(request: Request, services: Services, image_id: str) -> Response:
    """``DELETE /images/{id}``: move it to the bin; with ``permanent``, or without a bin, erase it."""
    permanent = query_of(request, ("permanent",)).choice("permanent", "false", "true") == "true"
    check = responses.precondition_of(request)
    image = pipeline.delete_image(owner_of(request), image_id, services, permanent=permanent, check=check)
    if image is None:
        return Response(body="", status_code=204)
    return responses.changed(responses.image_json(request, image))


def restore(request: Request, services: Services, image_id: str) -> Response:
    """``POST /images/{id}/restore``: take it out of the bin, with its labels and corrections."""
    body_of(request, (), optional=True)
    image, _ = pipeline.restore_image(owner_of(request), image_id, services)
    return responses.changed(responses.image_json(request, image))


def delete_many(request: Request, services: Services) -> Response:
    """``POST /images/delete``: delete up to 100 images now, or all that a query finds by a job."""
    fields = body_of(request, ("ids", "q", "permanent"))
    permanent, owner = fields.flag("permanent") or False, owner_of(request)
    ids = ids_in(fields)
    if ids is None:
        return job_handlers.started(
            request, "delete", {"q": query_in(fields), "permanent": permanent}, services
        )

    def delete(image_id: str) -> str:
        image = pipeline.delete_image(owner, image_id, services, permanent=permanent)
        return "binned" if image else "erased"

    return _outcomes(ids, delete)


def restore_many(request: Request, services: Services) -> Response:
    """``POST /images/restore``: restore up to 100 images now, or all that a query finds by a job."""
    fields, owner = body_of(request, ("ids", "q")), owner_of(request)
    ids = ids_in(fields)
    if ids is None:
        return job_handlers.started(request, "restore", {"q": query_in(fields)}, services)

    def restored(image_id: str) -> str:
        return "restored" if pipeline.restore_image(owner, image_id, services)[1] else "unchanged"

    return _outcomes(ids, restored)


def _outcomes(ids: tuple[str, ...], act: Callable[[str], str]) -> Response:
    """The outcome for each image; one that cannot be changed does not stop the others."""

    def outcome(image_id: str) -> Json:
        try:
            return {"id": image_id, "outcome": act(image_id)}
        except (NotFound, Conflict) as error:
            return {"id": image_id, "outcome": error.code}

    return responses.fresh({"images": [outcome(one) for one in dict.fromkeys(ids)]})
