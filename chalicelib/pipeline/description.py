"""Makes the result of an image from its object: checks and converts it, recognises it, names its labels.

A file that cannot be used makes a failed result.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from chalicelib.aws import TimeLeft
from chalicelib.errors import TOO_LARGE, RecogniserRefused, TooMuch, UnusableImage
from chalicelib.ids import rfc3339
from chalicelib.intake.metadata import Exif
from chalicelib.intake.objects import LONGEST_KEY, StoredObject, leaves_room
from chalicelib.intake.photos import check_bytes, prepare
from chalicelib.library.bounds import check_item
from chalicelib.library.captions import template
from chalicelib.library.record import Outcome, Record, parse_key
from chalicelib.library.renames import Rules
from chalicelib.model import Correction, Failure, Image, ObjectUploaded, Photo
from chalicelib.pipeline.cached_recognition import RecognitionResult, recognise
from chalicelib.pipeline.xmp_keywords import corrections_in, packets_beside, with_room_for
from chalicelib.wiring import Services

log = logging.getLogger("sightline.description")

MOST_ATTEMPTS = 8

NEVER_UPLOADED = Failure("never-uploaded", "The upload was announced, but no file came within a day.")
OBJECT_MISSING = Failure(
    "object-missing", "The file was removed from the bucket before it could be labelled."
)
KEY_TOO_LONG = Failure(
    "key-too-long",
    f"Its name leaves no room for its thumbnail's and its sidecar's: {LONGEST_KEY} bytes are the most.",
)
GAVE_UP = Failure(
    "gave-up", f"Labelling was interrupted {MOST_ATTEMPTS} times; have it labelled again to retry."
)

# The fields of an image whose file has not been read yet.
NOTHING_SEEN: dict[str, Any] = {
    "content_type": None,
    "width": None,
    "height": None,
    "preview": False,
    "warnings": (),
    "taken_at": None,
    "taken_at_source": None,
    "camera": None,
    "location": None,
    "labels": (),
    "model": None,
    "properties": None,
    "moderation": None,
    "text": None,
    "caption": None,
    "copied_from": None,
    "error": None,
}


def outcome_of(
    record: Record,
    uploaded: ObjectUploaded,
    stored: StoredObject,
    rules: Rules,
    services: Services,
    time_left: TimeLeft,
) -> Outcome:
    """The result for an object: recognised, with labels under its owner's names; or failed."""
    image = dataclasses.replace(
        record.image,
        etag=stored.etag,
        sequencer=uploaded.sequencer,
        size=stored.size,
        sha256=hashlib.sha256(stored.content).hexdigest() if stored.content else None,
        **NOTHING_SEEN,
    )
    if record.interrupted > MOST_ATTEMPTS:
        return failed(record, image, GAVE_UP, services)
    if not leaves_room(image.key):
        return failed(record, image, KEY_TOO_LONG, services)
    keywords: tuple[Correction, ...] = ()
    try:
        image, photo, packet = _prepared(image, stored, services)
        keywords = _keywords(packet, record, stored, rules, services)
        seen = recognise(photo, stored, image, record, services, time_left)
        outcome = _with_keywords(_labelled(image, seen, rules, services), keywords, record)
        check_item(outcome.of(record))
        return outcome
    except (UnusableImage, RecogniserRefused, TooMuch) as error:
        removed = error.code == TOO_LARGE and is_removed(image.key, image.size, services)
        detail = f"{error.detail} It was removed." if removed else error.detail
        calls = error.calls if isinstance(error, RecogniserRefused) else {}
        outcome = failed(record, image, Failure(error.code, detail), services, calls)
        return _with_keywords(outcome, keywords, record)


def _prepared(image: Image, stored: StoredObject, services: Services) -> tuple[Image, Photo, bytes]:
    """The image with its file's metadata, the photo for the recogniser, and the file's XMP packet.

    Stores the thumbnail.

    :raises UnusableImage: the file cannot be read.
    """
    chosen = services.settings
    check_bytes(stored.size, chosen.max_image_bytes)
    content = stored.content or b""
    prepared = prepare(content, max_bytes=chosen.max_image_bytes, max_pixels=chosen.max_image_pixels)
    services.objects.write_thumbnail(image.key, prepared.thumbnail)
    kept = prepared.exif if chosen.keep_exif else Exif()
    described = dataclasses.replace(
        image,
        content_type=prepared.content_type,
        width=prepared.width,
        height=prepared.height,
        preview=prepared.preview,
        warnings=prepared.warnings,
        taken_at=prepared.exif.taken_at,
        taken_at_source=prepared.exif.taken_at_source,
        camera=kept.camera,
        location=kept.location,
    )
    if prepared.converted is None:
        size = (prepared.width, prepared.height)
        photo = Photo(prepared.plain or content, prepared.content_type, *size, chosen.bucket, image.key)
    else:
        photo = Photo(prepared.converted, "image/jpeg", prepared.width, prepared.height, chosen.bucket, None)
    return described, photo, prepared.xmp


def _keywords(
    packet: bytes, record: Record, stored: StoredObject, rules: Rules, services: Services
) -> tuple[Correction, ...]:
    """The keywords that people wrote into a photo's XMP and its sidecars, as corrections.

    Bytes that were read before give none: a person may have removed a keyword since.
    """
    if record.image.etag == stored.etag and record.image.width is not None:
        return ()
    beside = packets_beside(record.image.key, services) if rules.sidecars else ()
    packets = [one for one in (packet, *beside) if one]
    return corrections_in(packets, rules, services.now()) if packets else ()


def _with_keywords(outcome: Outcome, keywords: tuple[Correction, ...], record: Record) -> Outcome:
    """The outcome with the keywords, unless the image would become too large."""
    return with_room_for(dataclasses.replace(outcome, keywords=keywords), record) if keywords else outcome


def _labelled(image: Image, seen: RecognitionResult, rules: Rules, services: Services) -> Outcome:
    copied = seen.image_id != image.id
    kept = {name: getattr(seen.recognition, name) for name in ("model", "properties", "moderation", "text")}
    labels = rules.labels(seen.recognition.labels)
    asked = "caption" in image.options(services.settings.recognition).features
    labelled = _final(
        image,
        services,
        status="labelled",
        labels=labels,
        caption=seen.recognition.caption or (template(labels) if asked else None),
        copied_from=_source_of(seen, image, services) if copied else None,
        **kept,
    )
    return Outcome(labelled, "copied" if copied else "recognised", seen.name, seen.calls)


def _source_of(seen: RecognitionResult, image: Image, services: Services) -> str | None:
    """The id of the image that was recognised first with these bytes, if readers can still see it."""
    source = services.images.find(image.owner, seen.image_id)
    return seen.image_id if source and not source.image.binned else None


def failed(
    record: Record,
    image: Image,
    failure: Failure,
    services: Services,
    calls: Mapping[str, int] = MappingProxyType({}),
) -> Outcome:
    """A failed result; after a relabel of the same bytes the old labels stay.

    ``calls`` counts the recogniser calls that were made, by price list name.
    """
    if record.relabel and record.relabel.labelled and image.etag == record.image.etag:
        log.warning("not labelled again: %r: %s", image.key, failure.code)
        kept = dataclasses.replace(record.image, labels=record.seen, caption=record.seen_caption)
        final = _final(kept, services, status="labelled")
        return Outcome(final, "failed", record.recognition, calls, failure)
    return Outcome(_final(image, services, status="failed", error=failure), "failed", calls=calls)


def _final(image: Image, services: Services, **outcome: Any) -> Image:
    return dataclasses.replace(
        image, completed_at=rfc3339(services.now()), result=image.result + 1, **outcome
    )


def is_removed(key: str, size: int | None, services: Services) -> bool:
    """Whether an object is deleted from the bucket because of its size."""
    return parse_key(key) is not None and (size or 0) > services.settings.max_image_bytes
