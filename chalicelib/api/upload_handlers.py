"""New images: announced for an upload, fetched from a URL or sent in the body; and what is known already."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import responses
from chalicelib.api.fields import Fields, required
from chalicelib.api.idempotency import made_id, renewing
from chalicelib.api.image_fields import ABOUT, content_in, new_image_in
from chalicelib.api.requests import body_of, owner_of, pointing_at
from chalicelib.errors import BadRequest, TooLarge
from chalicelib.library.record import StoredImage
from chalicelib.model import LONGEST_URL, Image, Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services

MOST_DIGESTS = 1000
LONGEST_DIGEST = 64
LONGEST_TYPE = 127
MOST_ANNOUNCED = 5 * 1024**4  # bytes, as many as an object may have
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")  # RFC 6838, 4.2


def _open_again(body: Json, owner: str, services: Services) -> Json:
    """The stored answer with a fresh upload address, if the upload has not come yet."""
    record = services.images.find(owner, body["id"])
    if record is None or record.image.status != "awaiting_upload":
        return body
    return {**body, "upload": _upload(record.image, services)}


@renewing(_open_again)
def create(request: Request, services: Services) -> Response:
    """``POST /images``: announce an upload, or take an image from a URL or from the body."""
    fields = body_of(request, ("url", "content", "sha256", "if_known", "size", "content_type", *ABOUT))
    owner, sent = owner_of(request), content_in(fields)
    known = _known(fields, sent, owner, services)
    if known:
        return responses.fresh(responses.image_json(request, known.image))
    image = _taken_in(fields, sent, made_id(request), owner, services)
    body = responses.image_json(request, image)
    if image.status == "awaiting_upload":
        body["upload"] = _upload(image, services)
    return responses.created(body["links"]["self"], body)


def known(request: Request, services: Services) -> Response:
    """``POST /images/known``: which of up to 1,000 SHA-256 digests belong to images that are here."""
    fields = body_of(request, ("sha256",))
    digests = required(fields.lines("sha256", most=MOST_DIGESTS, longest=LONGEST_DIGEST), "/sha256")
    for place, one in enumerate(digests):
        _digest(one, f"/sha256/{place}")
    found = pipeline.known_by(digests, owner_of(request), services)
    base = responses.base_of(request)

    def shown(digest: str) -> Json:
        image = found.get(digest)
        links = image and {"self": f"{base}/images/{image.id}"}
        return {"sha256": digest, "id": image and image.id, "links": links}

    return responses.fresh({"images": [shown(one) for one in digests]})


def _known(fields: Fields, sent: bytes | None, owner: str, services: Services) -> StoredImage | None:
    """The image that has these bytes already, if the client prefers it to a new one (``skip``)."""
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
    """The size that the client announces for the file, or None.

    :raises TooLarge: a photo may not be that large.
    """
    most = services.settings.max_image_bytes
    size = fields.whole("size", low=1, high=MOST_ANNOUNCED)
    if size is not None and size > most:
        raise TooLarge(f"The file has {size:,} bytes; {most:,} are allowed. Send a smaller version.")
    if size is not None and sent is not None and size != len(sent):
        raise BadRequest(f"The content has {len(sent)} bytes.", code="size-mismatch", pointer="/size")
    return size


def _announced_type(fields: Fields) -> str | None:
    """The media type that the client announces; the real type is read from the bytes later."""
    given = fields.line("content_type", longest=LONGEST_TYPE)
    if given is not None and not _MEDIA_TYPE.fullmatch(given):
        raise BadRequest("A type reads like image/jpeg.", code="bad-value", pointer="/content_type")
    return given


def _upload(image: Image, services: Services) -> Json:
    """How to upload the file: by a PUT with exactly these ``headers``, or by a form."""
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
