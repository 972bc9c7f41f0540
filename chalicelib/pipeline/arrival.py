"""Arrival of images: announced for upload, fetched from a URL, or sent in the request; and known digests."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

from chalicelib.errors import Superseded, Transient, UnusableUrl
from chalicelib.ids import rfc3339
from chalicelib.library.index import digest_term, partition
from chalicelib.library.record import StoredImage, key_for, record_key
from chalicelib.model import LONGEST_FILENAME, Image, NewImage, ObjectUploaded
from chalicelib.pipeline.batches import event_of, for_each
from chalicelib.wiring import Services

log = logging.getLogger("sightline.arrival")

FETCH_SECONDS = 20.0  # of API Gateway's 29
AT_ONCE = 16  # small queries; a thousand of them take a few seconds of API Gateway's 29
NEWEST = 3  # entries that are read: the index may be a second behind the records


def await_upload(new: NewImage, owner: str, services: Services) -> Image:
    """Create an image whose object the client will upload itself."""
    return _create(_announced(new, owner, services), services)


def fetch_and_take_in(url: str, new: NewImage, owner: str, services: Services) -> Image:
    """Fetch a photo from a URL and store it as a new image.

    :raises UnusableUrl: it may not, or could not, be fetched.
    """
    content = fetched(url, services)
    if new.size not in (None, len(content)):
        raise UnusableUrl(f"The server sent {len(content)} bytes and not {new.size}.", code="size-mismatch")
    named = new if new.filename else dataclasses.replace(new, filename=last_segment(url))
    return take_in(content, named, owner, services)


def fetched(url: str, services: Services) -> bytes:
    """The bytes of a photo from a URL.

    :raises UnusableUrl: it may not, or could not, be fetched.
    """
    reply = services.outbound.get(url, max_bytes=services.settings.max_image_bytes, deadline=FETCH_SECONDS)
    if reply.status != 200 or not reply.body:
        raise UnusableUrl(f"The server answered {reply.status} and no photo.", code="url-not-a-photo")
    return reply.body


def take_in(content: bytes, new: NewImage, owner: str, services: Services) -> Image:
    """Store a new image's record, then its object, whose S3 event starts the labeler."""
    image = _create(dataclasses.replace(_announced(new, owner, services), status="labelling"), services)
    services.objects.put(image.key, content)
    return image


def known_by(digests: Sequence[str], owner: str, services: Services) -> Mapping[str, StoredImage]:
    """The newest image of an owner for each of the digests, without those that have none.

    An image is found only after it was labelled or has failed, because then its bytes have been read.
    """
    candidates: dict[str, list[str]] = {}

    def look_up(digest: str) -> None:
        term = partition(owner, digest_term(digest))
        entries = services.table.query(term, limit=NEWEST, newest_first=True)
        candidates[digest] = [str(entry["sk"]) for entry in entries]

    for_each(dict.fromkeys(digests), look_up, at_once=AT_ONCE)
    keys = {record_key(owner, one): one for ids in candidates.values() for one in ids}
    stored = {keys[key]: StoredImage(item) for key, item in services.table.get_many(list(keys)).items()}
    return {digest: image for digest, ids in candidates.items() if (image := _having(digest, ids, stored))}


def _having(digest: str, ids: Sequence[str], stored: Mapping[str, StoredImage]) -> StoredImage | None:
    """The first of these images whose record has this digest."""
    found = (stored[one] for one in ids if one in stored)
    here = (one for one in found if not one.erased and not one.binned)
    return next((one for one in here if one.document["sha256"] == digest), None)


def send_to_labeler(image: Image, services: Services) -> None:
    """Send an image to the labeler's queue; if the queue does not answer, the sweep does it later."""
    try:
        services.uploads_queue.send(event_of(ObjectUploaded(image.key)))
    except Transient as error:
        log.warning("left to the sweep: image %r: %s", image.id, error)


def last_segment(url: str) -> str:
    """The last segment of a URL's path: a browser's name for the download."""
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return "".join(c for c in name if c.isprintable())[:LONGEST_FILENAME]


def _create(image: Image, services: Services) -> Image:
    """Store the record of a new image; if it exists, a repeated request has created it."""
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
