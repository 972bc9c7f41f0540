"""DynamoDB's protocol over a table in memory: as much of it as :class:`chalicelib.table.Table` speaks.

It understands the expressions that :mod:`chalicelib.expressions` writes, and no others; it is held to the
same contract as DynamoDB in moto, at a tenth of its cost.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib import expressions
from chalicelib.expressions import Delete, Item, Key, Put, Update, Value, Wire, Write, decoded
from chalicelib.table import ConditionFailed
from local.limits import OverLimit
from tests.fakes.pressure import Pressure
from tests.fakes.table import FakeTable

WRITE_BATCH_LIMIT = 25  # Amazon DynamoDB, "BatchWriteItem"
# What a single write is refused with, where a transaction gives a reason.
_ALONE = {
    "TransactionConflict": "TransactionConflictException",
    "ThrottlingError": "ProvisionedThroughputExceededException",
}
_CLAUSE = re.compile(r"(SET|ADD|REMOVE) (.*?)(?= (?:SET|ADD|REMOVE) |$)")


class FakeDynamo:
    """Answers the JSON calls for one ``table``, one at a time; ``pressure`` may refuse what is too much."""

    def __init__(self, table: FakeTable | None = None, pressure: Pressure | None = None) -> None:
        self.table = table or FakeTable()
        self._pressure = pressure
        self._turn = threading.Lock()
        self._operations = {
            "GetItem": self._get,
            "BatchGetItem": self._get_many,
            "Query": self._query,
            "PutItem": lambda asked: self._write("Put", asked),
            "UpdateItem": lambda asked: self._write("Update", asked),
            "DeleteItem": lambda asked: self._write("Delete", asked),
            "TransactWriteItems": self._transact,
            "BatchWriteItem": self._write_many,
        }

    def knows(self, operation: str) -> bool:
        """Whether it can answer such a call."""
        return operation in self._operations

    def answer(self, operation: str, body: bytes) -> tuple[int, Wire]:
        """The status and the JSON that a call is answered with."""
        with self._turn:
            try:
                return self._operations[operation](json.loads(body))
            except OverLimit as refused:
                return 400, {"__type": refused.code, "message": str(refused)}

    def _get(self, asked: Wire) -> tuple[int, Wire]:
        item = self.table.get(_key(asked["Key"]))
        return 200, {"Item": encoded(item)} if item else {}

    def _get_many(self, asked: Wire) -> tuple[int, Wire]:
        ((name, wanted),) = asked["RequestItems"].items()
        found = self.table.get_many([_key(key) for key in wanted["Keys"]])
        return 200, {"Responses": {name: _wire(found.values())}, "UnprocessedKeys": {}}

    def _query(self, asked: Wire) -> tuple[int, Wire]:
        values = decoded(asked["ExpressionAttributeValues"])
        if asked.get("IndexName") == "due":
            keys = self.table.due(str(values[":shard"]), until=str(values[":until"]), limit=asked["Limit"])
            return 200, {"Items": [encoded({"pk": key.pk, "sk": key.sk}) for key in keys]}
        bounds = {name: values[f":{name}"] for name in ("prefix", "at_most") if f":{name}" in values}
        start = asked.get("ExclusiveStartKey")
        items = self.table.query(
            str(values[":pk"]),
            limit=asked["Limit"],
            after=_key(start).sk if start else None,
            newest_first=not asked.get("ScanIndexForward", True),
            **bounds,
        )
        return 200, {"Items": _wire(items)}

    def _write(self, operation: str, asked: Wire) -> tuple[int, Wire]:
        write = _read(operation, asked)
        [refused] = self._refusals([write], in_transaction=False)
        if refused:
            return 400, {"__type": _ALONE[refused], "message": refused}
        try:
            self.table.write(write)
        except ConditionFailed as failed:
            return 400, {"__type": "ConditionalCheckFailedException", **_shown(failed.stored)}
        return 200, {"Attributes": encoded(self.table.get(write.key) or {})}

    def _transact(self, asked: Wire) -> tuple[int, Wire]:
        writes = [_read(operation, part) for one in asked["TransactItems"] for operation, part in one.items()]
        refused = self._refusals(writes, in_transaction=True)
        if any(refused):
            reasons = [{"Code": code or "None"} for code in refused]
            return 400, {"__type": "TransactionCanceledException", "CancellationReasons": reasons}
        try:
            self.table.transact(writes)
        except ConditionFailed:
            reasons = [self._reason(write) for write in writes]
            return 400, {"__type": "TransactionCanceledException", "CancellationReasons": reasons}
        return 200, {}

    def _write_many(self, asked: Wire) -> tuple[int, Wire]:
        ((name, requests),) = asked["RequestItems"].items()
        assert len(requests) <= WRITE_BATCH_LIMIT, f"{len(requests)} items in one batch"
        named = {"PutRequest": "Put", "DeleteRequest": "Delete"}
        writes = [_read(named[kind], part) for one in requests for kind, part in one.items()]
        refused = self._refusals(writes, in_transaction=False)
        if all(refused):
            return 400, {"__type": "ProvisionedThroughputExceededException", "message": "all throttled"}
        taken = zip(writes, refused, strict=True)
        self.table.write_many([one for one, code in taken if not code and not isinstance(one, Update)])
        left = [request for request, code in zip(requests, refused, strict=True) if code]
        return 200, {"UnprocessedItems": {name: left} if left else {}}

    def _refusals(self, writes: Sequence[Write], *, in_transaction: bool) -> list[str]:
        if self._pressure is None:
            return [""] * len(writes)
        units = [(one.key, self.table.units(one, in_transaction=in_transaction)) for one in writes]
        return self._pressure.refusals(units, in_transaction=in_transaction)

    def _reason(self, write: Write) -> Wire:
        stored = self.table.get(write.key)
        if all((stored or {}).get(name) == value for name, value in write.when.items()):
            return {"Code": "None"}
        return {"Code": "ConditionalCheckFailed", **_shown(stored)}


def encoded(item: Mapping[str, Value]) -> Wire:
    """An item as it goes over the wire, where binary values are text."""
    wire = expressions.encoded(item)
    for name, value in item.items():
        if isinstance(value, bytes):
            wire[name] = {"B": base64.b64encode(value).decode()}
    return wire


def _shown(stored: Item | None) -> Wire:
    return {"Item": encoded(stored)} if stored else {}


def _wire(items: Iterable[Item]) -> list[Wire]:
    return [encoded(item) for item in items]


def _key(wire: Wire) -> Key:
    return Key(wire["pk"]["S"], wire["sk"]["S"])


def _read(operation: str, part: Wire) -> Write:
    """The write that :func:`chalicelib.expressions.transaction_part` has written down so."""
    names: Mapping[str, str] = part.get("ExpressionAttributeNames", {})
    values = decoded(part.get("ExpressionAttributeValues", {}))
    when = dict(_expected(part.get("ConditionExpression", ""), names, values))
    if operation == "Put":
        item = decoded(part["Item"])
        key = Key(str(item.pop("pk")), str(item.pop("sk")))
        return Put(key, item, when)
    if operation == "Delete":
        return Delete(_key(part["Key"]), when)
    clauses: dict[str, Any] = {
        verb: [one.replace(" = ", " ").split(" ") for one in text.split(", ")]
        for verb, text in _CLAUSE.findall(part["UpdateExpression"])
    }
    return Update(
        _key(part["Key"]),
        set={names[name]: values[value] for name, value in clauses.get("SET", [])},
        add={names[name]: int(values[value]) for name, value in clauses.get("ADD", [])},
        remove=[names[name] for (name,) in clauses.get("REMOVE", [])],
        when=when,
    )


def _expected(
    condition: str, names: Mapping[str, str], values: Mapping[str, Value]
) -> Iterable[tuple[str, Value | None]]:
    for part in filter(None, condition.split(" AND ")):
        if part.startswith("attribute_not_exists"):
            yield names[part[len("attribute_not_exists(") : -1]], None
        else:
            name, value = part.split(" = ")
            yield names[name], values[value]
