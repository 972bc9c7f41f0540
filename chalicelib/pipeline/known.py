"""Bytes that are here already: which images have them, told by their SHA-256."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.library.index import digest_term, partition
from chalicelib.library.record import Record, StoredImage, record_key
from chalicelib.pipeline.batches import for_each
from chalicelib.wiring import Services

MOST_ALIKE = 20  # images with the same bytes that are looked at
AT_ONCE = 16  # small queries; a thousand of them take a few seconds of API Gateway's 29
NEWEST = 3  # entries looked at: the index may be a second behind the records


def known_by(digests: Sequence[str], owner: str, services: Services) -> Mapping[str, StoredImage]:
    """The newest image of an owner for each digest that there is one for.

    An image is found as soon as it is labelled, or has failed: by then its bytes have been read.
    """
    candidates: dict[str, list[str]] = {}

    def look_up(digest: str) -> None:
        term = partition(owner, digest_term(digest))
        entries = services.table.query(term, limit=NEWEST, newest_first=True)
        candidates[digest] = [str(entry["sk"]) for entry in entries]

    for_each(dict.fromkeys(digests), look_up, at_once=AT_ONCE)
    keys = {record_key(owner, one): one for ids in candidates.values() for one in ids}
    stored = {keys[key]: StoredImage(item) for key, item in services.table.get_many(list(keys)).items()}
    return {digest: image for digest, ids in candidates.items() if (image := _having(digest, ids, stored))}


def _having(digest: str, ids: Sequence[str], stored: Mapping[str, StoredImage]) -> StoredImage | None:
    """The first of these images that has these bytes by its record, which has the last word."""
    found = (stored[one] for one in ids if one in stored)
    here = (one for one in found if not one.erased and not one.binned)
    return next((one for one in here if one.document["sha256"] == digest), None)


def same_bytes(sha256: str, owner: str, services: Services) -> list[Record]:
    """The newest images of an owner that have these bytes, by their records; those in the bin included."""
    term = partition(owner, digest_term(sha256))
    entries = services.table.query(term, limit=MOST_ALIKE, newest_first=True)
    keys = [record_key(owner, str(entry["sk"])) for entry in entries]
    items = services.table.get_many(keys)
    found = [items[key] for key in keys if key in items and not StoredImage(items[key]).erased]
    return [one for one in map(Record.from_item, found) if one.image.sha256 == sha256]
