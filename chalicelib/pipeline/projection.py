"""What follows from a changed record is worked out from the table's stream.

The stream gives each change at least once, and the changes of an image in order the first time. For each
image of a batch the projection writes what its newest record asks for: index entries, history, sidecar, the
message on the topic; and then, in one transaction for an owner, the counts, the usage and the images'
markers. A marker that has this version already tells a repeat. One that moves while its image is projected
tells of another projector: then the image is rebuilt from its record, as it is by the sweep and by ``make
repair``.
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
SECONDS_A_CHUNK = 10.0  # with less time left, the rest of a batch comes again


def project(event: Json, services: Services, time_left: TimeLeft = unhurried) -> Json:
    """Bring what is derived from records in line with a batch of their changes.

    Answers which changes are to come again (AWS Lambda, "Reporting batch item failures"): those that met a
    fault that may pass. An image that cannot be projected for another reason is left to the sweep.
    """
    changes = changes_in(event)
    look_up(changes, services)
    failed: list[str] = []
    news: list[RecordChange] = []
    for one in sorted(filter(lambda one: one.is_news, changes), key=lambda one: one.owner):
        try:
            one.wanted  # noqa: B018 - whether the record can be read at all
            news.append(one)
        except Exception as error:
            failed += _set_aside(one, error, services)
    for _, group in itertools.groupby(news, lambda one: one.owner):
        for chunk in chunks(list(group)):
            late = time_left() < SECONDS_A_CHUNK
            failed += _numbers(chunk) if late else _attempted(chunk, services)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def restore(owner: str, image_id: str, services: Services, *, suspects: Iterable[str] = ()) -> None:
    """Bring an image's index entries back to what its marker says, and its sidecar to its record.

    ``suspects`` are terms under which somebody may have written an entry that is not the marker's.

    :raises Unavailable: the marker keeps moving.
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
        same = services.markers.moved(
            owner, image_id, change.marker, change.marker, gone=change.present is None
        )
        with contextlib.suppress(ConditionFailed):  # a projector that is at work now has to look anew as well
            return services.table.write(same)
    raise Unavailable(f"Image {image_id} keeps changing.")


def project_again(key: Key, services: Services) -> None:
    """Let an image that could not be projected come through the stream again, unless it has been by now.

    ``key`` is that of the row that waits for it; the row goes when the image's marker has caught up.
    """
    owner, image_id = image_of(key)
    change = RecordChange(owner, image_id)
    look_up([change], services, with_record=True)
    if change.is_news:
        services.images.touch(owner, image_id)
    else:
        services.markers.settled(key)


def tell_again(key: Key, services: Services) -> None:
    """Publish a result again that no fan-out has confirmed, with the image as it is now.

    ``key`` is that of the row that waits for it. Of an image that was erased only the last result is told of,
    which was that; where there is nothing to tell any more, nobody waits.
    """
    item, result = services.table.get(record_key(*image_of(key))), result_of(key)
    stored = StoredImage(item) if item else None
    if stored is None or (stored.erased and stored.result != result):
        services.markers.settled(key)
    elif stored.final:
        event = dataclasses.replace(_event(stored), result=result)
        services.topic.publish_many([(event.message(), event.attributes())])


def _attempted(chunk: Sequence[RecordChange], services: Services) -> list[str]:
    """Project some images of an owner; answers the sequence numbers of those that are to come again."""
    try:
        _project(chunk, services)
    except Transient as error:
        log.warning("%d images come again: %s", len(chunk), error)
        return _numbers(chunk)
    except Exception as error:
        if len(chunk) > 1:  # one of them is the culprit
            return [number for one in chunk for number in _attempted([one], services)]
        return _set_aside(chunk[0], error, services)
    return []


def _set_aside(change: RecordChange, error: Exception, services: Services) -> list[str]:
    """Leave an image that cannot be projected to the sweep, so that it holds up nobody."""
    log.error("not projected, left to the sweep: image %r: %r", change.image_id, error, exc_info=error)
    try:
        services.markers.rebuild_later(change.owner, change.image_id)
    except Transient:
        return change.sequence_numbers
    return []


def _numbers(chunk: Sequence[RecordChange]) -> list[str]:
    return [number for change in chunk for number in change.sequence_numbers]


def _project(chunk: Sequence[RecordChange], services: Services) -> None:
    writes: list[Put | Delete] = []
    for one in chunk:
        writes += index.updates(one.owner, one.image_id, one.wanted, one.marker.entries, *one.attempted)
    _derive(chunk, writes, services)
    try:
        count(chunk, services)
    except ConditionFailed:
        for one in chunk:
            _project_alone(one, services)


def _project_alone(change: RecordChange, services: Services) -> None:
    """Project an image beside another projector of it: entries may be as either of them left them."""
    suspects = {*change.wanted, *(term for entries in change.attempted for term in entries)}
    for _ in range(TRIES):
        suspects |= change.marker.entries.keys()
        look_up([change], services)
        if not change.is_news:
            return restore(change.owner, change.image_id, services, suspects=suspects)
        stale = dict.fromkeys([*change.marker.entries, *suspects], IndexEntry())
        writes = list(index.updates(change.owner, change.image_id, change.wanted, {}, stale))
        _derive([change], writes, services)
        with contextlib.suppress(ConditionFailed):
            return count([change], services)
    raise Unavailable(f"Image {change.image_id} keeps changing.")


def _derive(chunk: Sequence[RecordChange], writes: list[Put | Delete], services: Services) -> None:
    """Write entries, history and sidecars and publish results: all that may be done twice, before it is
    counted.
    """
    for one in chunk:
        if one.present is None:
            writes += history.removed(services.table, one.owner, one.image_id)
        for stored in one.untold:
            writes += history.added(stored) if one.present else ()
            if stored.final:
                writes.append(services.markers.untold(one.owner, one.image_id, stored.result))
    # Of several writes to one row the last is meant: a result may come and make room for newer ones at once.
    services.table.write_many(list({write.key: write for write in writes}.values()))
    for_each(chunk, lambda one: _write_sidecar(one, services), at_once=min(len(chunk), SIDECARS_AT_ONCE))
    events = [_event(stored) for one in chunk for stored in one.untold if stored.final]
    services.topic.publish_many([(event.message(), event.attributes()) for event in events])
    if gone := {one.image_id for one in chunk if one.present is None}:
        withdraw_exports_of(chunk[0].owner, gone, services)
    for one in chunk:
        _let_names_follow(one, services)
        _forget_bytes(one, services)


def _write_sidecar(change: RecordChange, services: Services) -> None:
    before = {change.marker.key or change.key, *(one.key for one in change.passed)}
    for key in before - {change.present.key if change.present else ""}:
        _remove_xmp(change, key, services)
        other = services.images.find_by_key(key)
        if other is None:
            services.objects.delete_derived(key)
        else:  # it may have written its sidecar before this one's, which was late
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
            theirs = in_rekognitions_words(change.present.image)
            services.objects.write_sidecar(change.key, theirs, REKOGNITION)


def _write_xmp(change: RecordChange, image: Image, services: Services) -> None:
    """Write an image's XMP sidecar beside its object, where the stage wants it: never over another's."""
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
    """Whether a mark is that of our sidecar; several images may share a stem, and the first has it."""
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


def _let_names_follow(change: RecordChange, services: Services) -> None:
    """Rename what was labelled while a rename was made: the labeler had read the rules before."""
    ruled = change.rules.names or change.rules.terms
    if not change.untold or not ruled or change.present is None or change.present.binned:
        return
    labels = change.present.document["labels"]
    names = [name for one in labels for name in (one["name"], *one["parents"], *one["aliases"])]
    if change.rules.concern(names):
        try:
            rename_image(change.owner, change.image_id, services)
        except (NotFound, Conflict, Superseded):  # it was deleted meanwhile
            return


def _forget_bytes(change: RecordChange, services: Services) -> None:
    """Drop the cached recognitions of bytes that no image of the owner has any more."""
    for term in change.marker.entries.keys() - change.wanted.keys():
        services.recognition_cache.forget_unused(change.owner, digest_of(term))
