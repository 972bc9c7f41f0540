"""The routes of older services of this kind: their requests and responses, on top of today's images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import long_poll, responses
from chalicelib.api.fields import required
from chalicelib.api.idempotency import made_id, renewing
from chalicelib.api.image_fields import callback_in, content_in
from chalicelib.api.requests import body_of, owner_of, query_of
from chalicelib.delivery import blobs
from chalicelib.errors import BadRequest, Conflict, NotFound, UnusableImage
from chalicelib.model import LONGEST_FILENAME, Image, Json, Label, NewImage

if TYPE_CHECKING:
    from chalicelib.wiring import Services

CONTENTS = ("content", "image", "body", "file")  # older services' names for the field with the image


def _open_again(body: Json, owner: str, services: Services) -> Json:
    record = services.images.find(owner, body["blob_id"])
    if record is None or record.image.status != "awaiting_upload":
        return body
    return {**body, "upload_url": services.objects.presigned_put(record.image.key)}


@renewing(_open_again)
def create_blob(request: Request, services: Services) -> Response:
    """``POST /blobs``, ``POST /blobs/upload``: announce an upload; a body is optional."""
    fields = body_of(request, ("callback_url",), optional=True)
    callback = callback_in(fields, services)
    new = NewImage(id=made_id(request), callback_url=callback, callback_format="blob")
    image = pipeline.await_upload(new, owner_of(request), services)
    status = _status_address(request, image)
    body = {
        **blobs.document(image),
        "upload_url": services.objects.presigned_put(image.key),
        "_links": {"status": status},
    }
    return responses.created(status, body)


def show_blob(request: Request, services: Services, blob_id: str) -> Response:
    """``GET /blobs/{id}``: the status, and the labels as the recogniser writes them."""
    image = services.images.get(owner_of(request), blob_id)
    return responses.fresh({**blobs.document(image), "_links": {"status": _status_address(request, image)}})


def get_blob(request: Request, services: Services, blob_id: str) -> Response:
    """``GET /blobs/get/{id}``: the same, with labels in lower case."""
    shown = show_blob(request, services, blob_id)
    shown.body["labels"] = [name.lower() for name in shown.body["labels"]]
    return shown


def upload(request: Request, services: Services) -> Response:
    """``POST /upload``: store a base64 image under a file name."""
    fields = body_of(request, ("filename", *CONTENTS))
    filename = required(fields.line("filename", longest=LONGEST_FILENAME), "/filename")
    given = [name for name in CONTENTS if name in fields]
    if len(given) > 1:
        raise BadRequest("Give the image once.", code="two-sources", pointer=f"/{given[1]}")
    content = required(content_in(fields, *given), "/content")
    new = NewImage(id=made_id(request), filename=filename)
    image = pipeline.take_in(content, new, owner_of(request), services)
    body = {"filename": image.filename, "image_id": image.id, "status": image.status}
    return responses.created(f"{responses.base_of(request)}/images/{image.id}", body)


def predict(request: Request, services: Services) -> Response:
    """``GET /predict``: the labels of the latest image with a file name; waits if it is being labelled."""
    asked = query_of(request, ("filename",)).line("filename", longest=LONGEST_FILENAME)
    image = _labelled(_latest(required(asked, "?filename"), request, services), services)
    best = _most_telling(image)
    body = {
        "filename": image.filename,
        "label": best and best.name,
        "confidence": best and round(best.confidence, 2),
        "labels": [label.to_json() for label in image.labels],
    }
    return responses.fresh(body)


def _latest(filename: str, request: Request, services: Services) -> Image:
    image = services.search.latest_named(owner_of(request), filename)
    if image is None:
        raise NotFound("There is no image with this file name.")
    return image


def _labelled(image: Image, services: Services) -> Image:
    if image.status == "awaiting_upload":
        raise Conflict("The image has been announced but not been uploaded yet.", code="not-uploaded-yet")
    image = long_poll.until_final(
        lambda: services.images.get(image.owner, image.id), long_poll.LONGEST_SECONDS
    )
    if not image.final:
        raise Conflict("The image is still being labelled; please ask again.", code="not-labelled-yet")
    if image.error:
        raise UnusableImage(image.error.detail, code=image.error.code)
    return image


def _most_telling(image: Image) -> Label | None:
    """The most certain label that is no parent of another: "animal" is more certain, but "cat" says more."""
    parents = {parent for label in image.labels for parent in label.parents}
    leaves = [label for label in image.labels if label.name not in parents]
    return max(leaves, key=lambda label: label.confidence, default=None)


def _status_address(request: Request, image: Image) -> str:
    return f"{responses.base_of(request)}/blobs/{image.id}"
