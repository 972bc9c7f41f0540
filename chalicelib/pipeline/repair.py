"""The repair: compares an owner's derived data and the bucket with the records, and corrects differences.

The projection keeps derived data right, so normally there is nothing to find. The repair is for changes that
the stream lost, and for tables that were edited by hand or restored in part. It may run while the service
does: an image that was not projected is sent through the stream again, and counts are corrected on condition
that nothing was counted meanwhile.

Differences between bucket and records are sent to the labeler, as if S3 had sent an event, here and at the
start of ``make run``. They come from lost events, from a restored bucket or table, and from folders that were
changed while nothing ran.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.expressions import Key, Value
from chalicelib.intake.objects import UPLOADS, is_litter, is_sidecar
from chalicelib.library import catalogue, index
from chalicelib.library.index import (
    ALL,
    BINNED,
    FAILED,
    PENDING,
    TAKEN,
    IndexEntry,
    counted_as,
    entries_of,
    image_in,
)
from chalicelib.library.markers import Marker, marker_key
from chalicelib.library.record import StoredImage, parse_key, record_key, was_dropped
from chalicelib.model import DEFAULT_OWNER, ObjectUploaded
from chalicelib.pipeline.batches import event_of
from chalicelib.pipeline.projection import rebuild
from chalicelib.table import BATCH_LIMIT, ConditionFailed
from chalicelib.wiring import Services

READ_AT_ONCE = 1000
IMAGES_AT_ONCE = BATCH_LIMIT // 2  # each with its marker
COUNT_TRIES = 5
T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """A difference from the records; ``mended`` says whether it was corrected."""

    what: str
    term: str = ""
    image_id: str = ""
    mended: bool = False

    def __str__(self) -> str:
        term = f": {self.term!r}" if self.term else ""
        where = f" of image {self.image_id}" if self.image_id else ""
        return f"{'mended' if self.mended else 'found'}: {self.what}{term}{where}"


def repair(owner: str, services: Services, *, mend: bool) -> Iterator[Fault]:
    """Find all differences from an owner's records; with ``mend`` correct them.

    Yields images that were not projected, index entries that are missing, wrong or left over, wrong counts,
    and differences between bucket and records. An image is found by any entry under ``all``, a status or a
    label. Each index entry and record is read twice, and the bucket is listed once.
    """
    counted = {ALL, FAILED, *catalogue.counts_of(services.table, owner)}
    terms = {PENDING, BINNED, *map(_listed, counted)}
    known = {image_id for term in sorted(terms) for _, image_id in _entries(owner, term, services)}
    wanted: dict[str, set[str]] = {}
    for batch in _batches(sorted(known), IMAGES_AT_ONCE):
        yield from _held_to_records(owner, batch, wanted, services, mend=mend)
    counted.update(filter(None, (counted_as(term) for some in wanted.values() for term in some)))
    for name in sorted(terms | set(map(_listed, counted))):
        for term, image_id in list(_entries(owner, name, services)):
            if term not in wanted.get(image_id, ()) and not _asks_for(owner, image_id, term, services):
                if mend:
                    rebuild(owner, image_id, services, suspects=[term])
                yield Fault("entry that no record knows", term, image_id, mend)
    yield from _miscounted(owner, counted, services, mend=mend)
    yield from _held_to_bucket(owner, known, services, mend=mend)


def _held_to_bucket(owner: str, known: Iterable[str], services: Services, *, mend: bool) -> Iterator[Fault]:
    """Differences between the bucket and the records; with ``mend`` they are sent to the labeler."""
    records: dict[str, StoredImage] = {}
    for batch in _batches(sorted(known), BATCH_LIMIT):
        items = services.table.get_many([record_key(owner, one) for one in batch])
        stored = [StoredImage(item) for item in items.values()]
        records.update({one.key: one for one in stored if not one.erased})
    etags = {
        key: etag
        for key, etag in services.objects.listed(UPLOADS if owner == DEFAULT_OWNER else f"{UPLOADS}~{owner}/")
        if (parse_key(key) or (DEFAULT_OWNER, ""))[0] == owner
    }
    for one in disagreements(records, etags):
        if one.key in records and not records[one.key].final:  # still to be labelled
            continue
        if mend:
            services.uploads_queue.send(event_of(one))
        what = "record without its object" if one.removed else "object that its record does not know"
        image_id = records[one.key].id if one.key in records else ""
        yield Fault(what, one.key, image_id, mend)


def _held_to_records(
    owner: str, image_ids: list[str], wanted: dict[str, set[str]], services: Services, *, mend: bool
) -> Iterator[Fault]:
    """Faults of some images; adds the terms of each image to ``wanted``."""
    keys = [record_key(owner, one) for one in image_ids] + [marker_key(owner, one) for one in image_ids]
    items = services.table.get_many(keys)
    for image_id in image_ids:
        item = items.get(record_key(owner, image_id))
        stored = StoredImage(item) if item else None
        if stored is None or stored.erased:
            continue
        entries = entries_of(stored.document)
        wanted[image_id] = set(entries)
        places = {term: index.key_of(owner, term, image_id) for term in entries}
        found = services.table.get_many(list(places.values()))
        if Marker.from_item(items.get(marker_key(owner, image_id))).version != stored.version:
            if mend:
                services.images.touch(owner, image_id)
            yield Fault("not projected", image_id=image_id, mended=mend)
            continue
        wrong = [
            Fault("entry missing or wrong", term, image_id, mend)
            for term, entry in entries.items()
            if places[term] not in found or IndexEntry.from_item(found[places[term]]) != entry
        ]
        if wrong and mend:
            rebuild(owner, image_id, services)
        yield from wrong


def _asks_for(owner: str, image_id: str, term: str, services: Services) -> bool:
    """Whether the current record has the term."""
    item = services.table.get(record_key(owner, image_id))
    stored = StoredImage(item) if item else None
    return stored is not None and not stored.erased and term in entries_of(stored.document)


def _miscounted(owner: str, terms: set[str], services: Services, *, mend: bool) -> Iterator[Fault]:
    rows: defaultdict[Key, list[str]] = defaultdict(list)
    for term in sorted(terms):
        rows[catalogue.row_key(owner, term)].append(term)
    for key, some in rows.items():
        for _ in range(COUNT_TRIES):
            row = services.table.get(key) or {}
            off = {
                term: _carriers(owner, term, services) - int(row.get(catalogue.attribute(term), 0))
                for term in some
            }
            off = {term: by for term, by in off.items() if by}
            if (services.table.get(key) or {}).get("moves") != row.get("moves"):
                continue  # images came or went while they were counted
            mended = bool(off) and mend and _count(key, row.get("moves"), off, services)
            yield from (Fault(f"count off by {-by}", term, mended=mended) for term, by in off.items())
            break
        else:
            yield Fault("too busy to be counted", ", ".join(some))


def _count(key: Key, moves: Value | None, off: dict[str, int], services: Services) -> bool:
    try:
        added = {**{catalogue.attribute(term): by for term, by in off.items()}, "moves": 1}
        services.table.write(catalogue.counted(key, added, when={"moves": moves}))
    except ConditionFailed:
        return False
    return True


def _listed(counted: str) -> str:
    """The term whose partition has the entries of a counted term."""
    return TAKEN if counted.startswith(TAKEN) else counted


def _carriers(owner: str, counted: str, services: Services) -> int:
    """The number of index entries of a counted term."""
    entries = _entries(owner, _listed(counted), services)
    return sum(1 for term, _ in entries if counted_as(term) == counted)


def _entries(owner: str, name: str, services: Services) -> Iterator[tuple[str, str]]:
    """The entries of a term, or of all dates taken, as (term, image id)."""
    after: str | None = None
    while True:
        entries = services.table.query(index.partition(owner, name), limit=READ_AT_ONCE, after=after)
        for place in (str(entry["sk"]) for entry in entries):
            image_id = image_in(place)
            yield name + place.removesuffix(image_id).removesuffix("#"), image_id
        if len(entries) < READ_AT_ONCE:
            return
        after = str(entries[-1]["sk"])


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    them = iter(things)
    while batch := list(itertools.islice(them, size)):
        yield batch


def is_photo(key: str) -> bool:
    """Whether an object becomes an image."""
    return key.startswith(UPLOADS) and not is_litter(key) and not is_sidecar(key)


def disagreements(records: Mapping[str, StoredImage], etags: Mapping[str, str]) -> Iterator[ObjectUploaded]:
    """The differences, as hints for the labeler: photos without a matching record, records without a photo.

    ``records`` are the images by object key, ``etags`` the bucket's objects by key.
    """
    for key, etag in etags.items():
        if is_photo(key) and not _knows(records.get(key), etag):
            yield ObjectUploaded(key, etag)
    for key, record in records.items():
        if key not in etags and record.final and not record.binned and not _needs_none(record):
            yield ObjectUploaded(key, removed=True)


def _needs_none(record: StoredImage) -> bool:
    return not record.item.get("etag") or was_dropped(record.image)


def _knows(record: StoredImage | None, etag: str) -> bool:
    if record is None or not record.final:
        return False
    return not record.missing if record.binned else record.item.get("etag") == etag
