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
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.delivery.events import ImageFinished, type_of
from chalicelib.errors import Conflict, NotFound, Superseded, Transient, Unavailable
from chalicelib.expressions import Delete, Key, Put, decoded
from chalicelib.intake.objects import REKOGNITION
from chalicelib.library import catalogue, history, index, usage
from chalicelib.library.index import Entries, Entry, counted_as, digest_of, entries_of
from chalicelib.library.markers import Marker, image_of, marker_key, result_of
from chalicelib.library.record import SORT_KEY, StoredImage, key_for, record_key
from chalicelib.library.renames import Rules, rules_key
from chalicelib.model import Json, in_rekognitions_words, time_of
from chalicelib.pipeline.batches import for_each
from chalicelib.pipeline.curating import rename_image
from chalicelib.pipeline.withdrawing import withdraw_exports_of
from chalicelib.table import ConditionFailed
from chalicelib.wiring import Services

log = logging.getLogger("sightline.projection")

MARKERS = 60  # a transaction: of its 100 places the rest is for counts and usage
COUNT_ROWS = 36
ROW_TERMS = 270  # in the expression of one row, which has 4 KB (DynamoDB, "Expressions")
SIDECARS_AT_ONCE = 8
TRIES = 8
SECONDS_A_CHUNK = 10.0  # with less time left, the rest of a batch comes again


@dataclass
class Change:
    """What a batch of the stream says of one image: its newest record, and those that came before it.

    ``stored`` is None where the record itself has gone, which counts as one more change of its ``version``.
    ``passed`` begins with the record as it was before the batch: the change that led to it may have been
    given up. ``marker`` is what has been done for the image so far, ``rules`` are its owner's renames.
    """

    owner: str
    image_id: str
    version: int = 0
    stored: StoredImage | None = None
    passed: list[StoredImage] = field(default_factory=list)
    sequence_numbers: list[str] = field(default_factory=list)
    marker: Marker = field(default_factory=Marker)
    rules: Rules = field(default_factory=Rules)

    @property
    def present(self) -> StoredImage | None:
        """The record, if there is still an image."""
        return None if self.stored is None or self.stored.erased else self.stored

    @property
    def is_news(self) -> bool:
        """Whether something is to be done: no repeat, and no row that goes after all else has gone."""
        return self.version > self.marker.version and (self.stored is not None or bool(self.marker.entries))

    @property
    def key(self) -> str:
        """The object's key."""
        own = self.stored.key if self.stored else ""
        return own or self.marker.key or key_for(self.owner, self.image_id)

    @property
    def untold(self) -> list[StoredImage]:
        """The results that nobody has been told of yet; of one that has gone, only that it was deleted."""
        results: dict[int, StoredImage] = {}
        if self.present is None and self.marker.gone:
            return []
        for one in filter(None, (*self.passed, self.stored)):
            if one.result > self.marker.result and (self.present is not None or one.binned):
                results.setdefault(one.result, one)
        return list(results.values())

    @property
    def attempted(self) -> list[Entries]:
        """The entries that an attempt which broke off may have written: of all versions since the marker.

        A record that waits for another result may be seen as that only, and not as the result before.
        """
        documents = [one.document for one in self.passed]
        documents += [
            {**one.document, "status": status}
            for one in self.passed
            for status in (("labelled", "failed") if one.result and not one.final else ())
        ]
        return [*map(entries_of, documents), *([{index.PENDING: Entry()}] if self.passed else [])]

    @cached_property
    def wanted(self) -> Entries:
        """The index entries that the image is to have."""
        return entries_of(self.present.document) if self.present else {}

    def follow(self, stored: StoredImage | None, version: int) -> None:
        """Go on to a newer version of the record."""
        if version <= self.version:
            return
        if self.present:
            self.passed.append(self.present)
        self.version, self.stored = version, stored


def project(event: Json, services: Services, time_left: TimeLeft = unhurried) -> Json:
    """Bring what is derived from records in line with a batch of their changes.

    Answers which changes are to come again (AWS Lambda, "Reporting batch item failures"): those that met a
    fault that may pass. An image that cannot be projected for another reason is left to the sweep.
    """
    changes = _read(event)
    _look_up(changes, services)
    failed: list[str] = []
    news: list[Change] = []
    for one in sorted(filter(lambda one: one.is_news, changes), key=lambda one: one.owner):
        try:
            one.wanted  # noqa: B018 - whether the record can be read at all
            news.append(one)
        except Exception as error:
            failed += _set_aside(one, error, services)
    for _, group in itertools.groupby(news, lambda one: one.owner):
        for chunk in _chunks(list(group)):
            late = time_left() < SECONDS_A_CHUNK
            failed += _numbers(chunk) if late else _attempted(chunk, services)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def restore(owner: str, image_id: str, services: Services, *, suspects: Iterable[str] = ()) -> None:
    """Bring an image's index entries back to what its marker says, and its sidecar to its record.

    ``suspects`` are terms under which somebody may have written an entry that is not the marker's.

    :raises Unavailable: the marker keeps moving.
    """
    for _ in range(TRIES):
        change = Change(owner, image_id)
        _look_up([change], services, with_record=True)
        known = change.marker.entries
        stale = dict.fromkeys([*known, *suspects], Entry())
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
    change = Change(owner, image_id)
    _look_up([change], services, with_record=True)
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


def _read(event: Json) -> list[Change]:
    """The images that the records of a batch tell of, in the order in which they come."""
    changes: dict[tuple[str, str], Change] = {}
    for record in event["Records"]:
        told = record["dynamodb"]
        keys = decoded(told["Keys"])
        if keys["sk"] != SORT_KEY:  # the mapping's filter leaves these out, where it has been set
            continue
        old, stored = (
            StoredImage({**decoded(told[side]), **keys}) if told.get(side) else None
            for side in ("OldImage", "NewImage")
        )
        owner, image_id = image_of(Key(str(keys["pk"]), SORT_KEY))
        change = changes.setdefault((owner, image_id), Change(owner, image_id))
        change.sequence_numbers.append(told["SequenceNumber"])
        before = old.version if old else 0
        if old:
            change.follow(old, before)
        change.follow(stored, stored.version if stored else before + 1)
    return list(changes.values())


def _look_up(changes: Sequence[Change], services: Services, *, with_record: bool = False) -> None:
    """Add to changes what has been done for their images and how their owners call labels, in one read."""
    keys = [marker_key(one.owner, one.image_id) for one in changes]
    keys += [rules_key(owner) for owner in dict.fromkeys(one.owner for one in changes)]
    keys += [record_key(one.owner, one.image_id) for one in changes if with_record]
    found = services.table.get_many(keys)
    for one in changes:
        one.marker = Marker.from_item(found.get(marker_key(one.owner, one.image_id)))
        one.rules = Rules.from_item(found.get(rules_key(one.owner)))
        one.passed = [each for each in one.passed if each.version > one.marker.version and _is_sound(each)]
        if with_record:
            item = found.get(record_key(one.owner, one.image_id))
            one.stored = StoredImage(item) if item else None
            one.version = one.stored.version if one.stored else one.marker.version + 1


def _is_sound(stored: StoredImage) -> bool:
    """Whether a record can be read; what cannot be was never projected."""
    try:
        return bool(stored.document)
    except Exception:
        return False


def _chunks(group: Sequence[Change]) -> Iterator[list[Change]]:
    """An owner's images in parts whose markers, counts and usage fit a transaction."""
    chunk: list[Change] = []
    for change in group:
        if chunk and (len(chunk) == MARKERS or not _fits(_moved([*chunk, change]))):
            yield chunk
            chunk = []
        chunk.append(change)
    if chunk:
        yield chunk


def _attempted(chunk: Sequence[Change], services: Services) -> list[str]:
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


def _set_aside(change: Change, error: Exception, services: Services) -> list[str]:
    """Leave an image that cannot be projected to the sweep, so that it holds up nobody."""
    log.error("not projected, left to the sweep: image %r: %r", change.image_id, error, exc_info=error)
    try:
        services.markers.rebuild_later(change.owner, change.image_id)
    except Transient:
        return change.sequence_numbers
    return []


def _numbers(chunk: Sequence[Change]) -> list[str]:
    return [number for change in chunk for number in change.sequence_numbers]


def _project(chunk: Sequence[Change], services: Services) -> None:
    writes: list[Put | Delete] = []
    for one in chunk:
        writes += index.updates(one.owner, one.image_id, one.wanted, one.marker.entries, *one.attempted)
    _derive(chunk, writes, services)
    try:
        _count(chunk, services)
    except ConditionFailed:
        for one in chunk:
            _project_alone(one, services)


def _project_alone(change: Change, services: Services) -> None:
    """Project an image beside another projector of it: entries may be as either of them left them."""
    suspects = {*change.wanted, *(term for entries in change.attempted for term in entries)}
    for _ in range(TRIES):
        suspects |= change.marker.entries.keys()
        _look_up([change], services)
        if not change.is_news:
            return restore(change.owner, change.image_id, services, suspects=suspects)
        stale = dict.fromkeys([*change.marker.entries, *suspects], Entry())
        writes = list(index.updates(change.owner, change.image_id, change.wanted, {}, stale))
        _derive([change], writes, services)
        with contextlib.suppress(ConditionFailed):
            return _count([change], services)
    raise Unavailable(f"Image {change.image_id} keeps changing.")


def _derive(chunk: Sequence[Change], writes: list[Put | Delete], services: Services) -> None:
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


def _write_sidecar(change: Change, services: Services) -> None:
    before = {change.marker.key or change.key, *(one.key for one in change.passed)}
    for key in before - {change.present.key if change.present else ""}:
        other = services.images.find_by_key(key)
        if other is None:
            services.objects.delete_derived(key)
        else:  # it may have written its sidecar before this one's, which was late
            services.images.touch(other.image.owner, other.image.id)
    if change.present is None:
        return
    if change.present.binned:
        services.objects.delete_sidecar(change.key)
    elif change.present.final:
        services.objects.write_sidecar(change.key, change.present.document)
        if services.settings.sidecar == REKOGNITION:
            theirs = in_rekognitions_words(change.present.image)
            services.objects.write_sidecar(change.key, theirs, REKOGNITION)


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


def _let_names_follow(change: Change, services: Services) -> None:
    """Rename what was labelled while a rename was made: the labeler had read the rules before."""
    if not change.untold or not change.rules.names or change.present is None or change.present.binned:
        return
    labels = change.present.document["labels"]
    names = [name for one in labels for name in (one["name"], *one["parents"], *one["aliases"])]
    if change.rules.concern(names):
        try:
            rename_image(change.owner, change.image_id, services)
        except (NotFound, Conflict, Superseded):  # it was deleted meanwhile
            return


def _forget_bytes(change: Change, services: Services) -> None:
    """Drop the cached recognitions of bytes that no image of the owner has any more."""
    for term in change.marker.entries.keys() - change.wanted.keys():
        services.recognitions.forget_unused(change.owner, digest_of(term))


def _count(chunk: Sequence[Change], services: Services) -> None:
    """Move counts, usage and markers in one transaction; in several where one image alone moves too much.

    :raises ConditionFailed: somebody else has projected one of the images meanwhile.
    """
    if len(chunk) == 1:
        _count_in_parts(chunk[0], services)
    owner = chunk[0].owner
    markers = [_marked(one, services) for one in chunk]
    told = [stored for one in chunk for stored in one.untold]
    first = [one.untold[0] for one in chunk if one.untold and not one.marker.result]
    counts = catalogue.updates(owner, _moved(chunk))
    services.table.transact([*markers, *counts, *usage.updates(owner, told, first)])


def _marked(change: Change, services: Services) -> Put:
    """The write that says of an image that it has been projected."""
    before, gone = change.marker, change.present is None
    result = 0 if gone else max([before.result, *(one.result for one in change.untold)])
    after = Marker(change.version, result, change.wanted, change.key)
    return services.markers.moved(change.owner, change.image_id, before, after, gone=gone)


def _count_in_parts(change: Change, services: Services) -> None:
    """Count so many terms of an image beforehand that those that are left fit one transaction."""
    while not _fits(moved := _moved([change])):
        part = _first_that_fit(moved)
        wanted = change.wanted
        by = {term: part.get(counted_as(term) or "", 0) for term in (*wanted, *change.marker.entries)}
        entries = {term: entry for term, entry in change.marker.entries.items() if by[term] >= 0}
        entries |= {term: entry for term, entry in wanted.items() if by[term] > 0}
        before = change.marker
        interim = Marker(before.version, before.result, entries, change.key)
        move = services.markers.moved(change.owner, change.image_id, before, interim, gone=False)
        services.table.transact([move, *catalogue.updates(change.owner, part)])
        change.marker = Marker(
            interim.version, interim.result, entries, interim.key, str(move.item["revision"])
        )


def _first_that_fit(moved: dict[str, int]) -> dict[str, int]:
    part: dict[str, int] = {}
    for term, by in moved.items():
        if not _fits({**part, term: by}):
            break
        part[term] = by
    return part


def _fits(moved: dict[str, int]) -> bool:
    rows = Counter(catalogue.row_key("", term).sk for term in moved)
    return len(rows) <= COUNT_ROWS and max(rows.values(), default=0) <= ROW_TERMS


def _moved(chunk: Sequence[Change]) -> dict[str, int]:
    """By how many images each counted term changes."""
    moved: Counter[str] = Counter()
    for one in chunk:
        moved.update(filter(None, map(counted_as, one.wanted)))
        moved.subtract(filter(None, map(counted_as, one.marker.entries)))
    return {term: by for term, by in moved.items() if by}
