"""Detects renames in the bucket: the image keeps its id, corrections and history under the new key.

S3 has no rename. A client copies the object, then deletes the original, and the two events come in any order:

* The original is gone when the copy is labelled: the image with these bytes moves to the copy's key.
* The copy has become an image before the original goes: the original image moves there and replaces it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging

from chalicelib.ids import millisecond_at
from chalicelib.intake.objects import UPLOADS, StoredObject, leaves_room
from chalicelib.library.corrections import BY_XMP
from chalicelib.library.index import digest_term, partition
from chalicelib.library.record import Record, StoredImage, parse_key, record_key
from chalicelib.model import DEFAULT_OWNER, ObjectUploaded
from chalicelib.pipeline.bin import out_of_bin
from chalicelib.wiring import Services

log = logging.getLogger("sightline.relocation")

COPIED_SECONDS = 15 * 60.0  # from copy to deletion in a rename; an older copy is another image
MOST_LOOKS = 5
MOST_ALIKE = 20  # how many images with the same bytes are read


def adopt(uploaded: ObjectUploaded, stored: StoredObject, services: Services) -> Record | None:
    """Move an image whose object is gone to a new object with the same bytes; None if there is no such image.

    A key that the API made always belongs to the image with its id, and takes no other.

    :raises Superseded: the image has changed meanwhile.
    """
    key = uploaded.key
    if parse_key(key) or stored.content is None or not leaves_room(key):
        return None
    alike = same_bytes(hashlib.sha256(stored.content).hexdigest(), DEFAULT_OWNER, services)
    final = [one for one in alike if one.image.final and one.image.missing == one.image.binned]
    for record in sorted(final, key=lambda one: not one.image.missing)[:MOST_LOOKS]:
        if services.objects.etag(record.image.key) is None:
            services.objects.move_thumbnail(record.image.key, key)
            return _move(record, key, stored.etag, uploaded.sequencer, services)
    return None


def follow_copy(record: Record, removed: ObjectUploaded, services: Services) -> Record | None:
    """Move an image to the copy of its removed object; None if there is no copy.

    The image that was made for the copy is erased. An image that a person has corrected is never taken.

    :raises Superseded: one of the two images has changed meanwhile.
    """
    image = record.image
    if image.owner != DEFAULT_OWNER or not image.sha256 or not image.final:
        return None
    lost_at = millisecond_at(image.binned_at) / 1000 if image.binned_at else services.now()
    gone_at = removed.moment or lost_at
    for other in same_bytes(image.sha256, image.owner, services):
        copy = other.image
        if (
            copy.id != image.id
            and copy.status in ("labelled", "failed")
            and all(one.by == BY_XMP for one in copy.corrections)  # the same bytes hold the same keywords
            and parse_key(copy.key) is None
            and millisecond_at(copy.created_at) / 1000 >= gone_at - COPIED_SECONDS
            and services.objects.etag(copy.key) == copy.etag
        ):
            return _move(record, copy.key, copy.etag, copy.sequencer, services, copy=other)
    return None


def same_bytes(sha256: str, owner: str, services: Services) -> list[Record]:
    """The newest records of an owner with these bytes, images in the bin included."""
    term = partition(owner, digest_term(sha256))
    entries = services.table.query(term, limit=MOST_ALIKE, newest_first=True)
    keys = [record_key(owner, str(entry["sk"])) for entry in entries]
    items = services.table.get_many(keys)
    found = [items[key] for key in keys if key in items and not StoredImage(items[key]).erased]
    return [one for one in map(Record.from_item, found) if one.image.sha256 == sha256]


def _move(
    record: Record, key: str, etag: str, sequencer: str, services: Services, *, copy: Record | None = None
) -> Record:
    """Store an image under another key; an image in the bin comes out of it."""
    before = record.image
    image = dataclasses.replace(
        before, key=key, filename=key.removeprefix(UPLOADS), etag=etag, sequencer=sequencer
    )
    relocated = dataclasses.replace(record, image=image)
    if before.binned:
        relocated = out_of_bin(relocated, etag, services.now())
    log.info("renamed: %r is %r now: image %r", before.key, key, before.id)
    return services.images.move(record, relocated, "restored", copy=copy)
