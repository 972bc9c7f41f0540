"""How large a term has become: exact counts, and over how many shards its entries spread.

A counted term has one row for each shard, which the transactions that move its entries count up and down;
so writers on different shards of a busy label never collide. The first row also says how many ``shards``
there are. That number only grows, and nothing moves when it does: old entries stay where they lie, which
the records know, new ones spread over all shards, and readers merge all of them.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.expressions import Item, Key, Update, Write
from chalicelib.library.index import ALL, Entry, label_name
from chalicelib.table import ConditionFailed, Table

# Entries from which a term gets more shards. DynamoDB takes 1,000 writes a second and partition; an
# entry costs two in a transaction, as does its count.
GROWTH = {2: 2_500, 4: 25_000, 8: 250_000, 16: 2_500_000}
_COUNTED = frozenset({ALL, "status:labelled", "status:failed"})


@dataclass(frozen=True)
class Size:
    """How many ``shards`` a term has and ``about`` how many entries; None where nobody counts them."""

    shards: int = 1
    about: int | None = None


def is_counted(term: str) -> bool:
    """Labels, ``all`` and final statuses are; file names, and what is on its way, stay in one shard."""
    return term in _COUNTED or label_name(term) is not None


def count_key(owner: str, term: str, shard: int) -> Key:
    """The row of one shard's count."""
    return Key(f"{owner}#counts{shard or ''}", term)


def counted(owner: str, term: str, shard: int, by: int) -> list[Write]:
    """The write that moves a shard's count, none for a term that is not counted.

    ``moves`` only ever grows: who reads the same number twice knows that nothing came or went in between.
    """
    moved = Update(count_key(owner, term, shard), add={"count": by, "moves": 1})
    return [moved] if is_counted(term) else []


def shards_of(row: Item) -> int:
    """How many shards a term has, by its first row."""
    return int(row.get("shards", 1))


def sizes_of(table: Table, owner: str, terms: Iterable[str]) -> dict[str, Size]:
    """The sizes of terms, by one read each. An image's id picks its shard, so the first stands for all."""
    keys = {term: count_key(owner, term, 0) for term in terms if is_counted(term)}
    rows = table.get_many(list(keys.values()))
    found = {term: rows.get(key, {}) for term, key in keys.items()}
    return {
        term: Size(shards_of(row), int(row.get("count", 0)) * shards_of(row)) for term, row in found.items()
    }


def placed(table: Table, owner: str, image_id: str, entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """New entries of an image, each with its shard; a term that has outgrown its shards gets more."""
    sizes = sizes_of(table, owner, entries)
    shards = {term: _grown(table, owner, term, size) for term, size in sizes.items()}
    return {
        term: Entry(entry.confidence, entry.instances, _pick(image_id, shards.get(term, 1)))
        for term, entry in entries.items()
    }


def _pick(image_id: str, shards: int) -> int:
    return zlib.crc32(image_id.encode()) % shards


def _grown(table: Table, owner: str, term: str, size: Size) -> int:
    wanted = size.shards * 2
    if (size.about or 0) < GROWTH.get(wanted, float("inf")):
        return size.shards
    seen = {"shards": size.shards if size.shards > 1 else None}
    with contextlib.suppress(ConditionFailed):  # another writer was faster
        table.write(Update(count_key(owner, term, 0), set={"shards": wanted}, when=seen))
    return wanted
