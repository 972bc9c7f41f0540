"""moto's table tells its stream what DynamoDB would tell, over HTTP.

Holds `local/moto_streams.py`, `local/shard.py`.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.moto_server import LocalAws
from local.moto_streams import shard_of
from local.shard import Json

_numbers = itertools.count()


class Table:
    """A table with a stream."""

    def __init__(self, aws: LocalAws) -> None:
        self.name = f"streaming-{next(_numbers)}"
        self.client = aws.client("dynamodb")
        keys = {"pk": "HASH", "sk": "RANGE"}
        made = self.client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.stream: str = made["TableDescription"]["LatestStreamArn"]

    def put(self, sk: str, **item: Any) -> None:
        self.client.put_item(TableName=self.name, Item={**key(sk), **item})

    def update(self, sk: str, expression: str, **values: Any) -> None:
        self.client.update_item(TableName=self.name, **update(sk, expression, **values))

    def delete(self, sk: str) -> None:
        self.client.delete_item(TableName=self.name, Key=key(sk))

    def transact(self, *writes: Json) -> None:
        items = [{kind: {"TableName": self.name, **one}} for write in writes for kind, one in write.items()]
        self.client.transact_write_items(TransactItems=items)

    @property
    def told(self) -> list[tuple[str, str]]:
        """What happened to which item."""
        return [(one.event["eventName"], one.event["dynamodb"]["Keys"]["sk"]["S"]) for one in self.changes]

    @property
    def changes(self) -> Any:
        return shard_of(self.name).after(0)


def key(sk: str) -> Json:
    return {"pk": {"S": "p"}, "sk": {"S": sk}}


def update(sk: str, expression: str, **values: Any) -> Json:
    placed = {f":{name}": value for name, value in values.items()}
    return {
        "Key": key(sk),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": placed,
    }


@pytest.fixture
def table(aws: LocalAws) -> Table:
    return Table(aws)


def test_a_record_has_lambdas_shape(table: Table) -> None:
    table.put("a", number={"N": "1"}, body={"B": b"\x00\xff"})
    table.put("a", number={"N": "2"})
    table.delete("a")

    made, changed, removed = (change.event for change in table.changes)
    assert made.keys() == {
        "eventID",
        "eventName",
        "eventVersion",
        "eventSource",
        "awsRegion",
        "dynamodb",
        "eventSourceARN",
    }
    assert (made["eventSource"], made["awsRegion"]) == ("aws:dynamodb", "eu-west-1")
    assert made["eventSourceARN"] == table.stream
    assert made["dynamodb"].keys() == {
        "ApproximateCreationDateTime",
        "Keys",
        "NewImage",
        "SequenceNumber",
        "SizeBytes",
        "StreamViewType",
    }
    assert made["dynamodb"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert made["dynamodb"]["Keys"] == key("a")
    first = {**key("a"), "number": {"N": "1"}, "body": {"B": "AP8="}}
    second = {**key("a"), "number": {"N": "2"}}
    assert [one["eventName"] for one in (made, changed, removed)] == ["INSERT", "MODIFY", "REMOVE"]
    assert made["dynamodb"]["NewImage"] == first
    assert (changed["dynamodb"]["OldImage"], changed["dynamodb"]["NewImage"]) == (first, second)
    assert removed["dynamodb"]["OldImage"] == second
    assert "NewImage" not in removed["dynamodb"]


def test_every_call_that_writes_tells_once_of_each_item(table: Table) -> None:
    table.update("upserted", "SET #x = :x", x={"S": "1"})
    table.update("upserted", "SET #x = :x, again = :x", x={"S": "2"})
    table.client.batch_write_item(
        RequestItems={table.name: [{"PutRequest": {"Item": key("batched")}}, *_deletes("upserted")]}
    )
    table.transact(
        {"Put": {"Item": key("put")}},
        {"Update": update("updated", "ADD #n :n", n={"N": "1"})},
        {"Delete": {"Key": key("batched")}},
        {"ConditionCheck": {"Key": key("never"), "ConditionExpression": "attribute_not_exists(pk)"}},
    )
    assert table.told == [
        ("INSERT", "upserted"),
        ("MODIFY", "upserted"),
        ("INSERT", "batched"),
        ("REMOVE", "upserted"),
        ("INSERT", "put"),
        ("INSERT", "updated"),
        ("REMOVE", "batched"),
    ]


def _deletes(sk: str) -> list[Json]:
    return [{"DeleteRequest": {"Key": key(sk)}}]


def test_a_write_that_changes_nothing_is_not_told(table: Table) -> None:
    table.put("a", x={"S": "1"})
    table.put("a", x={"S": "1"})
    table.update("a", "SET #x = :x", x={"S": "1"})
    table.delete("never")
    assert table.told == [("INSERT", "a")]


def test_what_is_refused_is_not_told(table: Table) -> None:
    table.put("a", x={"S": "1"})
    untrue = {"ConditionExpression": "attribute_exists(nothing)"}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.transact({"Put": {"Item": key("b")}}, {"Delete": {"Key": key("a"), **untrue}})
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.client.put_item(TableName=table.name, Item=key("c"), **untrue)
    assert table.told == [("INSERT", "a")]
    table.delete("a")
    assert table.told == [("INSERT", "a"), ("REMOVE", "a")]


def test_replaying_the_stream_makes_the_table(table: Table) -> None:
    for number in range(40):
        sk = str(number % 7)
        table.put(sk, n={"N": str(number)})
        table.update(sk, "SET #t = :t", t={"S": str(number // 9)})
        table.transact(
            {"Update": update(str((number + 3) % 7), "ADD #n :n", n={"N": "1"})},
            {"Delete": {"Key": key(str((number + 5) % 7))}},
        )
    made: dict[str, Json] = {}
    for change in table.changes:
        told = change.event["dynamodb"]
        assert made.pop(told["Keys"]["sk"]["S"], None) == told.get("OldImage")
        if "NewImage" in told:
            made[told["Keys"]["sk"]["S"]] = told["NewImage"]
    found = table.client.scan(TableName=table.name)["Items"]
    assert {item["sk"]["S"]: item for item in found} == made


def test_the_streams_api_reads_the_same_records(aws: LocalAws, table: Table) -> None:
    streams = aws.client("dynamodbstreams")
    for number in range(15):  # more than ten: the numbers get longer by a digit
        table.put(str(number), body={"B": b"\x00"})
    [shard] = streams.describe_stream(StreamArn=table.stream)["StreamDescription"]["Shards"]

    def read(kind: str, **rest: str) -> list[str]:
        start = {"StreamArn": table.stream, "ShardId": shard["ShardId"], "ShardIteratorType": kind, **rest}
        iterator, found = streams.get_shard_iterator(**start)["ShardIterator"], []
        for _ in range(4):
            page = streams.get_records(ShardIterator=iterator, Limit=6)
            found += page["Records"]
            iterator = page["NextShardIterator"]
        assert all(one["dynamodb"]["NewImage"]["body"]["B"] == b"\x00" for one in found)
        return [one["dynamodb"]["SequenceNumber"] for one in found]

    numbers = [str(change.number) for change in table.changes]
    assert len({len(number) for number in numbers}) == 2
    assert read("TRIM_HORIZON") == numbers
    assert read("AT_SEQUENCE_NUMBER", SequenceNumber=numbers[12]) == numbers[12:]
    assert read("AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[12]) == numbers[13:]
    assert read("LATEST") == []
