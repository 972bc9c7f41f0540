"""Images: handed in, looked at, listed, fetched, removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import answers, cursors, waiting
from chalicelib.api.fields import Fields
from chalicelib.api.labels import index_term
from chalicelib.api.media import prefers_xml
from chalicelib.api.requests import body_of, owner_of, pointing_at, query_of
from chalicelib.api.submissions import ABOUT, LONGEST_URL, content_in, new_image_in
from chalicelib.delivery import documents
from chalicelib.errors import BadRequest, Conflict, NotFound
from chalicelib.ids import is_id
from chalicelib.intake.objects import thumbnail_key
from chalicelib.model import Image, Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services

MOST_LABELS_ASKED = 10


def create(request: Request, services: Services) -> Response:
    """``POST /images``: announce an upload, or take an image from a URL or from the body itself."""
    fields = body_of(request, ("url", "content", *ABOUT))
    image = _taken_in(fields, owner_of(request), services)
    body = answers.image_json(request, image)
    if image.status == "awaiting_upload":
        body["upload"] = _upload(image, services)
    return answers.created(body["links"]["self"], body)


def show(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}``: the image; ``wait`` gives it up to so many seconds to become final."""
    seconds = query_of(request, ("wait",)).whole("wait", low=0, high=waiting.LONGEST_SECONDS, default=0)
    owner = owner_of(request)
    image = waiting.until_final(lambda: services.images.get(owner, image_id), seconds)
    return answers.tagged(request, answers.image_json(request, image))


def index(request: Request, services: Services) -> Response:
    """``GET /images``: newest first, those that carry every ``label``."""
    query = query_of(request, ("label", "limit", "cursor"))
    labels = query.lines("label", longest=128, most=MOST_LABELS_ASKED)
    page = services.images.page(
        owner_of(request),
        terms=[index_term(label) for label in labels],
        limit=query.whole("limit", low=1, high=200, default=50),
        after=cursors.decode(query.line("cursor", longest=cursors.LONGEST), fits=is_id),
    )
    shown = [answers.image_json(request, image) for image in page.images]
    return answers.fresh({"images": shown, "next_cursor": cursors.encode(page.next_after)})


def content(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/content``: on to the object, by a link that opens for a while."""
    image = services.images.get(owner_of(request), image_id)
    if image.status == "awaiting_upload":
        raise Conflict("The image has been announced but not been uploaded yet.", code="not-uploaded-yet")
    content_type = image.content_type or "application/octet-stream"
    return _elsewhere(
        services.objects.presigned_get(image.key, filename=_name(image), content_type=content_type)
    )


def thumbnail(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/thumbnail``: on to the small JPEG, which every image that was read has."""
    image = services.images.get(owner_of(request), image_id)
    if image.width is None and image.final:
        raise NotFound("The image could not be read, so there is no thumbnail of it.", code="no-thumbnail")
    if image.width is None:
        raise Conflict("The image has not been labelled yet.", code="not-labelled-yet")
    key, filename = thumbnail_key(image.key), f"{_name(image)}.jpg"
    return _elsewhere(services.objects.presigned_get(key, filename=filename, content_type="image/jpeg"))


def metadata(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/metadata``: the sidecar as it is stored, or the image as XML."""
    image = services.images.get(owner_of(request), image_id)
    if not image.final:
        raise Conflict("The image has not been labelled yet.", code="not-labelled-yet")
    headers: answers.Headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    if prefers_xml(request.headers.get("accept", "")):
        headers["Content-Type"] = "application/xml; charset=utf-8"
        return Response(body=documents.to_xml(image).decode(), headers=headers)
    headers["Content-Type"] = "application/json"
    return Response(body=_sidecar(image, services), headers=headers)


def remove(request: Request, services: Services, image_id: str) -> Response:
    """``DELETE /images/{id}``: the object, and all that is known of it."""
    pipeline.delete_image(services.images.get(owner_of(request), image_id), services)
    return Response(body="", status_code=204)


def _name(image: Image) -> str:
    """What a browser is to call a download."""
    return image.filename.rpartition("/")[2] or image.id


def _elsewhere(where: str) -> Response:
    return Response(body="", status_code=302, headers={"Location": where, "Cache-Control": "no-store"})


def _sidecar(image: Image, services: Services) -> str:
    try:
        return services.objects.read_sidecar(image.key).decode()
    except NotFound:  # it is written right after the record; this is what it will hold
        return json.dumps(image.document())


def _taken_in(fields: Fields, owner: str, services: Services) -> Image:
    if "url" in fields and "content" in fields:
        raise BadRequest("Give url or content, not both.", code="two-sources", pointer="/content")
    new = new_image_in(fields, services)
    url, sent = fields.line("url", longest=LONGEST_URL), content_in(fields)
    if url is not None:
        with pointing_at("/url"):
            return pipeline.fetch_and_take_in(url, new, owner, services)
    if sent is not None:
        return pipeline.take_in(sent, new, owner, services)
    return pipeline.await_upload(new, owner, services)


def _upload(image: Image, services: Services) -> Json:
    most = services.settings.max_image_bytes
    return {
        "method": "PUT",
        "url": services.objects.presigned_put(image.key),
        "form": services.objects.presigned_form(image.key, max_bytes=most),
        "expires_in": services.settings.upload_expires_seconds,
    }
