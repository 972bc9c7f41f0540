"""DynamoDB's wire format: keys, values, and the expressions of conditional writes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = str | int | float | bool | bytes
Item = dict[str, Value]
Wire = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """The primary key of an item."""

    pk: str
    sk: str


@dataclass(frozen=True)
class Put:
    """Store a whole item."""

    key: Key
    item: Item
    when: Mapping[str, Value | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Update:
    """Set, increment and remove attributes of an item, which is created if it is missing."""

    key: Key
    set: Mapping[str, Value] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: Sequence[str] = ()
    when: Mapping[str, Value | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Delete:
    """Remove an item."""

    key: Key
    when: Mapping[str, Value | None] = field(default_factory=dict)


Write = Put | Update | Delete


def transaction_part(table: str, write: Write) -> Wire:
    expression = _Expression()
    key = encoded_key(write.key)
    match write:
        case Put(item=item):
            body: Wire = {"Item": {**key, **encoded(item)}}
            operation = "Put"
        case Update(set=assigned, add=added, remove=removed):
            body = {"Key": key, "UpdateExpression": expression.update(assigned, added, removed)}
            operation = "Update"
        case Delete():
            body = {"Key": key}
            operation = "Delete"
    if write.when:
        body["ConditionExpression"] = expression.condition(write.when)
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return {operation: {"TableName": table, **body, **expression.placeholders()}}


class _Expression:
    """Builds expressions, and collects their placeholders for names and values."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Wire] = {}

    def update(self, assigned: Mapping[str, Value], added: Mapping[str, int], removed: Sequence[str]) -> str:
        clauses = {
            "SET": [f"{self._name(n)} = {self._value(v)}" for n, v in assigned.items()],
            "ADD": [f"{self._name(n)} {self._value(v)}" for n, v in added.items()],
            "REMOVE": [self._name(n) for n in removed],
        }
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)

    def condition(self, when: Mapping[str, Value | None]) -> str:
        return " AND ".join(
            f"attribute_not_exists({self._name(n)})" if v is None else f"{self._name(n)} = {self._value(v)}"
            for n, v in when.items()
        )

    def placeholders(self) -> Wire:
        names = {"ExpressionAttributeNames": self._names} if self._names else {}
        values = {"ExpressionAttributeValues": self._values} if self._values else {}
        return {**names, **values}

    def _name(self, name: str) -> str:
        placeholder = f"#n{len(self._names)}"
        self._names[placeholder] = name
        return placeholder

    def _value(self, value: Value) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = encoded_value(value)
        return placeholder


def encoded_key(key: Key) -> Wire:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def encoded(item: Mapping[str, Value]) -> Wire:
    return {name: encoded_value(value) for name, value in item.items()}


def encoded_value(value: Value) -> Wire:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, bytes):
        return {"B": value}
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}


def decoded(wire: Wire) -> Item:
    return {name: _decoded_value(value) for name, value in wire.items()}


def _decoded_value(wire: Wire) -> Value:
    ((kind, raw),) = wire.items()
    if kind == "N":
        return float(raw) if "." in raw or "e" in raw.lower() else int(raw)
    if kind == "B":  # bytes from a client, base64 text in a Lambda event
        return base64.b64decode(raw) if isinstance(raw, str) else bytes(raw)
    return bool(raw) if kind == "BOOL" else str(raw)
