"""An image follows its object: renamed in the bucket it stays one image, with id, corrections and history.

S3 knows no renaming: there is a copy, and then the original goes. The events of the two come in any order. A
new object with the bytes of an image whose object has gone *is* that image's; and where the copy has become
an image of its own before the original went, the original takes its place.
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
from chalicelib.pipeline.bin import taken_out
from chalicelib.wiring import Services

log = logging.getLogger("sightline.relocation")

COPIED_SECONDS = 15 * 60.0  # before the original went at most: a copy that is older is another image
MOST_LOOKS = 5
MOST_ALIKE = 20  # images with the same bytes that are looked at


def follow(uploaded: ObjectUploaded, stored: StoredObject, services: Services) -> Record | None:
    """The image whose object this new one is, under its new key; None where it is nobody's.

    A key of an upload's own belongs to the image of its id.

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
            return _moved(record, key, stored.etag, uploaded.sequencer, services)
    return None


def follow_copy(record: Record, removed: ObjectUploaded, services: Services) -> Record | None:
    """The image under the key of the copy that was made of its object before that went; None without one.

    The copy's own image, which nobody has corrected yet, ends.

    :raises Superseded: one of them has changed meanwhile.
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
            and all(said.by == BY_XMP for said in copy.corrections)  # these are in the bytes
            and parse_key(copy.key) is None
            and millisecond_at(copy.created_at) / 1000 >= gone_at - COPIED_SECONDS
            and services.objects.etag(copy.key) == copy.etag
        ):
            return _moved(record, copy.key, copy.etag, copy.sequencer, services, copy=other)
    return None


def same_bytes(sha256: str, owner: str, services: Services) -> list[Record]:
    """The newest images of an owner that have these bytes, by their records; those in the bin included."""
    term = partition(owner, digest_term(sha256))
    entries = services.table.query(term, limit=MOST_ALIKE, newest_first=True)
    keys = [record_key(owner, str(entry["sk"])) for entry in entries]
    items = services.table.get_many(keys)
    found = [items[key] for key in keys if key in items and not StoredImage(items[key]).erased]
    return [one for one in map(Record.from_item, found) if one.image.sha256 == sha256]


def _moved(
    record: Record, key: str, etag: str, sequencer: str, services: Services, *, copy: Record | None = None
) -> Record:
    """Store an image under another key; one that was missing comes out of the bin."""
    before = record.image
    image = dataclasses.replace(
        before, key=key, filename=key.removeprefix(UPLOADS), etag=etag, sequencer=sequencer
    )
    moved = dataclasses.replace(record, image=image)
    if before.binned:
        moved = taken_out(moved, etag, services.now())
    log.info("renamed: %r is %r now: image %r", before.key, key, before.id)
    return services.images.move(record, moved, "restored", copy=copy)
