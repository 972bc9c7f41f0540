"""What moto's DynamoDB lacks: calls that are isolated from each other, and that cost what they ask for.

moto copies every table whole before a transaction, puts the copies back if it is cancelled, and sorts the
whole table for a query: at 10,000 items that is a third of a second each time. Here moto's own code runs on
an extract that holds only the items in question.
"""

from __future__ import annotations

import bisect
import copy
import inspect
import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from moto.dynamodb.comparisons import OpDefault
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from local import moto_patches
from local.loopback import WsgiApp

Place = tuple[Any, Any]  # an item's hash key, and its range key or None

_transact = DynamoDBBackend.transact_write_items
_query = Table.query
_QUERY = inspect.signature(_query)
_NONE = DynamoType({"NULL": True})


def mend() -> None:
    """Let moto's tables grow."""
    moto_patches.replace(DynamoDBBackend, transact_write_items=transact)
    moto_patches.replace(Table, query=query)
    moto_patches.forget(Item, Table)


class IsolatedTables:
    """A WSGI application that lets one DynamoDB call into ``app`` at a time, and all others as they come.

    moto answers every request in a thread of its own, without locks: between a condition and its write
    another write comes in, and of a transaction one item is seen before the next. DynamoDB isolates such
    calls from each other (Amazon DynamoDB developer guide, "DynamoDB transactions: how it works"). One at a
    time costs nothing in speed, as Python runs one thread at a time in any case.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._app(environ, start_response)
        with self._lock:
            return self._app(environ, start_response)


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
    """Query a partition of the table, or of an index, as moto does, which gets to see what it will answer."""
    asked = _QUERY.bind(table, hash_key, *args, **rest)
    asked.apply_defaults()
    wanted = asked.arguments
    if wanted["index_name"]:
        found = _indexed(table, wanted["hash_key_conditions"] or [])
    elif table.range_key_attr and isinstance(wanted["filter_expression"], OpDefault):  # there is no filter
        found = _next(wanted, table, _partition(table, hash_key))
    else:
        found = _partition(table, hash_key)
    return _query(_extract(table, found), hash_key, *args, **rest)


def _next(wanted: dict[str, Any], table: Any, items: list[Any]) -> list[Any]:
    """The items that a page of a partition holds, and one more, which tells that there is another page."""
    forward = wanted["scan_index_forward"] is not False
    ordered = sorted(items, key=lambda item: item.range_key.cast_value, reverse=not forward)
    if wanted["exclusive_start_key"] is not None:
        start = DynamoType(wanted["exclusive_start_key"][table.range_key_attr]).cast_value
        ordered = ordered[_position(ordered, start, forward) :]
    found: Iterable[Any] = ordered
    if wanted["range_comparison"]:
        compared = wanted["range_comparison"], wanted["range_objs"]
        found = (item for item in ordered if item.range_key.compare(*compared))
    return list(itertools.islice(found, wanted["limit"] + 1 if wanted["limit"] else None))


def _position(ordered: list[Any], start: Any, forward: bool) -> int:
    """Where those begin that lie behind ``start``."""
    if forward:
        return bisect.bisect_right(ordered, start, key=lambda item: item.range_key.cast_value)
    behind = bisect.bisect_left(ordered[::-1], start, key=lambda item: item.range_key.cast_value)
    return len(ordered) - behind


def _touched(backend: Any, transact_items: list[dict[str, Any]]) -> dict[str, list[Place]]:
    """Where the items of a transaction lie, by table; what names no item moto will refuse."""
    touched: dict[str, list[Place]] = {}
    for operation in (operation for item in transact_items for operation in item.values()):
        table = backend.tables.get(operation.get("TableName"))
        key = operation.get("Key") or operation.get("Item") or {}
        if table is not None:
            places = touched.setdefault(table.name, [])
            places += [place_of(table, key)] if set(table.table_key_attrs) <= set(key) else []
    return touched


def place_of(table: Any, key: dict[str, Any]) -> Place:
    """Where an item lies, by its key or by the item itself."""
    ranged = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    return DynamoType(key[table.hash_key_attr]), ranged


def _items_at(table: Any, places: Iterable[Place]) -> list[Any]:
    found = (table.get_item(*place) for place in places)
    return [item for item in found if item is not None]


def _partition(table: Any, hash_key: Any) -> list[Any]:
    there = table.items.get(hash_key, {})
    return list(there.values()) if table.range_key_attr else [there] if there else []


def _indexed(table: Any, conditions: list[tuple[str, Any]]) -> list[Any]:
    """The items with the index's hash key: one quick look at each item for the few that are in the index."""
    parts = (
        (part.values() for part in table.items.values()) if table.range_key_attr else [table.items.values()]
    )
    first = conditions[0][0] if conditions else table.hash_key_attr
    found = [item for part in parts for item in part if first in item.attrs]
    return [item for item in found if all(item.attrs.get(name, _NONE) == value for name, value in conditions)]


def _extract(table: Any, items: Iterable[Any]) -> Any:
    """A table like this one that holds only ``items``."""
    part = copy.copy(table)
    # moto would copy it for each item of a transaction, to go back to; the table itself is untouched.
    part.__deepcopy__ = lambda memo: part
    part.items = defaultdict(dict)
    part.stream_shard = None  # what becomes of the table itself is told (local/moto_streams.py)
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
