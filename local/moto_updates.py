"""What moto's UpdateItem lacks for thousands of writes: plain changes are made without a compiler's toil.

moto parses, copies, checks and walks a tree for each expression, which is half of what a transaction of this
service takes. Expressions that only set, count or remove attributes by placeholders are carried out directly;
all others, and whatever is wrong with these, are left to moto.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge, ItemSizeToUpdateTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType

from local import moto_patches

Step = tuple[str, str, str]  # what to do, the name's placeholder and the value's, empty for REMOVE

SETTABLE = frozenset({"S", "N", "BOOL", "B", "L", "M"})  # types of values that are stored as they came
_update = DynamoDBBackend.update_item
_CLAUSES = re.compile(r"\b(SET|ADD|REMOVE)\s+([^A-Z]+?)\s*(?=\b(?:SET|ADD|REMOVE)\b|$)")
_PARTS = {
    "SET": re.compile(r"(#\w+)\s*=\s*(:\w+)"),
    "ADD": re.compile(r"(#\w+)\s+(:\w+)"),
    "REMOVE": re.compile(r"(#\w+)()"),
}


def mend() -> None:
    """Let plain updates be quick."""
    moto_patches.replace(DynamoDBBackend, update_item=update)


def update(
    backend: Any,
    table_name: str,
    key: Any,
    update_expression: str,
    expression_attribute_names: Any,
    expression_attribute_values: Any,
    **rest: Any,
) -> Any:
    """``DynamoDBBackend.update_item``: the condition is moto's business, a plain change is made here."""
    names, values = expression_attribute_names or {}, expression_attribute_values or {}
    table = backend.get_table(table_name)
    steps = plain(update_expression or "")
    there = table.get_item(*backend.get_keys_value(table, key))
    if not (steps and _can_be_made(steps, table, there, names, values)):
        return _update(backend, table_name, key, update_expression, names, values, **rest)
    item = _update(backend, table_name, key, "", names, values, **{**rest, "attribute_updates": {}})
    _make(steps, item, names, values)
    return item


@functools.lru_cache(maxsize=1000)
def plain(expression: str) -> tuple[Step, ...]:
    """The steps of an expression that consists of nothing but plain ones; none of any other."""
    found = [(verb, parts.split(",")) for verb, parts in _CLAUSES.findall(expression)]
    if " ".join(f"{verb} {','.join(parts)}" for verb, parts in found) != expression.strip():
        return ()
    matches = [(verb, _PARTS[verb].fullmatch(part.strip())) for verb, parts in found for part in parts]
    steps = tuple((verb, match[1], match[2]) for verb, match in matches if match)
    alone = len({name for _, name, _ in steps}) == len(steps) == len(matches)
    return steps if alone and len({verb for verb, _ in found}) == len(found) else ()


def _can_be_made(
    steps: Sequence[Step], table: Any, item: Any, names: Mapping[str, str], values: Mapping[str, Any]
) -> bool:
    """Whether every step is certain to succeed: moto has the words for what is wrong with the others."""
    taken = {names.get(name) for _, name, _ in steps}
    if None in taken or len(taken) < len(steps):
        return False
    return not taken & set(table.attribute_keys) and all(
        _fits(step, item, names[step[1]], values.get(step[2])) for step in steps
    )


def _fits(step: Step, item: Any, name: str, value: Any) -> bool:
    verb = step[0]
    there = item.attrs.get(name) if item is not None else None
    if verb == "ADD":
        return bool(value) and "N" in value and (there is None or there.is_number())
    return verb == "REMOVE" or (bool(value) and value.keys() <= SETTABLE)


def _make(steps: Sequence[Step], item: Any, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
    for verb, placeholder, value in steps:
        name = names[placeholder]
        if verb == "REMOVE":
            item.attrs.pop(name, None)
            continue
        new = DynamoType(values[value])
        there = item.attrs.get(name) if verb == "ADD" else None
        try:
            item.attrs[name] = new if there is None else there + new
        except ItemSizeTooLarge:
            raise ItemSizeToUpdateTooLarge from None
