"""One contract for the table, held by the fakes and by DynamoDB as moto and MiniStack emulate it.

Holds `chalicelib/expressions.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.botocore_stubber import MockRawResponse

from chalicelib.errors import Unavailable
from chalicelib.expressions import Delete, Key, Put, Update
from chalicelib.table import ConditionFailed, Table
from local.limits import OverLimit
from tests.emulator.emulator import Emulator
from tests.fakes.dynamodb import FakeDynamo
from tests.fakes.table import FakeTable

Json = dict[str, Any]
NAME = "table"
A = Key("default#one", "a")


def make_table(client: Any) -> None:
    names = ("pk", "sk", "due_shard", "due_at")
    client.create_table(
        TableName=NAME,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )


@pytest.fixture
def moto(aws_credentials: None) -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        make_table(client)
        yield client


@pytest.fixture
def fake(aws_credentials: None) -> Any:
    return served(FakeDynamo(), boto3.client("dynamodb", region_name="eu-west-1"))


@pytest.fixture
def ministack(emulator: Emulator) -> Iterator[Any]:
    client = emulator.client("444444444444", "dynamodb")
    make_table(client)
    yield client
    client.delete_table(TableName=NAME)


def served(dynamo: FakeDynamo, client: Any) -> Any:
    """A client whose calls a fake answers."""

    def serve(event_name: str, request: Any, **_: Any) -> AWSResponse:
        status, answer = dynamo.answer(event_name.rpartition(".")[2], request.body)
        return AWSResponse(request.url, status, {}, MockRawResponse(json.dumps(answer)))

    client.meta.events.register("before-send", serve)
    return client


PICTURES = ("fake", "moto", "ministack")


@pytest.fixture(params=["fake table", *PICTURES])
def table(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake table":
        return FakeTable()
    return Table(request.getfixturevalue(request.param), NAME, sleep=lambda seconds: None)


class TestTable:
    def test_what_is_put_is_read_back_with_its_types(self, table: Any) -> None:
        item = {"text": "é", "whole": 3, "real": 0.5, "flag": True, "bytes": b"\x00\xff"}
        table.write(Put(A, item))
        assert table.get(A) == {"pk": A.pk, "sk": A.sk, **item}
        assert isinstance(table.get(A)["flag"], bool)

    def test_a_count_goes_up_by_one_and_carries_its_end(self, table: Any) -> None:
        assert [table.count(A, expires_at=1_900_000_000) for _ in range(3)] == [1, 2, 3]
        assert table.get(A) == {"pk": A.pk, "sk": A.sk, "used": 3, "expires_at": 1_900_000_000}

    def test_an_absent_item_is_none(self, table: Any) -> None:
        assert table.get(A) is None

    def test_a_put_that_expects_nothing_fails_on_something_and_shows_it(self, table: Any) -> None:
        table.write(Put(A, {"revision": "1"}))
        with pytest.raises(ConditionFailed) as failed:
            table.write(Put(A, {"other": "2"}, when={"revision": None}))
        assert failed.value.stored == {"pk": A.pk, "sk": A.sk, "revision": "1"}

    def test_an_update_sets_adds_and_removes(self, table: Any) -> None:
        table.write(Put(A, {"count": 1, "old": "x", "revision": "1"}))
        table.write(
            Update(A, set={"new": "y"}, add={"count": 2, "made": 1}, remove=["old"], when={"revision": "1"})
        )
        assert table.get(A) == {"pk": A.pk, "sk": A.sk, "count": 3, "made": 1, "new": "y", "revision": "1"}

    def test_of_a_transaction_with_a_failing_condition_nothing_is_written(self, table: Any) -> None:
        b = Key(A.pk, "b")
        with pytest.raises(ConditionFailed):
            table.transact([Put(A, {"x": 1}), Update(b, set={"x": 1}, when={"revision": "never"})])
        assert table.get(A) is None
        assert table.get(b) is None

    def test_bytes_can_be_expected_and_are_shown_to_who_expected_others(self, table: Any) -> None:
        table.write(Put(A, {"body": b"\x01"}))
        table.write(Update(A, set={"body": b"\x02"}, when={"body": b"\x01"}))
        with pytest.raises(ConditionFailed) as failed:
            table.write(Update(A, set={"body": b"\x03"}, when={"body": b"\x01"}))
        assert failed.value.stored == {"pk": A.pk, "sk": A.sk, "body": b"\x02"}

    def test_a_delete_removes(self, table: Any) -> None:
        table.write(Put(A, {"x": 1}))
        table.transact([Delete(A), Put(Key(A.pk, "b"), {"x": 2})])
        assert table.get(A) is None

    @pytest.mark.parametrize("newest_first", [False, True])
    def test_a_query_goes_on_behind_a_key_in_either_direction(self, table: Any, newest_first: bool) -> None:
        for sk in "abcdef":
            table.write(Put(Key("p", sk), {}))
        order = "fedcba" if newest_first else "abcdef"
        first = table.query("p", limit=2, newest_first=newest_first)
        rest = table.query("p", limit=9, newest_first=newest_first, after=str(first[-1]["sk"]))
        assert "".join(str(item["sk"]) for item in [*first, *rest]) == order

    def test_a_query_can_begin_behind_a_key_that_is_not_there(self, table: Any) -> None:
        for sk in "aceg":
            table.write(Put(Key("p", sk), {}))
        assert [i["sk"] for i in table.query("p", limit=9, newest_first=True, after="d")] == ["c", "a"]
        assert [i["sk"] for i in table.query("p", limit=9, newest_first=True, at_most="e")] == ["e", "c", "a"]

    def test_a_query_by_prefix_stays_within_it(self, table: Any) -> None:
        for sk in ("cat", "catfish", "dog", "ca"):
            table.write(Put(Key("p", sk), {}))
        assert [i["sk"] for i in table.query("p", limit=9, prefix="cat")] == ["cat", "catfish"]
        assert [i["sk"] for i in table.query("p", limit=9, prefix="cat", after="cat")] == ["catfish"]

    def test_due_items_come_soonest_first_and_leave_when_their_time_is_removed(self, table: Any) -> None:
        for name, at in (("late", "2026-01-03"), ("soon", "2026-01-01"), ("then", "2026-01-02")):
            table.write(Put(Key("p", name), {"due_shard": "image#0", "due_at": at}))
        table.write(Update(Key("p", "then"), remove=["due_shard", "due_at"]))
        assert [key.sk for key in table.due("image#0", until="2026-01-02", limit=9)] == ["soon"]
        assert [key.sk for key in table.due("image#0", until="2026-01-09", limit=9)] == ["soon", "late"]

    def test_many_items_are_read_at_once(self, table: Any) -> None:
        keys = [Key("p", f"{number:03}") for number in range(130)]
        for key in keys[:-1]:
            table.write(Put(key, {"n": key.sk}))
        found = table.get_many(keys)
        assert set(found) == set(keys[:-1])


@dataclass(frozen=True)
class Refusal:
    """What DynamoDB refuses, where AWS says so, and which pictures let it pass: those are wrong."""

    what: str
    said: str
    act: Callable[[Any], object]
    lax: tuple[str, ...] = ()


FAKES = ("fake table", "fake")
QUOTAS, BATCH_GET, TRANSACT = "Quotas in Amazon DynamoDB", "BatchGetItem", "TransactWriteItems"
BIG = "x" * 390_000
REFUSALS = (
    Refusal("a sort key of 1,025 bytes", QUOTAS, lambda t: t.write(Put(Key("p", "s" * 1025), {}))),
    Refusal("a partition key of 2,049 bytes", QUOTAS, lambda t: t.write(Put(Key("p" * 2049, "s"), {}))),
    Refusal("an empty key", "Naming rules and data types", lambda t: t.write(Put(Key("p", ""), {}))),
    Refusal("an item of more than 400 KB", QUOTAS, lambda t: t.write(Put(A, {"x": BIG + BIG}))),
    Refusal(
        "a number of 39 digits", QUOTAS, lambda t: t.write(Put(A, {"x": int("1" * 39)})), (*FAKES, "moto")
    ),
    Refusal("the same item twice", TRANSACT, lambda t: t.transact([Put(A, {"x": 1}), Delete(A)])),
    Refusal("101 writes", TRANSACT, lambda t: t.transact([Put(Key("p", f"{n}"), {}) for n in range(101)])),
    Refusal(
        "4 MB in a transaction",
        TRANSACT,
        lambda t: t.transact([Put(Key("p", f"{n}"), {"x": BIG}) for n in range(11)]),
        ("moto",),
    ),
    Refusal("the same key twice", BATCH_GET, lambda t: t.get_many([A, A]), FAKES),
    Refusal(
        "an index key of another type",
        "Using global secondary indexes",
        lambda t: t.write(Put(A, {"due_shard": 1, "due_at": "x"})),
        (*FAKES, "moto"),
    ),
    Refusal(
        "an empty index key",
        "Naming rules and data types",
        lambda t: t.write(Put(A, {"due_shard": "", "due_at": "x"})),
        FAKES,
    ),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: one.what)
def test_what_dynamodb_refuses_is_refused_by_all_that_are_right(
    request: pytest.FixtureRequest, table: Any, refusal: Refusal
) -> None:
    picture = request.node.callspec.params["table"]
    try:
        refusal.act(table)
    except (ClientError, AssertionError, OverLimit):
        assert picture not in refusal.lax, f"{picture} refuses {refusal.what} now, too: name it no longer."
    else:
        assert picture in refusal.lax, f"{picture} lets {refusal.what} pass, which {refusal.said} forbids."


class LosesAnswers:
    """A client whose first answer to an operation is lost after the service has carried it out."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client = client
        self._operation = operation
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name != self._operation or self.lost:
            return method

        def lose(**arguments: Any) -> Any:
            method(**arguments)
            self.lost += 1
            return method(**arguments)  # what botocore does when no answer comes

        return lose


@pytest.mark.parametrize(
    ("operation", "more"),
    [("put_item", []), ("transact_write_items", [Update(Key("p", "count"), add={"count": 1})])],
)
@pytest.mark.parametrize("made_by", PICTURES)
def test_a_lost_answer_to_our_own_write_is_not_taken_for_a_lost_race(
    request: pytest.FixtureRequest, made_by: str, operation: str, more: list[Update]
) -> None:
    client = LosesAnswers(request.getfixturevalue(made_by), operation)
    table = Table(client, NAME)
    table.transact([Put(A, {"revision": "mine"}, when={"revision": None}), *more])
    assert client.lost == 1
    assert [(table.get(write.key) or {})["count"] for write in more] == [1 for _ in more]


class Conflicts:
    """A client whose transactions are cancelled by others' a number of times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def transact_write_items(self, **arguments: Any) -> None:
        if self.left:
            self.left -= 1
            answer = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "ResponseMetadata": {"HTTPStatusCode": 400},
                "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
            }
            raise ClientError(answer, "TransactWriteItems")


def test_a_transaction_that_collides_with_others_is_tried_again_with_growing_patience() -> None:
    waits: list[float] = []
    Table(Conflicts(5), NAME, sleep=waits.append).transact([Delete(A), Delete(Key("p", "b"))])
    assert len(waits) == 5


def test_a_transaction_that_never_gets_through_is_a_passing_fault() -> None:
    with pytest.raises(Unavailable):
        Table(Conflicts(99), NAME, sleep=lambda s: None).transact([Delete(A), Delete(Key("p", "b"))])


@dataclass(frozen=True)
class Streamed:
    """A table, and the changes of records in its stream, oldest first, as a function gets them."""

    table: Any
    changes: Callable[[], list[Json]]


@pytest.fixture(params=["fake table", "ministack"])
def streamed(request: pytest.FixtureRequest) -> Streamed:
    if request.param == "fake table":
        fake = FakeTable()
        return Streamed(fake, lambda: [change.event for change in fake.stream.after(0)])
    client = request.getfixturevalue("ministack")
    streams = request.getfixturevalue("emulator").client("444444444444", "dynamodbstreams")
    return Streamed(Table(client, NAME), lambda: _read(streams, client))


def _read(streams: Any, client: Any) -> list[Json]:
    arn = client.describe_table(TableName=NAME)["Table"]["LatestStreamArn"]
    found = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        start = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        found += streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
    # The API gives bytes, a function gets them as text.
    told: list[Json] = json.loads(json.dumps(found, default=_text))
    return [one for one in told if one["dynamodb"]["Keys"]["sk"] == {"S": "record"}]


def _text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


class TestStream:
    """The fake's stream and MiniStack's; the offline stack's is held to the same in tests/local."""

    R = Key("p", "record")

    def test_changes_of_records_are_told_with_both_images(self, streamed: Streamed) -> None:
        streamed.table.write(Put(self.R, {"body": b"\x00"}))
        streamed.table.write(Update(self.R, add={"n": 1}))
        streamed.table.write(Delete(self.R))
        keys = {"pk": {"S": "p"}, "sk": {"S": "record"}}
        first = {**keys, "body": {"B": "AA=="}}
        second = {**first, "n": {"N": "1"}}
        told = [change["dynamodb"] for change in streamed.changes()]
        assert [(one.get("OldImage"), one.get("NewImage")) for one in told] == [
            (None, first),
            (first, second),
            (second, None),
        ]
        assert events(streamed) == ["INSERT", "MODIFY", "REMOVE"]

    def test_an_update_of_what_is_not_there_is_one_insertion(self, streamed: Streamed) -> None:
        streamed.table.write(Update(self.R, add={"n": 1}))
        assert events(streamed) == ["INSERT"]

    def test_what_changes_nothing_is_not_told(self, streamed: Streamed) -> None:
        streamed.table.write(Put(self.R, {"x": 1}))
        streamed.table.write(Put(self.R, {"x": 1}))
        streamed.table.write(Delete(Key("q", "record")))
        with pytest.raises(ConditionFailed):
            streamed.table.transact([Delete(self.R), Put(A, {}, when={"revision": "other"})])
        streamed.table.transact([Put(A, {"x": 1}), Delete(Key("q", "record"))])
        assert events(streamed) == ["INSERT"]

    def test_what_expires_is_told_as_a_deletion_by_the_service(self) -> None:
        table = FakeTable()
        table.write(Put(self.R, {"expires_at": 100}))
        table.expire(100)
        table.expire(101)
        removed = table.stream.after(0)[-1].event
        assert table.get(self.R) is None
        assert (removed["eventName"], removed["userIdentity"]["type"]) == ("REMOVE", "Service")


def events(streamed: Streamed) -> list[str]:
    return [change["eventName"] for change in streamed.changes()]
