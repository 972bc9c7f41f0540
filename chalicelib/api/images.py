"""Images: handed in, looked at, listed, fetched, removed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import answers, waiting
from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.api.fields import Fields, Query, required
from chalicelib.api.idempotency import idempotent, made_id
from chalicelib.api.media import prefers_xml
from chalicelib.api.preconditions import precondition_of
from chalicelib.api.questions import PARAMETERS, question_in, search_in
from chalicelib.api.requests import body_of, owner_of, pointing_at, query_of
from chalicelib.api.submissions import ABOUT, LONGEST_URL, content_in, new_image_in
from chalicelib.delivery import documents
from chalicelib.errors import BadRequest, Conflict, NotFound, TooLarge
from chalicelib.library.record import StoredImage
from chalicelib.library.search import ORDERS
from chalicelib.library.streams import TOP
from chalicelib.model import Image, Json, in_rekognitions_words
from chalicelib.model.xmp import CONTENT_TYPE as XMP
from chalicelib.model.xmp import to_xmp

if TYPE_CHECKING:
    from chalicelib.wiring import Services

MOST_DIGESTS = 1000
LONGEST_DIGEST = 64
LONGEST_TYPE = 127
MOST_ANNOUNCED = 5 * 1024**4  # bytes, as many as an object may have
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")  # RFC 6838, 4.2


def _open_again(body: Json, owner: str, services: Services) -> Json:
    """An announcement with an address that is open as long as a new one, while the upload is waited for."""
    record = services.images.find(owner, body["id"])
    if record is None or record.image.status != "awaiting_upload":
        return body
    return {**body, "upload": _upload(record.image, services)}


@idempotent(renewed=_open_again)
def create(request: Request, services: Services) -> Response:
    """``POST /images``: announce an upload, or take an image from a URL or from the body itself."""
    fields = body_of(request, ("url", "content", "sha256", "if_known", "size", "content_type", *ABOUT))
    owner, sent = owner_of(request), content_in(fields)
    known = _known(fields, sent, owner, services)
    if known:
        return answers.fresh(answers.image_json(request, known.image))
    image = _taken_in(fields, sent, made_id(request), owner, services)
    body = answers.image_json(request, image)
    if image.status == "awaiting_upload":
        body["upload"] = _upload(image, services)
    return answers.created(body["links"]["self"], body)


@idempotent()
def known(request: Request, services: Services) -> Response:
    """``POST /images/known``: which of up to 1,000 digests an image has already."""
    fields = body_of(request, ("sha256",))
    digests = required(fields.lines("sha256", most=MOST_DIGESTS, longest=LONGEST_DIGEST), "/sha256")
    for place, one in enumerate(digests):
        _digest(one, f"/sha256/{place}")
    found = pipeline.known_by(digests, owner_of(request), services)
    base = answers.base_of(request)

    def shown(digest: str) -> Json:
        image = found.get(digest)
        links = image and {"self": f"{base}/images/{image.id}"}
        return {"sha256": digest, "id": image and image.id, "links": links}

    return answers.fresh({"images": [shown(one) for one in digests]})


def show(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}``: the image; ``wait`` or ``Prefer: wait`` gives it seconds to become final."""
    parameters, owner = query_of(request, ("wait", "with")), owner_of(request)
    preferred = None if "wait" in parameters else waiting.preferred(request.headers.get("prefer", ""))
    seconds = parameters.whole("wait", low=0, high=waiting.LONGEST_SECONDS, default=preferred or 0)
    image = waiting.until_final(
        lambda: services.images.stored(owner, image_id), seconds, lambda: services.rates.take_second(owner)
    )
    answer = _answered(parameters, request, services, [image], lambda shown: shown[0])
    if preferred is not None:
        answer.headers["Preference-Applied"] = f"wait={preferred}"
    return answer


def index(request: Request, services: Services) -> Response:
    """``GET /images``: those that the question holds for, handed in or taken last first."""
    parameters = query_of(request, (*PARAMETERS, "search", "order", "limit", "cursor", "with"))
    owner, asked, order = owner_of(request), question_in(parameters), parameters.choice("order", *ORDERS)
    understood, meant = search_in(parameters, owner, services)
    words = parameters.line("search", longest=LONGEST)
    cursors = Cursors(services, owner, "images", str(asked), order, *filter(None, [words]))
    place = cursors.decode(parameters.line("cursor", longest=LONGEST))
    limit = parameters.whole("limit", low=1, high=200, default=50)
    page = services.search.page(owner, asked & meant, limit=limit, at=place or TOP, order=order)
    following = json.dumps(cursors.encode(page.next_at))

    def listed(shown: list[str]) -> str:
        told = f',"understood":{json.dumps(understood)}' if words else ""
        return f'{{"images":[{",".join(shown)}],"next_cursor":{following}{told}}}'

    return _answered(parameters, request, services, page.stored, listed)


def content(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/content``: on to the object, by a link that opens for a while."""
    image = services.images.get(owner_of(request), image_id)
    if image.status == "awaiting_upload":
        raise Conflict("The image has been announced but not been uploaded yet.", code="not-uploaded-yet")
    if image.missing:
        raise Conflict("The image's file is no longer in the bucket.", code="object-missing")
    content_type, head = image.content_type or "application/octet-stream", request.method == "HEAD"
    return _elsewhere(
        services.objects.presigned_get(image.key, filename=_name(image), content_type=content_type, head=head)
    )


def thumbnail(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/thumbnail``: on to the small JPEG, which every image that was read has."""
    image = services.images.get(owner_of(request), image_id)
    link = services.thumbnails.link(image, "HEAD" if request.method == "HEAD" else "GET")
    if link is None and image.final:
        raise NotFound("The image was not read, so there is no thumbnail of it.", code="no-thumbnail")
    if link is None:
        raise Conflict("The image has not been labelled yet.", code="not-labelled-yet")
    return _elsewhere(link)


def metadata(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/metadata``: the image as its sidecar has it, as XML, or in Rekognition's words."""
    form = query_of(request, ("format",)).choice("format", "sightline", "rekognition")
    image = _final(request, services, image_id)
    headers: answers.Headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    if form == "sightline" and prefers_xml(request.headers.get("accept", "")):
        headers["Content-Type"] = "application/xml; charset=utf-8"
        return Response(body=documents.to_xml(image.image).decode(), headers=headers)
    headers["Content-Type"] = "application/json"
    shown = in_rekognitions_words(image.image) if form == "rekognition" else image.document
    return Response(body=json.dumps(shown, ensure_ascii=False, indent=2), headers=headers)


def xmp(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/xmp``: the labels as photo programs read them, to lie beside the photo."""
    packet = to_xmp(_final(request, services, image_id).image)
    return Response(body=packet.decode(), headers={"Content-Type": XMP, "Cache-Control": "no-cache"})


def _final(request: Request, services: Services, image_id: str) -> StoredImage:
    """The image, which is labelled or failed and not in the bin."""
    image = services.images.stored(owner_of(request), image_id)
    if image.binned:
        raise Conflict("The image is in the bin; restore it first.", code="binned")
    if not image.final:
        raise Conflict("The image has not been labelled yet.", code="not-labelled-yet")
    return image


def remove(request: Request, services: Services, image_id: str) -> Response:
    """``DELETE /images/{id}``: into the bin; with ``permanent`` (or where there is no bin) it is erased."""
    permanent = query_of(request, ("permanent",)).choice("permanent", "false", "true") == "true"
    check = precondition_of(request)
    image = pipeline.delete_image(owner_of(request), image_id, services, permanent=permanent, check=check)
    if image is None:
        return Response(body="", status_code=204)
    return answers.changed(answers.image_json(request, image))


def _answered(
    parameters: Query,
    request: Request,
    services: Services,
    images: Sequence[StoredImage],
    shape: Callable[[list[str]], str],
) -> Response:
    """The images in the ``shape`` of a route's body; ``with=thumbnail_url`` adds links to their thumbnails.

    These may read otherwise and be as good (a role's credentials are renewed), so they are left out of the
    entity tag, and the step of time in which they were signed is let in: what is kept by its tag is open.
    """
    plain = shape([answers.image_text(request, image) for image in images])
    if not parameters.choice("with", "", "thumbnail_url"):
        return answers.tagged(request, plain)
    linked = [
        answers.image_text(request, image, thumbnail_url=services.thumbnails.link(image)) for image in images
    ]
    return answers.tagged(request, shape(linked), alike=[plain, services.thumbnails.step()])


def _name(image: Image) -> str:
    """What a browser is to call a download."""
    return image.filename.rpartition("/")[2] or image.id


def _elsewhere(where: str) -> Response:
    return Response(body="", status_code=302, headers={"Location": where, "Cache-Control": "no-store"})


def _known(fields: Fields, sent: bytes | None, owner: str, services: Services) -> StoredImage | None:
    """The image that has these bytes already, where the client would rather have that one (``skip``)."""
    given = fields.line("sha256", longest=LONGEST_DIGEST)
    digest = given and _digest(given, "/sha256")
    own = hashlib.sha256(sent).hexdigest() if sent is not None else None
    if digest and own and digest != own:
        raise BadRequest("The content has another SHA-256.", code="digest-mismatch", pointer="/sha256")
    if fields.choice("if_known", ("skip", "copy")) != "skip":
        return None
    wanted = required(digest or own, "/sha256")
    return pipeline.known_by([wanted], owner, services).get(wanted)


def _digest(text: str, pointer: str) -> str:
    if not _SHA256.fullmatch(text):
        raise BadRequest(
            "A SHA-256 is 64 hexadecimal digits in lower case.", code="bad-value", pointer=pointer
        )
    return text


def _taken_in(fields: Fields, sent: bytes | None, image_id: str, owner: str, services: Services) -> Image:
    if "url" in fields and "content" in fields:
        raise BadRequest("Give url or content, not both.", code="two-sources", pointer="/content")
    new = dataclasses.replace(
        new_image_in(fields, image_id, services),
        size=_announced_size(fields, sent, services),
        content_type=_announced_type(fields),
    )
    url = fields.line("url", longest=LONGEST_URL)
    if url is not None:
        with pointing_at("/url"):
            return pipeline.fetch_and_take_in(url, new, owner, services)
    if sent is not None:
        return pipeline.take_in(sent, new, owner, services)
    return pipeline.await_upload(new, owner, services)


def _announced_size(fields: Fields, sent: bytes | None, services: Services) -> int | None:
    """How large the file is going to be, if that was said.

    :raises TooLarge: larger than a photo may be.
    """
    most = services.settings.max_image_bytes
    size = fields.whole("size", low=1, high=MOST_ANNOUNCED)
    if size is not None and size > most:
        raise TooLarge(f"The file has {size:,} bytes; {most:,} are allowed. Send a smaller version.")
    if size is not None and sent is not None and size != len(sent):
        raise BadRequest(f"The content has {len(sent)} bytes.", code="size-mismatch", pointer="/size")
    return size


def _announced_type(fields: Fields) -> str | None:
    """The type that the file is going to be sent as: what it is comes from its bytes."""
    given = fields.line("content_type", longest=LONGEST_TYPE)
    if given is not None and not _MEDIA_TYPE.fullmatch(given):
        raise BadRequest("A type reads like image/jpeg.", code="bad-value", pointer="/content_type")
    return given


def _upload(image: Image, services: Services) -> Json:
    """Where to send the file: by a PUT, with ``headers`` as they are, or by a form."""
    most, size, kind = services.settings.max_image_bytes, image.size, image.content_type
    headers = {"Content-Length": size and str(size), "Content-Type": kind}
    return {
        "method": "PUT",
        "url": services.objects.presigned_put(image.key, size=size, content_type=kind),
        "headers": {name: value for name, value in headers.items() if value},
        "form": services.objects.presigned_form(image.key, max_bytes=most, size=size, content_type=kind),
        "max_bytes": most,
        "size_bound_by": ["form"] if size is None else ["url", "form"],
        "expires_in": services.settings.upload_expires_seconds,
    }
