"""Writes at the same time: nothing that one of them did is lost by another. Holds `local/moto_tables.py`."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.moto_server import LocalAws

MANY = 150


@pytest.fixture(autouse=True)
def restless_threads() -> Iterator[None]:
    """Threads that take turns much more often than usual, so that what can happen does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def at_once(*tasks: Callable[[], object]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def table(aws: LocalAws) -> str:
    name = f"table-{uuid.uuid4()}"
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


def item(key: str) -> dict[str, Any]:
    return {"pk": {"S": key}, "filling": {"L": [{"S": "x" * 20}] * 50}}


def test_a_cancelled_transaction_takes_no_other_write_with_it(aws: LocalAws, table: str) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.put_item(TableName=table, Item=item("taken"))

    def put() -> None:
        for number in range(MANY):
            dynamodb.put_item(TableName=table, Item=item(str(number)))

    def cancel() -> None:
        taken = {"TableName": table, "Item": item("taken"), "ConditionExpression": "attribute_not_exists(pk)"}
        for _ in range(MANY):
            with pytest.raises(ClientError, match="ConditionalCheckFailed"):
                dynamodb.transact_write_items(TransactItems=[{"Put": taken}])

    at_once(put, cancel)

    kept = dynamodb.scan(TableName=table, ProjectionExpression="pk")["Items"]
    assert {one["pk"]["S"] for one in kept} == {"taken", *map(str, range(MANY))}


def test_what_many_add_at_once_is_all_counted(aws: LocalAws, table: str) -> None:
    dynamodb = aws.client("dynamodb")
    one = {":one": {"N": "1"}}
    call = {
        "TableName": table,
        "Key": {"pk": {"S": "counter"}},
        "UpdateExpression": "ADD calls :one",
        "ExpressionAttributeValues": one,
    }

    def add() -> None:
        for _ in range(40):
            dynamodb.update_item(**call)
            dynamodb.transact_write_items(TransactItems=[{"Update": call}])

    at_once(*[add] * 4)

    counter = dynamodb.get_item(TableName=table, Key={"pk": {"S": "counter"}})["Item"]
    assert counter["calls"] == {"N": str(4 * 40 * 2)}
