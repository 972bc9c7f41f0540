"""What moto's DynamoDB lacks for streams: one record for each item that a call has changed, and no other.

moto tells of steps in between (two inserts for an update that makes an item), of writes that change nothing
and of transactions that are cancelled, and never lets a record go. Here the items are looked at before and
after each call.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Iterator
from typing import Any

from moto.core import utils
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models import table as tables

from local import moto_patches
from local.loopback import ACCOUNT, REGION
from local.moto_tables import Place, place_of
from local.shard import Json, Shard

Touched = tuple[str, Json]  # a table, and an item in it or its key


class MotoShard(Shard):
    """A shard where moto looks for its own: GetRecords and iterators work on it."""

    def __init__(self, account_id: str, table: Any) -> None:
        arn = f"{table.table_arn}/stream/{table.latest_stream_label}"
        super().__init__(arn, tuple(table.table_key_attrs), lambda: utils.unix_time())  # moto's own clock
        self.table = table
        self.created_on = utils.utcnow()

    @property
    def id(self) -> str:
        return self.name

    @property
    def starting_sequence_number(self) -> int:
        return self.first

    @property
    def items(self) -> range:
        """As many as there are changes: all that moto wants to know."""
        return range(self.last + 1 - self.first)

    def add(self, old: Any, new: Any) -> None:
        """What moto tells of is not taken down."""

    def get(self, start: int, quantity: int) -> list[dict[str, Any]]:
        return [_with_bytes(change.event) for change in self.after(start - 1, quantity)]

    def to_json(self) -> dict[str, Any]:
        return {"ShardId": self.id, "SequenceNumberRange": {"StartingSequenceNumber": str(self.first)}}


def mend() -> None:
    """Let moto's streams be right; to be done after the tables and updates have been mended."""
    moto_patches.replace(tables, StreamShard=MotoShard)
    for name in ("put_item", "update_item", "delete_item"):
        moto_patches.replace(DynamoDBBackend, **{name: _watched(getattr(DynamoDBBackend, name), _one)})
    transact = _watched(DynamoDBBackend.transact_write_items, _several)
    moto_patches.replace(DynamoDBBackend, transact_write_items=transact)


def shard_of(table: str) -> Shard:
    """The stream of a table; :exc:`ValueError` where it has none."""
    found = dynamodb_backends[ACCOUNT][REGION].tables.get(table)
    if found is None or not isinstance(found.stream_shard, Shard):
        raise ValueError(f"The table {table!r} has no stream.")
    return found.stream_shard


def _watched(write: Callable[..., Any], touched: Callable[..., list[Touched]]) -> Callable[..., Any]:
    """A backend's method that says what it has changed of the items that it touches."""
    if hasattr(write, "__wrapped__"):
        return write  # it is watched already

    @functools.wraps(write)
    def watched(backend: Any, *args: Any, **named: Any) -> Any:
        places = list(_places(backend, touched(*args, **named)))
        before = [_image(table, place) for table, place in places]
        answer = write(backend, *args, **named)
        for old, (table, place) in zip(before, places, strict=True):
            table.stream_shard.note(old, _image(table, place))
        return answer

    return watched


def _one(table_name: str, item: Json, *rest: Any, **named: Any) -> list[Touched]:
    return [(table_name, item)]


def _several(transact_items: list[Json]) -> list[Touched]:
    operations = (operation for one in transact_items for operation in one.values())
    return [(one.get("TableName", ""), one.get("Key") or one.get("Item") or {}) for one in operations]


def _places(backend: Any, touched: list[Touched]) -> Iterator[tuple[Any, Place]]:
    """Where items lie in tables with a stream; what names no item moto will refuse."""
    for name, item in touched:
        table = backend.tables.get(name)
        if table is not None and table.stream_shard is not None and set(table.table_key_attrs) <= set(item):
            yield table, place_of(table, item)


def _with_bytes(value: Any) -> Any:
    """An event for moto, which writes binary values as text itself."""
    if not isinstance(value, dict):
        return value
    if value.keys() == {"B"}:
        return {"B": base64.b64decode(value["B"])}
    return {name: _with_bytes(one) for name, one in value.items()}


def _image(table: Any, place: Place) -> Json | None:
    item = table.get_item(*place)
    return None if item is None else item.to_json()["Attributes"]  # of its own: moto changes items in place
