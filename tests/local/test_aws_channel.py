"""The short way to moto: what comes back is what HTTP brings, and what cannot go this way goes by HTTP."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import handlers
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from local import aws_channel
from local.aws_channel import Answer, Asked, Pipes
from local.loopback import REGION
from local.moto_server import LocalAws
from local.wsgi import Channel

BUCKET = "by-two-ways"
TABLE = "by-two-ways"


class Counted(Pipes):
    """Knows what was asked."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.asked: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        self.asked.append(asked[0])
        return super().__call__(asked)


@pytest.fixture(scope="module", autouse=True)
def resources(aws: LocalAws) -> None:
    location = {"LocationConstraint": REGION}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    aws.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )


@pytest.fixture
def pipes(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Counted:
    monkeypatch.setattr(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS])
    pipes = Counted(aws.channel.address)
    aws_channel.mend(aws.url, pipes)
    return pipes


def client(service: str, url: str) -> Any:
    session = boto3.session.Session("local", "local", region_name=REGION)
    return session.client(service, endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


def told(call: Callable[[], dict[str, Any]]) -> Any:
    """What a call answers, but for what is another one's each time."""
    try:
        answer = call()
    except ClientError as refused:
        answer = refused.response
    kept = {name: one for name, one in answer.items() if name != "ResponseMetadata"}
    if "Body" in kept:
        kept["Body"] = kept["Body"].read()
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    differ = {"date", "server", "connection", "x-amzn-requestid", "x-amz-request-id"}
    return (
        kept,
        answer["ResponseMetadata"]["HTTPStatusCode"],
        {name: one for name, one in headers.items() if name not in differ},
    )


@pytest.mark.parametrize("key", ["plain.jpg", "Übersicht 1+1 = 2?.jpg", "a%2Fb/../c&d=e;f.jpg"])
def test_objects_come_back_as_by_http(aws: LocalAws, pipes: Counted, key: str) -> None:
    short, http = client("s3", aws.url), aws.client("s3")
    of = {"Bucket": BUCKET, "Key": key}
    short.put_object(**of, Body=b"0123456789", ContentType="image/jpeg", Metadata={"who": "a b"})

    for ask in (
        lambda s3: s3.get_object(**of),
        lambda s3: s3.get_object(**of, Range="bytes=2-5"),
        lambda s3: s3.head_object(**of),
        lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix=key, EncodingType="url"),
        lambda s3: s3.get_object(Bucket=BUCKET, Key=f"{key}.missing"),
        lambda s3: s3.head_object(Bucket=BUCKET, Key=f"{key}.missing"),
    ):
        assert told(lambda ask=ask: ask(short)) == told(lambda ask=ask: ask(http))  # type: ignore[misc]
    assert pipes.asked == ["PUT", "GET", "GET", "HEAD", "GET", "GET", "HEAD"]


def test_items_come_back_as_by_http(aws: LocalAws, pipes: Counted) -> None:
    short, http = client("dynamodb", aws.url), aws.client("dynamodb")
    item = {"pk": {"S": "ü&=%"}, "bytes": {"B": b"\0\xff"}, "map": {"M": {"n": {"N": "1"}}}}
    short.put_item(TableName=TABLE, Item=item)

    for ask in (
        lambda table: table.get_item(TableName=TABLE, Key={"pk": item["pk"]}),
        lambda table: table.put_item(
            TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)"
        ),
        lambda table: table.get_item(TableName="no-such-table", Key={"pk": item["pk"]}),
    ):
        assert told(lambda ask=ask: ask(short)) == told(lambda ask=ask: ask(http))  # type: ignore[misc]
    assert http.get_item(TableName=TABLE, Key={"pk": item["pk"]})["Item"] == item
    assert len(pipes.asked) == 4


def test_a_body_in_memory_goes_along_and_a_file_goes_by_http(
    aws: LocalAws, pipes: Counted, tmp_path: Path
) -> None:
    short = client("s3", aws.url)
    (tmp_path / "file").write_bytes(b"from a file")
    short.put_object(Bucket=BUCKET, Key="in memory", Body=io.BytesIO(b"in memory"))
    assert pipes.asked == ["PUT"]
    with (tmp_path / "file").open("rb") as file:
        short.put_object(Bucket=BUCKET, Key="file", Body=file)
    assert pipes.asked == ["PUT"]
    for key, content in (("in memory", b"in memory"), ("file", b"from a file")):
        assert aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == content


def test_another_address_is_asked_by_http(aws: LocalAws, pipes: Counted) -> None:
    with LocalAws() as other:
        client("s3", other.url).list_buckets()
    assert pipes.asked == []


def test_many_are_answered_at_a_time_each_its_own(aws: LocalAws, pipes: Counted) -> None:
    short = client("s3", aws.url)

    def same(number: int) -> bool:
        of = {"Bucket": BUCKET, "Key": f"many/{number}"}
        short.put_object(**of, Body=str(number).encode() * 1000)
        found: bytes = short.get_object(**of)["Body"].read()
        return found == str(number).encode() * 1000

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(same, range(100)))


def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise RuntimeError("no")


def test_an_application_that_raises_has_answered_500(caplog: pytest.LogCaptureFixture) -> None:
    with Channel(broken) as channel:
        ask = Pipes(channel.address)
        for _ in range(2):
            assert ask(("GET", "http://127.0.0.1:1/here", [], b"")) == (500, [], b"")
    assert "GET '/here' broke the server" in caplog.text


def test_a_channel_that_has_ended_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS])
    with Channel(broken) as channel:
        pass
    aws_channel.mend("http://127.0.0.1:1", Pipes(channel.address))
    with caplog.at_level(logging.CRITICAL), pytest.raises((OSError, HTTPClientError)):
        client("s3", "http://127.0.0.1:1").list_buckets()
