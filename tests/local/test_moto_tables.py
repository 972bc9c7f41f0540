"""Tables of some size: a call does what it should, and looks at no more items than it is about."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from local.moto_server import LocalAws

_numbers = itertools.count()


class Table:
    """A table with an index, and how much it has to do for a call."""

    def __init__(self, aws: LocalAws, items: int = 0) -> None:
        self.name = f"large-{next(_numbers)}"
        self.client = aws.client("dynamodb")
        keys = {"pk": "HASH", "sk": "RANGE"}
        index = {"due_shard": "HASH", "due_at": "RANGE"}
        self.client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys | index],
            KeySchema=_schema(keys),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "due",
                    "KeySchema": _schema(index),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        others = [{"PutRequest": {"Item": _item(f"other-{number}", "x")}} for number in range(items)]
        for start in range(0, items, 25):
            self.client.batch_write_item(RequestItems={self.name: others[start : start + 25]})

    def put(self, pk: str, sk: str, **attributes: str) -> None:
        self.client.put_item(TableName=self.name, Item=_item(pk, sk, **attributes))

    def transact(self, *writes: Any) -> None:
        made = [
            {kind: {"TableName": self.name, **arguments}}
            for write in writes
            for kind, arguments in write.items()
        ]
        self.client.transact_write_items(TransactItems=made)

    def query(self, **call: Any) -> list[str]:
        return [one["sk"]["S"] for one in self.client.query(TableName=self.name, **call)["Items"]]

    def partition(self, pk: str) -> list[str]:
        return self.query(KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": pk}})

    def due(self, until: str) -> list[str]:
        return self.query(
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND due_at <= :until",
            ExpressionAttributeValues={":shard": {"S": "a"}, ":until": {"S": until}},
        )


def _schema(keys: dict[str, str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()]


def _item(pk: str, sk: str, **attributes: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **attributes}.items()}


def put(pk: str, sk: str, **rest: Any) -> Any:
    return {"Put": {"Item": _item(pk, sk), **rest}}


def add_one(pk: str, sk: str) -> Any:
    one = {":one": {"N": "1"}}
    return {
        "Update": {
            "Key": _item(pk, sk),
            "UpdateExpression": "ADD calls :one",
            "ExpressionAttributeValues": one,
        }
    }


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, work: Callable[[], object]) -> int:
    """How often a method is called during some work."""
    genuine, calls = getattr(owner, name), []

    def counting(*args: Any) -> Any:
        calls.append(1)
        return genuine(*args)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, counting)
        work()
    return len(calls)


def test_a_transaction_does_all_of_it(aws: LocalAws) -> None:
    table = Table(aws)
    table.put("a", "1")
    table.put("a", "2")
    table.transact(
        {"Delete": {"Key": _item("a", "1")}},
        add_one("a", "2"),
        add_one("b", "9"),
        put("a", "3"),
        put("c", "4"),
    )
    assert table.partition("a") == ["2", "3"]
    assert (table.partition("b"), table.partition("c")) == (["9"], ["4"])


def test_a_cancelled_transaction_leaves_no_trace(aws: LocalAws) -> None:
    table = Table(aws)
    table.put("a", "1")
    untrue = {"ConditionExpression": "attribute_exists(nothing)"}
    with pytest.raises(ClientError, match="None, None, None, ConditionalCheckFailed"):
        table.transact(
            add_one("a", "1"), put("a", "2"), {"Delete": {"Key": _item("a", "9")}}, put("a", "3", **untrue)
        )
    assert table.client.scan(TableName=table.name)["Items"] == [_item("a", "1")]


def test_a_transaction_that_names_no_item_is_refused(aws: LocalAws) -> None:
    table = Table(aws)
    with pytest.raises(ClientError):
        table.transact({"Put": {"Item": {"pk": {"S": "a"}}}})
    with pytest.raises(ClientError):
        table.transact(put("a", "1"), put("a", "1"))
    assert table.client.scan(TableName=table.name)["Items"] == []


def test_a_transaction_copies_what_it_touches_and_not_the_table(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = Table(aws), Table(aws, items=500)

    def copies(table: Table) -> int:
        table.put("a", "1")
        writes = (put("a", "1"), put("a", "2"), add_one("a", "3"))
        return counted(monkeypatch, Item, "__deepcopy__", lambda: table.transact(*writes))

    assert 0 < copies(large) == copies(small) < 10


def test_a_query_sorts_one_partition_and_not_the_table(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = Table(aws), Table(aws, items=500)

    def comparisons(table: Table) -> int:
        for sk in "312":
            table.put("a", sk, due_shard="a", due_at=sk)
        found: list[list[str]] = []

        def ask() -> None:
            found.extend([table.partition("a"), table.due("2")])

        needed = counted(monkeypatch, DynamoType, "__lt__", ask)
        assert found == [["1", "2", "3"], ["1", "2"]]
        return needed

    assert 0 < comparisons(large) == comparisons(small)


def test_objects_that_nobody_needs_are_let_go(aws: LocalAws) -> None:
    table = Table(aws)
    kept = len(Item.instances_tracked)  # type: ignore[attr-defined]  # made by moto's metaclass
    table.put("a", "1")
    table.partition("a")
    assert len(Item.instances_tracked) == kept  # type: ignore[attr-defined]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("bounds", [{}, {":most": "35"}, {":prefix": "3"}], ids=["all", "at most", "prefix"])
def test_pages_of_a_query_hold_everything_once_and_in_order(
    aws: LocalAws, newest_first: bool, bounds: dict[str, str]
) -> None:
    table = Table(aws)
    numbers = [f"{number:02}" for number in range(60)]
    for number in reversed(numbers):
        table.put("a", number)
    conditions = {":most": "sk <= :most", ":prefix": "begins_with(sk, :prefix)"}
    call: dict[str, Any] = {
        "KeyConditionExpression": " AND ".join(["pk = :pk", *(conditions[name] for name in bounds)]),
        "ExpressionAttributeValues": {name: {"S": one} for name, one in {":pk": "a", **bounds}.items()},
        "ScanIndexForward": not newest_first,
    }
    found: list[list[str]] = []
    while True:
        page = table.client.query(TableName=table.name, Limit=7, **call)
        found.append([one["sk"]["S"] for one in page["Items"]])
        if "LastEvaluatedKey" not in page:
            break
        call["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    expected = [one for one in numbers if one <= bounds.get(":most", "99")]
    expected = [one for one in expected if one.startswith(bounds.get(":prefix", ""))]
    assert [one for page in found for one in page] == sorted(expected, reverse=newest_first)
    assert [len(page) for page in found[:-1]] == [7] * (len(found) - 1)


def test_a_page_of_a_large_partition_costs_no_more_than_one_of_a_small(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def comparisons(items: int) -> int:
        table = Table(aws)
        for number in range(items):
            table.put("a", f"{number:03}")
        ask = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "a"}},
            "Limit": 5,
        }
        return counted(monkeypatch, DynamoType, "__lt__", lambda: table.query(**ask))

    assert 0 < comparisons(200) == comparisons(20)
