"""What moto is spared makes no difference to what it answers."""

from __future__ import annotations

import functools
import json
import time
from datetime import datetime
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from moto.core import utils
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.tokens import ExpressionTokenizer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from local import moto_overhead
from local.moto_server import LocalAws


@pytest.mark.parametrize(
    ("host", "backend"),
    [
        ("dynamodb.eu-west-1.amazonaws.com", "dynamodb"),
        ("sqs.eu-west-1.amazonaws.com", "sqs"),
        ("moto_api", "moto_api"),
        (None, None),
    ],
)
def test_a_host_leads_to_its_service_each_time(host: str | None, backend: str | None) -> None:
    application = DomainDispatcherApplication(create_backend_app)

    assert [moto_overhead.backend_for_host(application, host) for _ in range(2)] == [backend] * 2


@pytest.mark.parametrize(("name", "spelt"), [("GetItem", "get_item"), ("SSEDescription", "sse_description")])
def test_a_name_is_spelt_alike_each_time(name: str, spelt: str) -> None:
    assert [moto_overhead.camelcase_to_underscores(name) for _ in range(2)] == [spelt] * 2


EXPRESSIONS = (
    "SET #a = if_not_exists(#a, :zero) + :one REMOVE #b",
    "SET #list[3].#b  =\n:one ADD #c :one",
    "",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_the_same_words_each_time(expression: str) -> None:
    def words() -> list[tuple[object, str]]:
        found = ExpressionTokenizer.make_list(expression)
        said = [(word.type, word.value) for word in found]
        found.clear()  # who gets a list may use it up
        return said

    expected = ExpressionTokenizer(expression)._make_list()
    moto_overhead.mend()
    assert [words() for _ in range(2)] == [[(word.type, word.value) for word in expected]] * 2


def test_the_clock_is_moto_s_own() -> None:
    then = datetime(2026, 3, 29, 1, 30, 0, 250_000)
    moto_overhead.mend()

    assert utils.unix_time(then) == 1774747800.25
    assert utils.unix_time_millis() == pytest.approx(time.time() * 1000, abs=1000)


VALUES: dict[str, Any] = {
    "S": {"S": "text"},
    "empty": {"S": ""},
    "N": {"N": "1.50"},
    "B": {"B": b"\x00\xff"},
    "BOOL": {"BOOL": False},
    "NULL": {"NULL": True},
    "L": {"L": [{"S": "one"}, {"M": {"two": {"B": b"2"}}}, {"L": []}]},
    "M": {"M": {"a": {"N": "1"}, "b": {"M": {}}}},
    "SS": {"SS": ["a", "b"]},
    "BS": {"BS": [b"a", b"b"]},
}


@pytest.fixture(scope="module")
def table(aws: LocalAws) -> str:
    dynamodb, name = aws.client("dynamodb"), "values"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


def test_values_of_every_type_come_back_as_they_were_put(aws: LocalAws, table: str) -> None:
    item = {"pk": {"S": "all"}, **VALUES}

    aws.client("dynamodb").put_item(TableName=table, Item=item)

    found = aws.client("dynamodb").batch_get_item(RequestItems={table: {"Keys": [{"pk": {"S": "all"}}]}})
    assert found["Responses"][table] == [item]


def told(app: Any, table: str, operation: str, **asked: Any) -> tuple[int, dict[str, str], Any]:
    """What an application answers, but for what differs each time and for pages' headers."""
    differ = {"x-amzn-requestid", "access-control-allow-origin"}
    target = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    signed = "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=a"
    answer = Client(app).post(
        "/",
        json={"TableName": table, **asked},
        headers={**target, "Authorization": signed},
        content_type="application/x-amz-json-1.0",
    )
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in differ}
    return answer.status_code, headers, json.loads(answer.data)


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("GetItem", {"Key": {"pk": {"S": "a&b=c"}}}),
        ("PutItem", {"Item": {"pk": {"S": "a&b=c"}}, "ConditionExpression": "attribute_not_exists(pk)"}),
        ("GetItem", {"Key": {"nothing": {"S": "a"}}}),
        ("Query", {"KeyConditionExpression": "pk = :pk"}),
    ],
    ids=["an item", "a condition", "another key", "no value"],
)
def test_dynamodb_answers_as_by_its_routes(
    aws: LocalAws, table: str, operation: str, asked: dict[str, Any]
) -> None:
    aws.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "a&b=c"}, "n": {"N": "1"}})
    routed = create_backend_app("dynamodb")

    quick = moto_overhead.backend_app("dynamodb")
    assert told(quick, table, operation, **asked) == told(routed, table, operation, **asked)


TYPED = [
    *VALUES.values(),
    {"S": "1"},
    {"N": "1.0"},
    {"N": "1"},
    {"B": "MQ=="},
    {"BOOL": True},
    {"NS": ["1", "2"]},
]


@pytest.mark.parametrize("one", TYPED, ids=str)
def test_values_are_equal_where_moto_has_them_equal(one: dict[str, Any]) -> None:
    value = DynamoType(one)
    for other in map(DynamoType, TYPED):
        assert moto_overhead.equal_values(value, other) == (
            (value.type, value.cast_value) == (other.type, other.cast_value)
        )
        if value.type == other.type == "N" and value == other:  # 1 and 1.0 are one key
            assert moto_overhead.hash_value(value) == moto_overhead.hash_value(other)


def test_a_condition_is_judged_by_its_own_requests_names_and_values(aws: LocalAws, table: str) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "judged"}, "a": {"N": "1"}, "b": {"N": "2"}})

    def holds(name: str, value: str) -> bool:
        try:
            dynamodb.update_item(
                TableName=table,
                Key={"pk": {"S": "judged"}},
                UpdateExpression="SET #seen = :seen",
                ConditionExpression="#name = :value",
                ExpressionAttributeNames={"#seen": "seen", "#name": name},
                ExpressionAttributeValues={":seen": {"BOOL": True}, ":value": {"N": value}},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    asked = [("a", "1"), ("a", "2"), ("b", "2"), ("b", "1"), ("a", "1")]
    assert [holds(*one) for one in asked] == [True, False, True, False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"UpdateExpression": "SET #a = :a,", "ExpressionAttributeValues": {":a": {"S": "1"}}},
        {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "1"}, ":b": {"S": "2"}}},
    ],
    ids=["an update", "a value that nobody uses"],
)
def test_what_is_wrong_is_refused_each_time(aws: LocalAws, table: str, wrong: dict[str, Any]) -> None:
    refusals = set()
    for _ in range(3):
        with pytest.raises(ClientError) as refused:
            aws.client("dynamodb").update_item(TableName=table, Key={"pk": {"S": "wrong"}}, **wrong)
        refusals.add(str(refused.value))
    assert len(refusals) == 1
    assert "ValidationException" in refusals.pop()


def test_every_answer_and_every_receipt_has_a_name_of_its_own(aws: LocalAws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="named", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a")
    answers = [sqs.receive_message(QueueUrl=url) for _ in range(2)]
    receipts = {one["Messages"][0]["ReceiptHandle"] for one in answers}
    ids = {one["ResponseMetadata"]["RequestId"] for one in answers}
    assert len(receipts) == len(ids) == 2
    assert {len(one) for one in ids} == {52}


@pytest.mark.parametrize(("size", "fits"), [(400_000, True), (410_000, False)])
def test_an_item_may_have_400_kb(aws: LocalAws, table: str, size: int, fits: bool) -> None:
    item = {"pk": {"S": "large"}, **{f"part-{part}": {"S": "x" * (size // 10)} for part in range(10)}}
    put = functools.partial(aws.client("dynamodb").put_item, TableName=table, Item=item)
    if fits:
        put()
    else:
        with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
            put()


def test_a_web_pages_request_is_answered_with_the_headers_that_let_it_read_the_answer(aws: LocalAws) -> None:
    """And no other request is."""
    url = aws.client("s3").generate_presigned_url("get_object", {"Bucket": "nowhere", "Key": "nothing"})

    page = requests.get(url, headers={"Origin": "http://127.0.0.1:8000"}, timeout=10)
    program = requests.get(url, timeout=10)

    assert page.headers["Access-Control-Allow-Origin"]
    assert "Access-Control-Allow-Origin" not in program.headers
