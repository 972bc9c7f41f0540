"""Writes counts, usage and markers in one transaction, so that each change counts exactly once.

The transaction's condition is that each marker is still the one that was read. It fails as a whole if another
projector was faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from chalicelib.expressions import Put
from chalicelib.library import catalogue, usage
from chalicelib.library.index import counted_as
from chalicelib.library.markers import Marker
from chalicelib.pipeline.record_changes import RecordChange
from chalicelib.wiring import Services

MARKERS = 60  # of a transaction's 100 writes; the rest is for counts and usage
COUNT_ROWS = 36
ROW_TERMS = 270  # in one row's update expression of at most 4 KB (DynamoDB, "Expressions")


def chunks(group: Sequence[RecordChange]) -> Iterator[list[RecordChange]]:
    """Split an owner's changes into chunks whose markers, counts and usage fit a transaction."""
    chunk: list[RecordChange] = []
    for change in group:
        if chunk and (len(chunk) == MARKERS or not _fits(_deltas([*chunk, change]))):
            yield chunk
            chunk = []
        chunk.append(change)
    if chunk:
        yield chunk


def count(chunk: Sequence[RecordChange], services: Services) -> None:
    """Write counts, usage and markers in one transaction; in several if one image alone has too many terms.

    :raises ConditionFailed: another projector has projected one of the images meanwhile.
    """
    owner, deltas = chunk[0].owner, _deltas(chunk)
    left = _count_in_parts(chunk[0], deltas, services) if len(chunk) == 1 else deltas
    markers = [_marker_write(one, services) for one in chunk]
    results = [stored for one in chunk for stored in one.unpublished]
    first = [one.unpublished[0] for one in chunk if one.unpublished and not one.marker.result]
    counts = catalogue.updates(owner, left)
    services.table.transact([*markers, *counts, *usage.updates(owner, results, first)])
    catalogue.forget_zeros(services.table, owner, deltas, services.now())


def _marker_write(change: RecordChange, services: Services) -> Put:
    """The conditional write of an image's marker after its projection."""
    before, gone = change.marker, change.present is None
    result = 0 if gone else max([before.result, *(one.result for one in change.unpublished)])
    after = Marker(change.version, result, change.wanted, change.key)
    return services.markers.replacement(change.owner, change.image_id, before, after, gone=gone)


def _count_in_parts(change: RecordChange, deltas: dict[str, int], services: Services) -> dict[str, int]:
    """Count terms of an image in transactions of their own until the rest fits one; returns the rest."""
    while not _fits(deltas):
        part = _first_that_fit(deltas)
        wanted = change.wanted
        by = {term: part.get(counted_as(term) or "", 0) for term in (*wanted, *change.marker.entries)}
        entries = {term: entry for term, entry in change.marker.entries.items() if by[term] >= 0}
        entries |= {term: entry for term, entry in wanted.items() if by[term] > 0}
        before = change.marker
        interim = Marker(before.version, before.result, entries, change.key)
        write = services.markers.replacement(change.owner, change.image_id, before, interim, gone=False)
        services.table.transact([write, *catalogue.updates(change.owner, part)])
        change.marker = Marker(
            interim.version, interim.result, entries, interim.key, str(write.item["revision"])
        )
        deltas = _deltas([change])
    return deltas


def _first_that_fit(deltas: dict[str, int]) -> dict[str, int]:
    part: dict[str, int] = {}
    for term, by in deltas.items():
        if not _fits({**part, term: by}):
            break
        part[term] = by
    return part


def _fits(deltas: dict[str, int]) -> bool:
    rows = Counter(catalogue.row_key("", term).sk for term in deltas)
    return len(rows) <= COUNT_ROWS and max(rows.values(), default=0) <= ROW_TERMS


def _deltas(chunk: Sequence[RecordChange]) -> dict[str, int]:
    """By how many images the count of each term changes."""
    deltas: Counter[str] = Counter()
    for one in chunk:
        deltas.update(filter(None, map(counted_as, one.wanted)))
        deltas.subtract(filter(None, map(counted_as, one.marker.entries)))
    return {term: by for term, by in deltas.items() if by}
