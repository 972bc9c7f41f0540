"""Labels an image: claims its record, checks and recognises its object, and stores the result.

Everything that follows from the result is done by :mod:`chalicelib.pipeline.projection`.
"""

from __future__ import annotations

import dataclasses
import logging

from chalicelib import logs
from chalicelib.aws import TimeLeft, unhurried
from chalicelib.errors import Busy, Misconfigured, NotFound, Superseded, Transient
from chalicelib.ids import millisecond_at, new_id, rfc3339
from chalicelib.intake.objects import UPLOADS, StoredObject, is_sidecar
from chalicelib.library import usage
from chalicelib.library.record import Outcome, Record, parse_key, was_dropped
from chalicelib.library.renames import Rules
from chalicelib.metrics import IMAGES_FAILED, IMAGES_LABELLED
from chalicelib.model import DEFAULT_OWNER, Failure, Image, Json, ObjectUploaded
from chalicelib.pipeline import relocation
from chalicelib.pipeline.batches import Attempts, event_of, records_of, upload_in
from chalicelib.pipeline.bin import bin_missing, next_look, restore_reuploaded
from chalicelib.pipeline.cached_recognition import today
from chalicelib.pipeline.description import NEVER_UPLOADED, OBJECT_MISSING, failed, is_removed, outcome_of
from chalicelib.pipeline.xmp_keywords import take_sidecar
from chalicelib.wiring import Services

log = logging.getLogger("sightline.labelling")

RETRY_SECONDS = 5.0
SETTLE_SECONDS = 5.0  # after a rename in the bucket, until the copy has been labelled and indexed
WAIT_SECONDS = 24 * 3600.0  # until an image fails that the deployment has no permission to read or decrypt


def label_or_leave(event: Json, services: Services, time_left: TimeLeft = unhurried) -> None:
    """Label the objects of an S3 event; send those that cannot be finished now to the uploads queue."""
    attempts = Attempts()
    for record in records_of(event):
        with attempts.each():
            uploaded = upload_in(record)
            if uploaded is None:
                continue
            if uploaded.removed and not is_sidecar(uploaded.key):  # after a rename, label the copy first
                services.uploads_queue.send(event_of(uploaded), delay=SETTLE_SECONDS)
                continue
            try:
                label_image(uploaded, services, time_left)
            except Transient as error:
                log.warning("left on the queue: %r: %s", uploaded.key, error)
                services.uploads_queue.send(event_of(uploaded), delay=error.retry_after or RETRY_SECONDS)
    attempts.raise_first()


def label_image(uploaded: ObjectUploaded, services: Services, time_left: TimeLeft = unhurried) -> None:
    """Bring the image under ``uploaded.key`` to a final result for its current bytes.

    Does nothing if the record has that result already. At most one worker recognises an image at a time.
    ``time_left()`` is how many seconds the function may still run. If the object is an XMP sidecar, its
    keywords are added to the image of its photo.

    :raises Busy: another worker holds the image; or the object was removed a moment ago, perhaps by a rename.
    :raises Transient: a service did not answer; the image can be claimed again.
    """
    with logs.about(key=uploaded.key):
        if is_sidecar(uploaded.key):
            return take_sidecar(uploaded, services)
        removed_at = uploaded.moment if uploaded.removed else None
        wait = removed_at + SETTLE_SECONDS - services.now() if removed_at else 0.0
        if 0 < wait <= SETTLE_SECONDS:
            raise Busy("The object was removed just now.", retry_after=max(1.0, wait))
        try:
            _label(uploaded, services, time_left)
        except Misconfigured as error:
            _wait_or_fail(uploaded.key, error, services)
            raise


def _label(uploaded: ObjectUploaded, services: Services, time_left: TimeLeft) -> None:
    record, rules = services.images.find_with_rules(uploaded.key)
    if record:
        logs.add(image_id=record.image.id)
        if record.image.final and not record.image.binned and _is_old(uploaded, record.image):
            _drop_too_large(record.image, services)
            return
    try:
        stored = services.objects.read(uploaded.key, max_bytes=services.settings.max_image_bytes)
    except NotFound:
        _handle_missing_object(record, uploaded, services)
        return
    if record is None:
        if _is_orphan(uploaded.key, services):
            return
        record = relocation.adopt(uploaded, stored, services)
    elif record.image.binned:
        record = restore_reuploaded(record, uploaded, stored, services)
        if record is None:
            return
    if record is None or not _is_result_of(stored, record.image):
        claimed = _claim(record, uploaded.key, services)
        label_claimed(claimed, uploaded, stored, rules, services, time_left)


def label_claimed(
    claimed: Record,
    uploaded: ObjectUploaded,
    stored: StoredObject,
    rules: Rules,
    services: Services,
    time_left: TimeLeft,
) -> None:
    """Recognise an image that this worker has claimed, and store the result.

    :raises Transient: a service did not answer; the claim is released.
    """
    try:
        outcome = outcome_of(claimed, uploaded, stored, rules, services, time_left)
        if claimed.image.width is not None and outcome.image.width is None:
            services.objects.delete_thumbnail(claimed.image.key)  # it shows an earlier object
        _finish(claimed, outcome, services)
    except Transient:
        services.images.release(claimed)
        raise


def _wait_or_fail(key: str, error: Misconfigured, services: Services) -> None:
    """Keep an image that cannot be labelled for a fault of the deployment in a state that readers can see.

    It fails after :data:`WAIT_SECONDS`.
    """
    record = services.images.find_by_key(key)
    if record and record.image.final:
        return
    since = record.relabel.at if record and record.relabel else None
    if record and since is None:
        since = millisecond_at(record.image.created_at) / 1000
    try:
        claimed = _claim(record, key, services)
        if since is not None and services.now() - since > WAIT_SECONDS:
            failure = Failure(error.code, f"{error.detail} Have it labelled again once that is mended.")
            _finish(claimed, failed(claimed, claimed.image, failure, services), services)
        else:
            services.images.release(claimed)
    except (Busy, Superseded):
        return


def _handle_missing_object(record: Record | None, uploaded: ObjectUploaded, services: Services) -> None:
    """Handle an image without an object: move it to a copy of the object, or put it into the bin.

    An image whose first object never came, or was removed before it was labelled, fails.
    """
    if record is None or was_dropped(record.image):
        return
    if record.image.binned:
        _look_again(record, uploaded, services)
        return
    if (record.image.final and record.image.etag) or (
        uploaded.removed and record.image.status == "labelling"
    ):
        if relocation.follow_copy(record, uploaded, services) is None:
            bin_missing(record, services)
        return
    if record.image.final or uploaded.removed:
        return
    waiting = record.image.status == "awaiting_upload"
    claimed = _claim(record, record.image.key, services)
    failure = NEVER_UPLOADED if waiting else OBJECT_MISSING
    _finish(claimed, failed(claimed, claimed.image, failure, services), services)


def _look_again(record: Record, uploaded: ObjectUploaded, services: Services) -> None:
    """Look for a copy of a missing image's object; without one, plan the sweep's next look."""
    if not uploaded.removed or not record.image.missing:
        return
    if relocation.follow_copy(record, uploaded, services) is None and not uploaded.at:  # the sweep asked
        services.images.change(record, record, look_at=next_look(record.image, services.now()))


def _is_orphan(key: str, services: Services) -> bool:
    """Whether an object lies under a key that the API made, but its image was erased or has another key.

    If the image has a tombstone, the object is deleted. Without record and tombstone it becomes an image:
    after a table was restored or a bucket copied, no photo is lost.
    """
    parsed = parse_key(key)
    if parsed is None:
        return False
    if services.images.was_erased(*parsed):
        log.info("uploaded after its image was deleted, removed: %r", key)
        services.objects.delete(key)
        return True
    if services.images.find(*parsed) is not None:
        log.info("ignored, its image has another key now: %r", key)
        return True
    return False


def _claim(record: Record | None, key: str, services: Services) -> Record:
    """The record, claimed for this worker; a new one if ``record`` is None."""
    started = rfc3339(services.now())
    if record:
        return services.images.claim(
            record, dataclasses.replace(record.image, status="labelling", started_at=started)
        )
    owner, image_id = parse_key(key) or (DEFAULT_OWNER, new_id())
    logs.add(image_id=image_id)
    return services.images.create_claimed(
        Image(
            id=image_id,
            owner=owner,
            key=key,
            status="labelling",
            filename="" if parse_key(key) else key.removeprefix(UPLOADS),
            created_at=started,
            started_at=started,
        )
    )


def _finish(claimed: Record, outcome: Outcome, services: Services) -> None:
    """Store a result; if the image was deleted or changed meanwhile, remove what was derived for it."""
    image = outcome.image
    try:
        services.images.finish(claimed, outcome)
    except Superseded as error:
        log.info("result dropped: %s", error)
        current = services.images.find(image.owner, image.id)
        if current is None and services.images.find_by_key(image.key) is None:
            services.objects.delete_derived(image.key)
        if current is None or current.image.binned:
            services.recognition_cache.forget_unused(image.owner, image.sha256)
            if outcome.calls:  # the calls cost money although the result is dropped
                counted = usage.calls_counted(outcome.calls)
                services.table.write(usage.called(image.owner, today(services), counted))
    else:
        failure = outcome.error or image.error
        if failure:
            services.metrics.put(IMAGES_FAILED, 1, by=failure.code)
        else:
            services.metrics.put(IMAGES_LABELLED, 1)
        _drop_too_large(image, services)


def _drop_too_large(image: Image, services: Services) -> None:
    """Delete an API upload that is too large to be a photo: S3 accepts up to 5 GB by PUT.

    Objects that people put into the bucket themselves stay. If a worker dies before this step, a repeated
    event does it.
    """
    if not was_dropped(image) or not is_removed(image.key, image.size, services):
        return
    if services.objects.etag(image.key) == image.etag:
        log.info("too large, removed: %r", image.key)
        services.objects.delete_original(image.key)


def _is_old(uploaded: ObjectUploaded, image: Image) -> bool:
    """Whether the event is about the bytes of the image's result, or about earlier ones.

    Sequencers of equal length compare as text ("Event message structure", Amazon S3); others have no order.
    """
    comparable = len(uploaded.sequencer) == len(image.sequencer)
    return bool(uploaded.etag) and (
        uploaded.etag == image.etag or (comparable and uploaded.sequencer < image.sequencer)
    )


def _is_result_of(stored: StoredObject, image: Image) -> bool:
    return image.final and image.etag == stored.etag
