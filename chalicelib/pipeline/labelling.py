"""An image is labelled: claimed, checked, recognised and stored. Whatever follows is the projection's."""

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
from chalicelib.pipeline.bin import lose, next_look, put_back
from chalicelib.pipeline.description import NEVER_UPLOADED, OBJECT_MISSING, failed, outcome_of
from chalicelib.pipeline.xmp_keywords import take_sidecar
from chalicelib.wiring import Services

log = logging.getLogger("sightline.labelling")

RETRY_SECONDS = 5.0
SETTLE_SECONDS = 5.0  # in which the copy of an object that is renamed has been labelled and indexed
WAIT_SECONDS = 24 * 3600.0  # for a deployment to be mended that may not read the image or its key


def label_or_leave(event: Json, services: Services, time_left: TimeLeft = unhurried) -> None:
    """Label the objects of an S3 event; those that cannot be finished now are left on the uploads queue."""
    attempts = Attempts()
    for record in records_of(event):
        with attempts.each():
            uploaded = upload_in(record)
            if uploaded is None:
                continue
            if uploaded.removed and not is_sidecar(uploaded.key):  # its copy, if it was renamed, comes first
                services.uploads_queue.send(event_of(uploaded), delay=SETTLE_SECONDS)
                continue
            try:
                label_image(uploaded, services, time_left)
            except Transient as error:
                log.warning("left on the queue: %r: %s", uploaded.key, error)
                services.uploads_queue.send(event_of(uploaded), delay=error.retry_after or RETRY_SECONDS)
    attempts.raise_first()


def label_image(uploaded: ObjectUploaded, services: Services, time_left: TimeLeft = unhurried) -> None:
    """Bring the image under ``uploaded.key`` to a final result for its present bytes.

    Does nothing where that has been done. At most one worker recognises an image at a time. ``time_left()``
    is how many seconds the function may still run. A sidecar is no image: its keywords go to its photo's.

    :raises Busy: another worker is at it; or the object was removed just now, and may have been renamed.
    :raises Transient: a service did not answer; the record keeps what has been reached.
    """
    with logs.about(key=uploaded.key):
        if is_sidecar(uploaded.key):
            return take_sidecar(uploaded, services)
        told_at = uploaded.moment if uploaded.removed else None
        wait = told_at + SETTLE_SECONDS - services.now() if told_at else 0.0
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
        _without_object(record, uploaded, services)
        return
    if record is None:
        if _is_of_no_image(uploaded.key, services):
            return
        record = relocation.follow(uploaded, stored, services)
    elif record.image.binned:
        record = put_back(record, uploaded, stored, services)
        if record is None:
            return
    if record is None or not _is_result_of(stored, record.image):
        claimed = _claimed(record, uploaded.key, services)
        label_claimed(claimed, uploaded, stored, rules, services, time_left)


def label_claimed(
    claimed: Record,
    uploaded: ObjectUploaded,
    stored: StoredObject,
    rules: Rules,
    services: Services,
    time_left: TimeLeft,
) -> None:
    """Recognise an image that this worker holds, and store its result.

    :raises Transient: a service did not answer; the image is free again.
    """
    try:
        outcome = outcome_of(claimed, uploaded, stored, rules, services, time_left)
        if claimed.image.width is not None and outcome.image.width is None:
            services.objects.delete_thumbnail(claimed.image.key)  # that of an earlier object
        _finish(claimed, outcome, services)
    except Transient:
        services.images.release(claimed)
        raise


def _wait_or_fail(key: str, error: Misconfigured, services: Services) -> None:
    """Let an image that the deployment may not label wait where everybody sees it; after a day it has
    failed.
    """
    record = services.images.find_by_key(key)
    if record and record.image.final:
        return
    since = record.relabel.at if record and record.relabel else None
    if record and since is None:
        since = millisecond_at(record.image.created_at) / 1000
    try:
        claimed = _claimed(record, key, services)
        if since is not None and services.now() - since > WAIT_SECONDS:
            failure = Failure(error.code, f"{error.detail} Have it labelled again once that is mended.")
            _finish(claimed, failed(claimed, claimed.image, failure, services), services)
        else:
            services.images.release(claimed)
    except (Busy, Superseded):
        return


def _without_object(record: Record | None, uploaded: ObjectUploaded, services: Services) -> None:
    """An image whose object has gone follows a copy of it, or goes into the bin.

    One that was waited for has failed.
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
            lose(record, services)
        return
    if record.image.final or uploaded.removed:
        return
    waiting = record.image.status == "awaiting_upload"
    claimed = _claimed(record, record.image.key, services)
    failure = NEVER_UPLOADED if waiting else OBJECT_MISSING
    _finish(claimed, failed(claimed, claimed.image, failure, services), services)


def _look_again(record: Record, uploaded: ObjectUploaded, services: Services) -> None:
    """An image that is missing may have been renamed after all; if not, the sweep looks again."""
    if not uploaded.removed or not record.image.missing:
        return
    if relocation.follow_copy(record, uploaded, services) is None and not uploaded.at:  # the sweep asked
        services.images.change(record, record, look_at=next_look(record.image, services.now()))


def _is_of_no_image(key: str, services: Services) -> bool:
    """Whether an object came to an address of the API's whose image is gone or has moved.

    The object of an image that a person has deleted is removed. Without the mark of that it is taken in: a
    table that was restored, or a bucket that was copied, loses none.
    """
    made = parse_key(key)
    if made is None:
        return False
    if services.images.was_erased(*made):
        log.info("uploaded after its image was deleted, removed: %r", key)
        services.objects.delete(key)
        return True
    if services.images.find(*made) is not None:
        log.info("put where the object of an image was that has another key by now: %r", key)
        return True
    return False


def _claimed(record: Record | None, key: str, services: Services) -> Record:
    """The record, claimed for this worker; a new one where there is none."""
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
    """Store a result; where the image was deleted or changed meanwhile, leave nothing of it behind."""
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
            if outcome.calls:  # they were paid for all the same
                counted = usage.calls_counted(outcome.calls)
                services.table.write(usage.called(image.owner, rfc3339(services.now())[:10], counted))
    else:
        failure = outcome.error or image.error
        if failure:
            services.metrics.put(IMAGES_FAILED, 1, by=failure.code)
        else:
            services.metrics.put(IMAGES_LABELLED, 1)
        _drop_too_large(image, services)


def _drop_too_large(image: Image, services: Services) -> None:
    """Remove an upload that is too large to be a photo from the bucket: by a PUT S3 takes up to 5 GB.

    Only what came to an address of ours: what people put into the bucket themselves stays there. An event
    that comes again makes up for a worker that died before.
    """
    if not was_dropped(image) or (image.size or 0) <= services.settings.max_image_bytes:
        return
    if services.objects.etag(image.key) == image.etag:
        log.info("too large, removed: %r", image.key)
        services.objects.delete_original(image.key)


def _is_old(uploaded: ObjectUploaded, image: Image) -> bool:
    """Whether the event tells of the bytes that the image's result was made from, or of earlier ones.

    Sequencers of equal length compare as text ("Event message structure", Amazon S3); others prove nothing.
    """
    comparable = len(uploaded.sequencer) == len(image.sequencer)
    return bool(uploaded.etag) and (
        uploaded.etag == image.etag or (comparable and uploaded.sequencer < image.sequencer)
    )


def _is_result_of(stored: StoredObject, image: Image) -> bool:
    return image.final and image.etag == stored.etag
