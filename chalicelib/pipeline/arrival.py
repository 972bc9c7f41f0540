"""An image comes in."""

from __future__ import annotations

import dataclasses
import logging
from urllib.parse import unquote, urlsplit

from chalicelib.errors import Superseded, Transient, UnusableUrl
from chalicelib.ids import rfc3339
from chalicelib.library.record import key_for
from chalicelib.model import Image, NewImage, ObjectUploaded
from chalicelib.pipeline.batches import event_of
from chalicelib.wiring import Services

log = logging.getLogger("sightline.arrival")

FETCH_SECONDS = 20.0  # of API Gateway's 29
LONGEST_FILENAME = 255


def await_upload(new: NewImage, owner: str, services: Services) -> Image:
    """Announce an image whose object the client will put into the bucket itself."""
    return _create(_announced(new, owner, services), services)


def fetch_and_take_in(url: str, new: NewImage, owner: str, services: Services) -> Image:
    """Fetch an image from somebody's server and take it in.

    :raises UnusableUrl: it may not, or could not, be fetched.
    """
    content = fetched(url, services)
    if new.size not in (None, len(content)):
        raise UnusableUrl(f"The server sent {len(content)} bytes and not {new.size}.", code="size-mismatch")
    named = new if new.filename else dataclasses.replace(new, filename=last_segment(url))
    return take_in(content, named, owner, services)


def fetched(url: str, services: Services) -> bytes:
    """What somebody's server sends for a photo.

    :raises UnusableUrl: it may not, or could not, be fetched.
    """
    reply = services.outbound.get(url, max_bytes=services.settings.max_image_bytes, deadline=FETCH_SECONDS)
    if reply.status != 200 or not reply.body:
        raise UnusableUrl(f"The server answered {reply.status} and no photo.", code="url-not-a-photo")
    return reply.body


def take_in(content: bytes, new: NewImage, owner: str, services: Services) -> Image:
    """Store an image's record, then its object, which sets off the labeler."""
    image = _create(dataclasses.replace(_announced(new, owner, services), status="labelling"), services)
    services.objects.put(image.key, content)
    return image


def send_to_labeler(image: Image, services: Services) -> None:
    """Have the labeler look at an image once more; where the queue does not take that, the sweep does it."""
    try:
        services.uploads_queue.send(event_of(ObjectUploaded(image.key)))
    except Transient as error:
        log.warning("left to the sweep: image %r: %s", image.id, error)


def last_segment(url: str) -> str:
    """What a browser would call the download."""
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return "".join(c for c in name if c.isprintable())[:LONGEST_FILENAME]


def _create(image: Image, services: Services) -> Image:
    """Store the record of a new image; what is there already is one that a repeated request began."""
    try:
        return services.images.create(image).image
    except Superseded:
        return services.images.get(image.owner, image.id)


def _announced(new: NewImage, owner: str, services: Services) -> Image:
    return Image(
        owner=owner,
        key=key_for(owner, new.id),
        status="awaiting_upload",
        created_at=rfc3339(services.now()),
        **{field.name: getattr(new, field.name) for field in dataclasses.fields(new)},
    )
