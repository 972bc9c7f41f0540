"""The worker of the uploads queue: labels uploads, and the lines of jobs.

The photo that a line names is copied into the bucket if it is elsewhere, and labelled like any upload. The
line's result is stored once. Until then the line may be repeated: a repeat finds what was reached before, and
nothing is recognised twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging

from chalicelib import logs
from chalicelib.aws import TimeLeft, unhurried
from chalicelib.errors import Busy, Permanent, SourceRefused, Superseded, Transient
from chalicelib.ids import rfc3339
from chalicelib.intake.objects import StoredObject
from chalicelib.intake.source_lines import in_place
from chalicelib.library.job_lines import LineOutcome, LineResult, Origin
from chalicelib.library.record import Record, key_for
from chalicelib.model import LONGEST_FILENAME, Image, JobLine, Json, ObjectUploaded, SourceEntry
from chalicelib.pipeline.arrival import fetched, last_segment
from chalicelib.pipeline.batches import Attempts, Message, each_message, records_of, report_ages, upload_in
from chalicelib.pipeline.labelling import RETRY_SECONDS, label_claimed, label_image
from chalicelib.recognition.prices import cost, prices
from chalicelib.wiring import Services

log = logging.getLogger("sightline.upload_worker")

SOURCE, SOURCE_ETAG = "source", "source_etag"  # of an image's metadata: where it came from


def label_messages(event: Json, services: Services, time_left: TimeLeft = unhurried) -> Json:
    """Label the images and lines of an SQS event's messages; returns the partial batch response.

    The message of an image that another worker holds is received again when that worker's lease ends. No new
    message is sent to this function's own queue, because Lambda stops such loops after 16 rounds.
    """
    report_ages(event, "uploads", services)

    def label(message: Message) -> float | None:
        try:
            if "line" in message.body:
                _label_line(JobLine.from_json(message.body["line"]), services, time_left)
            else:
                attempts = Attempts()
                for record in records_of(message.body):
                    with attempts.each():
                        if uploaded := upload_in(record):
                            label_image(uploaded, services, time_left)
                attempts.raise_first()
        except (Busy, Superseded) as error:
            return error.retry_after or RETRY_SECONDS
        return None

    return each_message(event, label, services.uploads_queue, reports=services.settings.partial_batches)


def _label_line(order: JobLine, services: Services, time_left: TimeLeft) -> None:
    """Label a job's line, and store its result.

    :raises Transient: a service did not answer; the message is retried.
    """
    with logs.about(job=order.job, line=str(order.line)):
        if services.lines.get(order.owner, order.job, order.line):
            return
        try:
            line = _result_of(order, services, time_left)
        except Permanent as error:
            log.info("refused: %s: %s", error.code, error.detail)
            line = _line(order, "refused", code=error.code)
        services.lines.settle(order.owner, order.job, line)


def _result_of(order: JobLine, services: Services, time_left: TimeLeft) -> LineResult:
    origin = services.lines.origin(order.owner, order.entry.ref, order.job, order.line)
    if in_place(order.entry, services.objects.bucket):
        image_id = _label_in_place(order, origin, services, time_left)
    else:
        origin, image_id = _copy_and_label(order, origin, services, time_left)
    if (origin.job, origin.line) != (order.job, order.line):
        return _line(order, "repeated", image_id)
    record = services.images.find(order.owner, image_id)
    if record is None or record.image.binned:
        return _line(order, "refused", image_id, "deleted")
    return _outcome_of(order, record, services)


def _outcome_of(order: JobLine, record: Record, services: Services) -> LineResult:
    image, micros = record.image, cost(record.calls, prices(services.settings))
    if (image.completed_at or "") < order.since:
        return _line(order, "known", image.id)
    if image.error:
        return _line(order, "failed", image.id, image.error.code, micros)
    outcome: LineOutcome = "copied" if record.kind == "copied" else "labelled"
    return _line(order, outcome, image.id, micros=micros)


def _label_in_place(order: JobLine, origin: Origin, services: Services, time_left: TimeLeft) -> str:
    """Label an object of this bucket under its own key; returns the image's id."""
    key = order.entry.key
    if order.unchanged_since is not None:
        _refuse_changed(order, services.sources.modified(order.entry))
    if origin.line == order.line:
        label_image(ObjectUploaded(key, order.entry.etag), services, time_left)
    record = services.images.find_by_key(key)
    if record is None:
        raise SourceRefused("There is no such object.", code="no-such-key")
    if record.image.owner != order.owner:
        raise SourceRefused("The object belongs to another owner.", code="access-denied")
    return record.image.id


def _copy_and_label(
    order: JobLine, origin: Origin, services: Services, time_left: TimeLeft
) -> tuple[Origin, str]:
    """Copy a photo from another bucket or a URL and label it; returns its origin and the image's id."""
    if (origin.job, origin.line) != (order.job, order.line):
        return origin, origin.image_id
    record = services.images.find(order.owner, origin.image_id)
    if record is None and services.images.was_erased(order.owner, origin.image_id):
        origin = services.lines.renewed(order.owner, order.entry.ref, origin)
        record = services.images.find(order.owner, origin.image_id)
    if record and (record.image.binned or _is_this(order.entry, record.image)):
        return origin, record.image.id
    stored = _content(order, services)
    same = record and record.image.sha256 == hashlib.sha256(stored.content or b"").hexdigest()
    if not (record and record.image.final and same):
        _take_in(order, origin.image_id, record, stored, services, time_left)
    return origin, origin.image_id


def _is_this(entry: SourceEntry, image: Image) -> bool:
    """Whether an image's result was made from the object version that the source lists."""
    return image.final and bool(entry.etag) and image.metadata.get(SOURCE_ETAG) == entry.etag


def _content(order: JobLine, services: Services) -> StoredObject:
    entry, most = order.entry, services.settings.max_image_bytes
    if entry.url:
        content = fetched(entry.url, services)
        return StoredObject(content, "", len(content))
    stored = services.sources.read(entry, max_bytes=most)
    if order.unchanged_since is not None:
        _refuse_changed(order, stored.modified)
    return stored


def _refuse_changed(order: JobLine, modified: float) -> None:
    if order.unchanged_since is not None and modified > order.unchanged_since:
        raise SourceRefused("It has changed since.", code="changed-since")


def _take_in(
    order: JobLine,
    image_id: str,
    record: Record | None,
    stored: StoredObject,
    services: Services,
    time_left: TimeLeft,
) -> None:
    """Store a photo in the bucket and label it under one claim, so that its S3 event has nothing to do."""
    if record is None:
        claimed = services.images.create_claimed(_image(order, image_id, stored, services))
    else:
        changed = _image(order, image_id, stored, services)
        claimed = services.images.claim(
            record, dataclasses.replace(record.image, status="labelling", metadata=changed.metadata)
        )
    key = claimed.image.key
    try:
        etag = services.objects.put(key, stored.content or b"")
    except Transient:
        services.images.release(claimed)
        raise
    mine = StoredObject(stored.content, etag, stored.size, services.now())
    rules = services.renames.rules(order.owner)
    label_claimed(claimed, ObjectUploaded(key, etag), mine, rules, services, time_left)


def _image(order: JobLine, image_id: str, stored: StoredObject, services: Services) -> Image:
    entry, now = order.entry, rfc3339(services.now())
    origin = {SOURCE: entry.ref[:1024], **({SOURCE_ETAG: stored.etag} if stored.etag else {})}
    name = last_segment(entry.url) if entry.url else entry.key
    return Image(
        id=image_id,
        owner=order.owner,
        key=key_for(order.owner, image_id),
        status="labelling",
        filename=name if len(name) <= LONGEST_FILENAME else name.rpartition("/")[2][-LONGEST_FILENAME:],
        created_at=now,
        started_at=now,
        metadata={**entry.metadata, **origin},
        **order.asked,
    )


def _line(
    order: JobLine, outcome: LineOutcome, image_id: str = "", code: str = "", micros: int = 0
) -> LineResult:
    return LineResult(order.line, order.entry.ref, outcome, image_id, code, micros)
