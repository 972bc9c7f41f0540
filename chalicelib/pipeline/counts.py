"""Counts, usage and markers move in one transaction: whatever comes again, each change counts once.

A marker that is not as it was read tells of another projector; then nothing moves.
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

MARKERS = 60  # a transaction: of its 100 places the rest is for counts and usage
COUNT_ROWS = 36
ROW_TERMS = 270  # in the expression of one row, which has 4 KB (DynamoDB, "Expressions")


def chunks(group: Sequence[RecordChange]) -> Iterator[list[RecordChange]]:
    """An owner's images in parts whose markers, counts and usage fit a transaction."""
    chunk: list[RecordChange] = []
    for change in group:
        if chunk and (len(chunk) == MARKERS or not _fits(_moved([*chunk, change]))):
            yield chunk
            chunk = []
        chunk.append(change)
    if chunk:
        yield chunk


def count(chunk: Sequence[RecordChange], services: Services) -> None:
    """Move counts, usage and markers in one transaction; in several where one image alone moves too much.

    :raises ConditionFailed: somebody else has projected one of the images meanwhile.
    """
    owner, moved = chunk[0].owner, _moved(chunk)
    left = _count_in_parts(chunk[0], moved, services) if len(chunk) == 1 else moved
    markers = [_marked(one, services) for one in chunk]
    told = [stored for one in chunk for stored in one.untold]
    first = [one.untold[0] for one in chunk if one.untold and not one.marker.result]
    counts = catalogue.updates(owner, left)
    services.table.transact([*markers, *counts, *usage.updates(owner, told, first)])
    catalogue.forget_zeros(services.table, owner, moved, services.now())


def _marked(change: RecordChange, services: Services) -> Put:
    """The write that says of an image that it has been projected."""
    before, gone = change.marker, change.present is None
    result = 0 if gone else max([before.result, *(one.result for one in change.untold)])
    after = Marker(change.version, result, change.wanted, change.key)
    return services.markers.moved(change.owner, change.image_id, before, after, gone=gone)


def _count_in_parts(change: RecordChange, moved: dict[str, int], services: Services) -> dict[str, int]:
    """Count so many terms of an image beforehand that those that are left fit one transaction: these."""
    while not _fits(moved):
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
        moved = _moved([change])
    return moved


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


def _moved(chunk: Sequence[RecordChange]) -> dict[str, int]:
    """By how many images each counted term changes."""
    moved: Counter[str] = Counter()
    for one in chunk:
        moved.update(filter(None, map(counted_as, one.wanted)))
        moved.subtract(filter(None, map(counted_as, one.marker.entries)))
    return {term: by for term, by in moved.items() if by}
