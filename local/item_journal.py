"""The tables' items from one run to the next: each write is in a journal before its caller hears of it.

What is kept is DynamoDB's own form of an item, whatever it holds; moto's is made of it at the next start.
One line holds what one call wrote, so a transaction is kept whole or not at all. Now and then a line says how
many before it the tables' streams have handed over: they tell of the others after the start.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from local.journal import Content, Journal
from local.loopback import ACCOUNT, REGION, WsgiApp
from local.moto_tables import place_of

Json = dict[str, Any]
Place = tuple[tuple[str, Any], ...]  # type and value of each key attribute
Tables = dict[str, dict[Place, Json]]
Change = tuple[str, Json | None, Json | None]  # in a table, an item as it was and as it is

CHUNK = 100  # items a line, where a journal is written anew


class KeptItems:
    """The items of all tables, in ``journal``."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lines = 0
        self._settled = 0
        self._writing = threading.Lock()

    def around(self, app: WsgiApp) -> WsgiApp:
        """An application that passes DynamoDB's calls to ``app``, one at a time, and keeps their writes."""

        def kept(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
            if operation not in _WRITTEN:
                return app(environ, start_response)
            body = environ["wsgi.input"].read()
            environ["wsgi.input"].seek(0)
            statuses: list[str] = []

            def respond(status: str, *rest: Any) -> Any:
                statuses.append(status)
                return start_response(status, *rest)

            with self._writing:
                answer = list(app(environ, respond))
                if statuses[-1].startswith("200"):
                    self._keep(_WRITTEN[operation](json.loads(body)))
            return answer

        return kept

    def _keep(self, written: Iterable[tuple[str, Json]]) -> None:
        lines: dict[str, Json] = {}
        for name, holder in written:
            line = lines.setdefault(name, {"table": name, "put": [], "gone": []})
            table = _table(name)
            there = table.get_item(*place_of(table, holder))
            if there is None:
                line["gone"].append({attribute: holder[attribute] for attribute in table.table_key_attrs})
            else:
                line["put"].append(_wire(there))
        self._journal.append(*lines.values())
        self._lines += len(lines)

    def handed_over(self, caught_up: Callable[[], bool]) -> int:
        """How many lines a later stack need not tell of again: all if the streams have ``caught_up``."""
        with self._writing:
            return self._lines if caught_up() else self._settled

    def settle(self, lines: int) -> None:
        """Write down that so many lines have been handed over, with all that followed from them."""
        if lines > self._settled:
            self._journal.append({"settled": lines})
            self._settled = lines

    def restore(self, content: Content) -> dict[str, list[Json]]:
        """Fill the tables with what the journal's ``content`` says; answers their items.

        The tables' streams tell of what had not been handed over. The journal is written anew where it was
        damaged, or most of it is out of date. What has expired is left out: moto's time to live removes
        nothing.
        """
        settled = max((line["settled"] for line in content.values if "settled" in line), default=0)
        lines = [line for line in content.values if "table" in line]
        tables: Tables = {}
        for line in lines[:settled]:
            _apply(line, tables)
        before = list(_chunks(tables))
        pending = [change for line in lines[settled:] for change in _apply(line, tables)]
        written, there = sum(map(_weight, lines)), sum(map(len, tables.values()))
        if content.damaged or written > 2 * there:
            settled, lines = len(before), [*before, *lines[settled:]]
            self._journal.rewrite([*before, {"settled": settled}, *lines[settled:]])
        expired = list(_expired(tables, time.time()))
        self._journal.append(*expired)
        for line in expired:
            _apply(line, tables)
        self._lines, self._settled = len(lines) + len(expired), settled
        for name, items in tables.items():
            for item in items.values():
                _put(_table(name), item)
        for name, old, new in pending:
            if shard := _table(name).stream_shard:
                shard.note(old, new)
        return {name: list(items.values()) for name, items in tables.items()}


def _apply(line: Json, tables: Tables) -> list[Change]:
    """Bring ``tables`` up to a line; answers what it changed."""
    name = line["table"]
    keys, items = _table(name).table_key_attrs, tables.setdefault(name, {})
    changes: list[Change] = []
    for item in line["put"]:
        place = _place(keys, item)
        changes.append((name, items.get(place), item))
        items[place] = item
    changes += [(name, items.pop(_place(keys, key), None), None) for key in line["gone"]]
    return changes


def _expired(tables: Tables, now: float) -> Iterator[Json]:
    """A line for each table that has items whose time to live is over, which takes them out."""
    for name, items in tables.items():
        attribute = _table(name).ttl.get("AttributeName", "")
        over = [item for item in items.values() if float(item.get(attribute, {}).get("N", now)) < now]
        if over:
            keys = _table(name).table_key_attrs
            yield {"table": name, "put": [], "gone": [{key: item[key] for key in keys} for item in over]}


def _chunks(tables: Tables) -> Iterator[Json]:
    for name, items in tables.items():
        listed = list(items.values())
        for start in range(0, len(listed), CHUNK):
            yield {"table": name, "put": listed[start : start + CHUNK], "gone": []}


def _weight(line: Json) -> int:
    return len(line["put"]) + len(line["gone"])


def _table(name: str) -> Any:
    return dynamodb_backends[ACCOUNT][REGION].get_table(name)


def _place(keys: Iterable[str], holder: Json) -> Place:
    return tuple(next(iter(holder[name].items())) for name in keys)


def _wire(item: Any) -> Json:
    return {name: _wire_value(value) for name, value in item.attrs.items()}


def _wire_value(value: Any) -> Json:
    """A value as it came: moto decodes some of what is binary."""
    if value.is_map():
        return {value.type: {name: _wire_value(one) for name, one in value.value.items()}}
    if isinstance(value.value, list):
        return {value.type: [_wire_value(one) if value.is_list() else _text(one) for one in value.value]}
    return {value.type: _text(value.value)}


def _text(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _put(table: Any, wire: Json) -> None:
    """What moto does with an item, without weighing it anew at each of its attributes."""
    item: Any = object.__new__(Item)
    item.hash_key, item.range_key = place_of(table, wire)
    item.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.__init__(item.attrs, {name: DynamoType(value) for name, value in wire.items()})
    if item.range_key is None:
        table.items[item.hash_key] = item
    else:
        table.items[item.hash_key][item.range_key] = item


def _of_batch(body: Json) -> Iterator[tuple[str, Json]]:
    for name, requests in body["RequestItems"].items():
        for request in requests:
            yield (
                name,
                request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"],
            )


def _of_transaction(body: Json) -> Iterator[tuple[str, Json]]:
    for operation in (operation for one in body["TransactItems"] for operation in one.items()):
        kind, wanted = operation
        if kind != "ConditionCheck":
            yield wanted["TableName"], wanted["Item"] if kind == "Put" else wanted["Key"]


_WRITTEN: dict[str, Callable[[Json], Iterable[tuple[str, Json]]]] = {
    "PutItem": lambda body: [(body["TableName"], body["Item"])],
    "UpdateItem": lambda body: [(body["TableName"], body["Key"])],
    "DeleteItem": lambda body: [(body["TableName"], body["Key"])],
    "BatchWriteItem": _of_batch,
    "TransactWriteItems": _of_transaction,
}
