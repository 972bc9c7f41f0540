"""What moto's DynamoDB lacks for a table of some size: work that grows with what is asked for.

moto copies every table whole before a transaction, puts the copies back if it is cancelled, and sorts the
whole table for a query: at 10,000 items that is a third of a second each time. Here moto's own code runs on
an extract that holds only the items in question.
"""

from __future__ import annotations

import copy
import inspect
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from local import mending

Place = tuple[Any, Any]  # an item's hash key, and its range key or None

_transact = DynamoDBBackend.transact_write_items
_query = Table.query
_QUERY_ARGUMENTS = inspect.signature(_query)


def mend() -> None:
    """Let moto's tables grow."""
    mending.replace(DynamoDBBackend, transact_write_items=transact)
    mending.replace(Table, query=query)
    mending.forget(Item, Table)


def transact(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    """Do all of a transaction or nothing: moto does it on copies, which then take their items' places."""
    touched = _touched(backend, transact_items)
    aside = copy.copy(backend)
    aside.tables = {
        name: _extract(backend.tables[name], copy.deepcopy(_items_at(backend.tables[name], places)))
        for name, places in touched.items()
    }
    _transact(aside, transact_items)
    for name, places in touched.items():
        for place in places:
            _move(aside.tables[name], backend.tables[name], place)


def query(table: Any, hash_key: Any, *args: Any, **rest: Any) -> Any:
    """Query one partition of the table, or of an index, as moto does, which never needs to see the others."""
    conditions = rest.get("hash_key_conditions") or []
    found = _partition(table, hash_key) if _asks_table(*args, **rest) else _indexed(table, conditions)
    return _query(_extract(table, found), hash_key, *args, **rest)


def _asks_table(*args: Any, **rest: Any) -> bool:
    return not _QUERY_ARGUMENTS.bind(None, None, *args, **rest).arguments.get("index_name")


def _touched(backend: Any, transact_items: list[dict[str, Any]]) -> dict[str, list[Place]]:
    """Where the items of a transaction lie, by table; what names no item moto will refuse."""
    touched: dict[str, list[Place]] = {}
    for operation in (operation for item in transact_items for operation in item.values()):
        table = backend.tables.get(operation.get("TableName"))
        key = operation.get("Key") or operation.get("Item") or {}
        if table is not None:
            places = touched.setdefault(table.name, [])
            places += [_place(table, key)] if set(table.table_key_attrs) <= set(key) else []
    return touched


def _place(table: Any, key: dict[str, Any]) -> Place:
    ranged = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    return DynamoType(key[table.hash_key_attr]), ranged


def _items_at(table: Any, places: Iterable[Place]) -> list[Any]:
    found = (table.get_item(*place) for place in places)
    return [item for item in found if item is not None]


def _partition(table: Any, hash_key: Any) -> list[Any]:
    there = table.items.get(hash_key, {})
    return list(there.values()) if table.range_key_attr else [there] if there else []


def _indexed(table: Any, conditions: list[tuple[str, Any]]) -> list[Any]:
    """The items with the index's hash key: one look at each item, but only these few are sorted."""
    partitions = table.items.values()
    every = (item for part in partitions for item in (part.values() if table.range_key_attr else [part]))
    return [item for item in every if all(_has(item, name, value) for name, value in conditions)]


def _has(item: Any, name: str, value: Any) -> bool:
    return name in item.attrs and bool(item.attrs[name] == value)


def _extract(table: Any, items: Iterable[Any]) -> Any:
    """A table like this one that holds only ``items``."""
    part = copy.copy(table)
    # moto would copy it for each item of a transaction, to go back to; the table itself is untouched.
    part.__deepcopy__ = lambda memo: part
    part.items = defaultdict(dict)
    for item in items:
        _put(part, (item.hash_key, item.range_key), item)
    return part


def _move(source: Any, target: Any, place: Place) -> None:
    item = source.get_item(*place)
    if item is None:
        target.delete_item(*place)
    else:
        _put(target, place, item)


def _put(table: Any, place: Place, item: Any) -> None:
    hash_key, range_key = place
    if range_key is None:
        table.items[hash_key] = item
    else:
        table.items[hash_key][range_key] = item
