"""The projection: derives index entries, counts, usage, history, sidecars and messages from changed records.

It reads the table's stream, which delivers each change at least once, and the changes of an image in order
the first time. For each image of a batch it writes the index entries, history and sidecar of the newest
record, and publishes its results on the topic. Then one transaction per owner writes the counts, the usage
and the images' markers.

If the marker holds the record's version already, the change is a repeat. If the marker changes while the
image is projected, another projector is at work: then the image is rebuilt from its record, as the sweep and
``make repair`` do it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterable, Sequence

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.delivery.events import ImageFinished, type_of
from chalicelib.errors import Conflict, NotFound, Superseded, Transient, Unavailable
from chalicelib.export.withdrawal import withdraw_exports_of
from chalicelib.expressions import Delete, Key, Put
from chalicelib.intake.objects import REKOGNITION, xmp_key
from chalicelib.library import history, index
from chalicelib.library.index import IndexEntry, digest_of
from chalicelib.library.markers import image_of, result_of
from chalicelib.library.record import StoredImage, record_key
from chalicelib.model import Image, Json, in_rekognitions_words, time_of
from chalicelib.pipeline.batches import for_each
from chalicelib.pipeline.counts import chunks, count
from chalicelib.pipeline.curation import rename_image
from chalicelib.pipeline.record_changes import RecordChange, changes_in, look_up
from chalicelib.table import ConditionFailed
from chalicelib.wiring import Services

log = logging.getLogger("sightline.projection")

NO_XMP, BY_STEM = "0", "stem"  # values of XMP_SIDECAR
SIDECARS_AT_ONCE = 8
TRIES = 8
SECONDS_A_CHUNK = 10.0  # with less time left, the rest of the batch is retried


def project(event: Json, services: Services, time_left: TimeLeft = unhurried) -> Json:
    """Project a batch of record changes; returns the partial batch response.

    The response lists the changes to retry (AWS Lambda, "Reporting batch item failures"): those that met a
    transient error. An image that cannot be projected for another reason is left to the sweep.
    """
    changes = changes_in(event)
    look_up(changes, services)
    failed: list[str] = []
    pending: list[RecordChange] = []
    for one in sorted(filter(lambda one: one.is_new, changes), key=lambda one: one.owner):
        try:
            one.wanted  # noqa: B018 - whether the record can be read at all
            pending.append(one)
        except Exception as error:
            failed += _leave_to_sweep(one, error, services)
    for _, group in itertools.groupby(pending, lambda one: one.owner):
        for chunk in chunks(list(group)):
            late = time_left() < SECONDS_A_CHUNK
            failed += _sequence_numbers(chunk) if late else _project_or_split(chunk, services)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def rebuild(owner: str, image_id: str, services: Services, *, suspects: Iterable[str] = ()) -> None:
    """Rewrite an image's index entries from its marker, and its sidecar from its record.

    ``suspects`` are further terms under which the image may have a wrong entry.

    :raises Unavailable: the marker keeps changing.
    """
    for _ in range(TRIES):
        change = RecordChange(owner, image_id)
        look_up([change], services, with_record=True)
        known = change.marker.entries
        stale = dict.fromkeys([*known, *suspects], IndexEntry())
        writes = list(index.updates(owner, image_id, known, {}, stale))
        if change.present is None:
            writes += history.removed(services.table, owner, image_id)
        services.table.write_many(writes)
        _write_sidecar(change, services)
        same = services.markers.replacement(
            owner, image_id, change.marker, change.marker, gone=change.present is None
        )
        with contextlib.suppress(ConditionFailed):  # a new revision makes a concurrent projector start again
            return services.table.write(same)
    raise Unavailable(f"Image {image_id} keeps changing.")


def project_again(key: Key, services: Services) -> None:
    """Send the record of an image that could not be projected through the stream again.

    ``key`` is the key of the image's row in the due index. If the image has been projected by now, the row is
    deleted instead.
    """
    owner, image_id = image_of(key)
    change = RecordChange(owner, image_id)
    look_up([change], services, with_record=True)
    if change.is_new:
        services.images.touch(owner, image_id)
    else:
        services.markers.remove_due_row(key)


def publish_again(key: Key, services: Services) -> None:
    """Publish a result again that no fan-out has confirmed, with the current image.

    ``key`` is the key of the result's row in the due index. For an erased image only its last result, the
    deletion, is published. If there is nothing to publish any more, the row is deleted.
    """
    item, result = services.table.get(record_key(*image_of(key))), result_of(key)
    stored = StoredImage(item) if item else None
    if stored is None or (stored.erased and stored.result != result):
        services.markers.remove_due_row(key)
    elif stored.final:
        event = dataclasses.replace(_event(stored), result=result)
        services.topic.publish_many([(event.message(), event.attributes())])


def _project_or_split(chunk: Sequence[RecordChange], services: Services) -> list[str]:
    """Project some images of one owner; returns the sequence numbers of the changes to retry."""
    try:
        _project(chunk, services)
    except Transient as error:
        log.warning("%d images are retried: %s", len(chunk), error)
        return _sequence_numbers(chunk)
    except Exception as error:
        if len(chunk) > 1:  # find the image that fails
            return [number for one in chunk for number in _project_or_split([one], services)]
        return _leave_to_sweep(chunk[0], error, services)
    return []


def _leave_to_sweep(change: RecordChange, error: Exception, services: Services) -> list[str]:
    """Leave an image that cannot be projected to the sweep, so that it does not block its shard."""
    log.error("not projected, left to the sweep: image %r: %r", change.image_id, error, exc_info=error)
    try:
        services.markers.rebuild_later(change.owner, change.image_id)
    except Transient:
        return change.sequence_numbers
    return []


def _sequence_numbers(chunk: Sequence[RecordChange]) -> list[str]:
    return [number for change in chunk for number in change.sequence_numbers]


def _project(chunk: Sequence[RecordChange], services: Services) -> None:
    writes: list[Put | Delete] = []
    for one in chunk:
        writes += index.updates(
            one.owner, one.image_id, one.wanted, one.marker.entries, *one.possibly_written
        )
    _derive(chunk, writes, services)
    try:
        count(chunk, services)
    except ConditionFailed:
        for one in chunk:
            _project_alone(one, services)


def _project_alone(change: RecordChange, services: Services) -> None:
    """Project an image while another projector works on it, which may have written other entries."""
    suspects = {*change.wanted, *(term for entries in change.possibly_written for term in entries)}
    for _ in range(TRIES):
        suspects |= change.marker.entries.keys()
        look_up([change], services)
        if not change.is_new:
            return rebuild(change.owner, change.image_id, services, suspects=suspects)
        stale = dict.fromkeys([*change.marker.entries, *suspects], IndexEntry())
        writes = list(index.updates(change.owner, change.image_id, change.wanted, {}, stale))
        _derive([change], writes, services)
        with contextlib.suppress(ConditionFailed):
            return count([change], services)
    raise Unavailable(f"Image {change.image_id} keeps changing.")


def _derive(chunk: Sequence[RecordChange], writes: list[Put | Delete], services: Services) -> None:
    """Write index entries, history and sidecars, and publish results: every step here is idempotent."""
    for one in chunk:
        if one.present is None:
            writes += history.removed(services.table, one.owner, one.image_id)
        for stored in one.unpublished:
            writes += history.added(stored) if one.present else ()
            if stored.final:
                writes.append(services.markers.fanout_pending(one.owner, one.image_id, stored.result))
    # The last write to a row counts: a result may be added and, by later ones of the batch, removed again.
    services.table.write_many(list({write.key: write for write in writes}.values()))
    for_each(chunk, lambda one: _write_sidecar(one, services), at_once=min(len(chunk), SIDECARS_AT_ONCE))
    events = [_event(stored) for one in chunk for stored in one.unpublished if stored.final]
    services.topic.publish_many([(event.message(), event.attributes()) for event in events])
    if gone := {one.image_id for one in chunk if one.present is None}:
        withdraw_exports_of(chunk[0].owner, gone, services)
    for one in chunk:
        _apply_renames(one, services)
        _drop_unused_recognitions(one, services)


def _write_sidecar(change: RecordChange, services: Services) -> None:
    old_keys = {change.marker.key or change.key, *(one.key for one in change.earlier)}
    for key in old_keys - {change.present.key if change.present else ""}:
        _remove_xmp(change, key, services)
        other = services.images.find_by_key(key)
        if other is None:
            services.objects.delete_derived(key)
        else:  # a late sidecar of this image may have overwritten the other's: write that again
            services.images.touch(other.image.owner, other.image.id)
    if change.present is None:
        return
    if change.present.status == "labelled":
        _write_xmp(change, change.present.image, services)
    elif change.present.final:
        _remove_xmp(change, change.key, services)
    if change.present.binned:
        services.objects.delete_sidecar(change.key)
    elif change.present.final:
        services.objects.write_sidecar(change.key, change.present.document)
        if services.settings.sidecar == REKOGNITION:
            document = in_rekognitions_words(change.present.image)
            services.objects.write_sidecar(change.key, document, REKOGNITION)


def _write_xmp(change: RecordChange, image: Image, services: Services) -> None:
    """Write an image's XMP sidecar beside its object if the setting asks for it; keep a foreign file."""
    chosen = services.settings.xmp_sidecar
    if chosen != NO_XMP:
        from chalicelib.model.xmp import CONTENT_TYPE, to_xmp

        key, own = xmp_key(change.key, by_stem=chosen == BY_STEM), _is_own_xmp(change, services)
        services.objects.write_own(key, to_xmp(image), CONTENT_TYPE, mark=image.id, own=own)


def _remove_xmp(change: RecordChange, key: str, services: Services) -> None:
    chosen = services.settings.xmp_sidecar
    if chosen != NO_XMP:
        place = xmp_key(key, by_stem=chosen == BY_STEM)
        services.objects.delete_own(place, own=_is_own_xmp(change, services))


def _is_own_xmp(change: RecordChange, services: Services) -> Callable[[str], bool]:
    """A test for the mark of this image's own sidecar. Of images that share a stem, the first owns it."""
    shared = services.settings.xmp_sidecar == BY_STEM
    return lambda mark: mark == change.image_id if shared else bool(mark)


def _event(stored: StoredImage) -> ImageFinished:
    document = stored.document
    return ImageFinished(
        owner=stored.owner,
        image_id=stored.id,
        result=stored.result,
        type=type_of(document),
        time=time_of(document),
        data=document,
    )


def _apply_renames(change: RecordChange, services: Services) -> None:
    """Apply renames that were added while the image was labelled, after the labeler had read them."""
    ruled = change.rules.names or change.rules.terms
    if not change.unpublished or not ruled or change.present is None or change.present.binned:
        return
    labels = change.present.document["labels"]
    names = [name for one in labels for name in (one["name"], *one["parents"], *one["aliases"])]
    if change.rules.concern(names):
        try:
            rename_image(change.owner, change.image_id, services)
        except (NotFound, Conflict, Superseded):  # deleted meanwhile
            return


def _drop_unused_recognitions(change: RecordChange, services: Services) -> None:
    """Delete the cached recognitions of bytes that no image of the owner has any more."""
    for term in change.marker.entries.keys() - change.wanted.keys():
        services.recognition_cache.forget_unused(change.owner, digest_of(term))
