"""Plain updates are made as moto makes them, and all others are left to it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import moto_updates
from local.moto_server import LocalAws

NAMES = {"#a": "a", "#b": "b", "#c": "c", "#pk": "pk"}
VALUES: dict[str, Any] = {
    ":text": {"S": "new"},
    ":one": {"N": "1"},
    ":half": {"N": "0.5"},
    ":yes": {"BOOL": True},
    ":list": {"L": [{"S": "x"}]},
    ":bytes": {"B": b"\x00\xff"},
    ":map": {"M": {"tries": {"L": [{"M": {"at": {"N": "1"}, "body": {"B": b"1"}}}, {"NULL": True}]}}},
    ":set": {"SS": ["a", "b"]},
    ":long": {"S": "x" * 410_000},
}
PLAIN = (
    "SET #a = :text",
    "SET #a = :text, #c = :yes REMOVE #b",
    "ADD #b :one, #c :half",
    "SET #c=:text ADD #b :half REMOVE #a",
    "REMOVE #a, #b, #c",
    "ADD #a :one",
    "SET #pk = :text",
    "SET #a = :long",
    "SET #a = :list",
    "SET #a = :bytes, #b = :map",
    "SET #a = :set",
    "SET #a = :unknown",
)
OTHERS = (
    "SET #a = :text, #a = :text",
    "SET #a = if_not_exists(#a, :one)",
    "SET #a = #b + :one",
    "SET #a = :text SET #b = :text",
    "SET a = :text",
    "SET #a.#b = :text",
    "ADD #b",
    "REMOVE #a = :text",
    "SETTING #a = :text",
    "nothing",
)


@pytest.fixture(scope="module")
def table(aws: LocalAws) -> str:
    name = "updated"
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
    types = [{"AttributeName": "pk", "AttributeType": "S"}]
    aws.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=types, KeySchema=keys
    )
    return name


def made_of(aws: LocalAws, table: str, expression: str, there: bool) -> Any:
    """What an update makes of an item that is there, or is not: the item, or the error."""
    client, key = aws.client("dynamodb"), {"pk": {"S": "item"}}
    client.delete_item(TableName=table, Key=key)
    if there:
        client.put_item(TableName=table, Item={**key, "a": {"S": "old"}, "b": {"N": "7"}})
    used = {
        "ExpressionAttributeNames": {name: NAMES[name] for name in NAMES if name in expression},
        "ExpressionAttributeValues": {name: VALUES[name] for name in VALUES if name in expression},
    }
    try:
        answer = client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression=expression,
            ReturnValues="UPDATED_NEW",
            **{name: some for name, some in used.items() if some},
        )
    except ClientError as error:
        return error.response["Error"]
    return answer.get("Attributes"), client.get_item(TableName=table, Key=key)["Item"]


@pytest.mark.parametrize("there", [True, False], ids=["there", "new"])
@pytest.mark.parametrize("expression", [*PLAIN, *OTHERS])
def test_an_update_does_what_moto_does(
    aws: LocalAws, table: str, expression: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = made_of(aws, table, expression, there)
    with monkeypatch.context() as patched:
        patched.setattr(moto_updates, "plain", lambda expression: ())
        assert ours == made_of(aws, table, expression, there)


def test_plain_expressions_are_known_as_such() -> None:
    assert [one for one in (*PLAIN, *OTHERS) if moto_updates.plain(one)] == list(PLAIN)


def test_a_plain_update_is_made_without_moto_parsing_it(
    aws: LocalAws, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    genuine = moto_updates._update

    def watched(backend: Any, name: str, key: Any, expression: str, *rest: Any, **more: Any) -> Any:
        made.append(expression)
        return genuine(backend, name, key, expression, *rest, **more)

    monkeypatch.setattr(moto_updates, "_update", watched)
    made_of(aws, table, "ADD #b :one", there=True)
    made_of(aws, table, "SET #a = #b + :one", there=True)
    assert made == ["", "SET #a = #b + :one"]
