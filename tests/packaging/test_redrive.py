"""``make redrive`` on a deployed stage: dead letters go back to where they came from.

Holds `infra/redrive.py`, `infra/stream_redrive.py`.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from infra.redrive import redrive
from local.moto_server import LocalAws
from tests.packaging.cloud import lose_messages, quiet
from tests.packaging.conftest import Deployment
from tests.packaging.workbench import Workbench

Json = dict[str, Any]
pytestmark = pytest.mark.slow


@pytest.fixture
def functions_answer(deployment: Deployment, aws: LocalAws) -> Iterator[None]:
    """moto takes invocations without Docker; and no queue holds or sends anything by itself."""
    quiet(aws, deployment.outputs["Bucket"])
    for queue in (
        *("uploads", "jobs", "deliveries"),
        *("uploads-dead", "jobs-dead", "deliveries-dead", "events-dead", "changes-dead"),
    ):
        lose_messages(url_of(aws, queue))
    configure(aws, use_docker=False)
    yield
    configure(aws, use_docker=True)


def configure(aws: LocalAws, *, use_docker: bool) -> None:
    body = json.dumps({"lambda": {"use_docker": use_docker}}).encode()
    request = urllib.request.Request(f"{aws.url}/moto-api/config", data=body, method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", "as operator")
    urllib.request.urlopen(request, timeout=30).close()


def url_of(aws: LocalAws, queue: str) -> str:
    return str(aws.client("sqs").get_queue_url(QueueName=f"sightline-dev-{queue}")["QueueUrl"])


def taken(aws: LocalAws, queue: str) -> list[str]:
    """The bodies of what lies on a queue, which is empty then."""
    sqs, url, found = aws.client("sqs"), url_of(aws, queue), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            found.append(one["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return sorted(found)


def test_dead_letters_get_another_chance(
    deployment: Deployment, aws: LocalAws, bench: Workbench, functions_answer: None
) -> None:
    arn = deployment.functions["sweep"]["Configuration"]["FunctionArn"]
    failed = {"requestContext": {"functionArn": f"{arn}:$LATEST"}, "requestPayload": {"id": "1"}}
    bodies = [f'{{"n": {number}}}' for number in range(12)]
    for queue, messages in (
        ("uploads-dead", bodies),
        ("jobs-dead", ['{"job": {}}']),
        ("deliveries-dead", ["{}"]),
        ("events-dead", [json.dumps(failed)]),
    ):
        for body in messages:
            aws.client("sqs").send_message(QueueUrl=url_of(aws, queue), MessageBody=body)
    ran = bench.follow("operations.md", "make redrive STAGE=dev")

    assert ran.returncode == 0, ran.stderr
    said = [line.split() for line in ran.stdout.splitlines()]
    assert [(line[0], line[1]) for line in said] == [
        ("UploadsDeadLetters", "12"),
        ("JobsDeadLetters", "1"),
        ("DeliveriesDeadLetters", "1"),
        ("EventsDeadLetters", "1"),
        ("ChangesDeadLetters", "0"),
    ]
    assert taken(aws, "uploads") == sorted(bodies)
    assert taken(aws, "jobs") == ['{"job": {}}']
    assert taken(aws, "deliveries") == ["{}"]
    assert not [
        one for dead in ("uploads", "jobs", "deliveries", "events") for one in taken(aws, f"{dead}-dead")
    ]


GONE = "arn:aws:lambda:eu-west-1:123456789012:function:sightline-dev-gone"
ODD = {
    "not json": "no JSON",
    '["a list"]': "no record of an invocation",
    '{"requestContext": {"functionArn": null}, "requestPayload": {}}': "no record of an invocation",
    json.dumps({"requestContext": {"functionArn": GONE}}): "no record of an invocation",
}


def test_what_is_no_functions_event_is_named_and_stays_and_the_others_go_on(
    deployment: Deployment, aws: LocalAws, functions_answer: None
) -> None:
    sqs, url = aws.client("sqs"), url_of(aws, "events-dead")
    arn = deployment.functions["sweep"]["Configuration"]["FunctionArn"]
    ours = json.dumps({"requestContext": {"functionArn": f"{arn}:$LATEST"}, "requestPayload": {"id": "1"}})
    ids = {body: sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in [*ODD, ours]}
    said: list[str] = []

    moved = redrive(aws.client, deployment.outputs, said.append)

    assert moved["EventsDeadLetters"] == 1
    assert len(said) == len(ODD)
    for body, reason in ODD.items():
        [line] = [one for one in said if ids[body] in one]
        assert line.startswith("Left in sightline-dev-events-dead: message ")
        assert reason in line
    # Hidden for a minute from whoever else is at it, and not deleted.
    hidden = "ApproximateNumberOfMessagesNotVisible"
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[hidden])["Attributes"][hidden] == str(
        len(ODD)
    )


def test_an_event_of_a_function_that_there_is_not_any_more_stays_too(
    deployment: Deployment, aws: LocalAws, functions_answer: None
) -> None:
    configure(aws, use_docker=True)  # without, moto takes invocations of anything
    body = json.dumps({"requestContext": {"functionArn": GONE}, "requestPayload": {}})
    aws.client("sqs").send_message(QueueUrl=url_of(aws, "events-dead"), MessageBody=body)
    said: list[str] = []

    assert redrive(aws.client, deployment.outputs, said.append)["EventsDeadLetters"] == 0
    assert [line.partition(" is ")[2] for line in said] == [f"for {GONE}, which there is not (any more)."]


def test_a_stage_that_is_not_there_has_none(bench: Workbench) -> None:
    elsewhere = {"AWS_DEFAULT_REGION": "eu-north-1", "AWS_REGION": "eu-north-1"}

    ran = bench.infra("redrive", "--stage", "dev", **elsewhere)

    assert ran.returncode == 1
    assert ran.stderr.startswith("There is no stack sightline-dev of this project here; ")
    assert len(ran.stderr.splitlines()) == 1


def failed_batch(aws: LocalAws, table: str, first: int, last: int) -> str:
    """What Lambda leaves behind of the stream's records from one to another, by their places in it."""
    arn = aws.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    [shard] = aws.client("dynamodbstreams").describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    numbers = [one["dynamodb"]["SequenceNumber"] for one in streamed(aws, table)]
    info = {
        "shardId": shard["ShardId"],
        "startSequenceNumber": numbers[first],
        "endSequenceNumber": numbers[last],
        "batchSize": last - first + 1,
        "streamArn": arn,
    }
    return json.dumps(
        {"requestContext": {}, "responseContext": {}, "version": "1.0", "DDBStreamBatchInfo": info}
    )


def streamed(aws: LocalAws, table: str) -> list[Json]:
    """All that the table's stream holds."""
    streams = aws.client("dynamodbstreams")
    arn = aws.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    where = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    found: list[Json] = streams.get_records(
        ShardIterator=streams.get_shard_iterator(**where)["ShardIterator"]
    )["Records"]
    return found


def test_records_that_could_not_be_projected_come_through_the_stream_again(
    deployment: Deployment, aws: LocalAws, functions_answer: None
) -> None:
    table, dynamodb = deployment.outputs["Table"], aws.client("dynamodb")
    before = len(streamed(aws, table))
    keys = [{"pk": {"S": f"default#image#{number}"}, "sk": {"S": "record"}} for number in range(4)]
    other = {"pk": {"S": "default#image#1"}, "sk": {"S": "projected"}}
    for item in (*keys[:2], other, *keys[2:]):
        dynamodb.put_item(TableName=table, Item=item)
    dynamodb.delete_item(TableName=table, Key=keys[2])
    # Of the five the first lies before the batch, and the last behind it; the third has gone since.
    body = failed_batch(aws, table, before + 1, before + 3)
    aws.client("sqs").send_message(QueueUrl=url_of(aws, "changes-dead"), MessageBody=body)
    so_far = len(streamed(aws, table))

    assert redrive(aws.client, deployment.outputs)["ChangesDeadLetters"] == 1

    again = [one["dynamodb"]["Keys"] for one in streamed(aws, table)[so_far:]]
    assert again == [keys[1]]
    assert taken(aws, "changes-dead") == []


@contextmanager
def trimmed(aws: LocalAws) -> Iterator[None]:
    """Meanwhile the streams have forgotten everything, which moto's never do."""

    def refuse(model: Any, **_: object) -> tuple[AWSResponse, Json] | None:
        error = {"Error": {"Code": "TrimmedDataAccessException", "Message": "Trimmed."}}
        return (AWSResponse("", 400, {}, None), error) if model.name == "GetShardIterator" else None

    events = aws.client("dynamodbstreams").meta.events
    events.register("before-call", refuse)
    try:
        yield
    finally:
        events.unregister("before-call", refuse)


def test_changes_that_the_stream_has_forgotten_are_left_to_repair(
    deployment: Deployment, aws: LocalAws, functions_answer: None
) -> None:
    gone = "arn:aws:dynamodb:eu-west-1:123456789012:table/sightline-dev/stream/2000-01-01T00:00:00.000"
    shard, number = "shardId-00000001546033600000-a1b2c3d4", "1" + 20 * "0"
    info = {"shardId": shard, "startSequenceNumber": number, "endSequenceNumber": number, "streamArn": gone}
    short = {**info, "shardId": "s"}
    for body in (json.dumps({"DDBStreamBatchInfo": info}), json.dumps({"DDBStreamBatchInfo": short}), "{}"):
        aws.client("sqs").send_message(QueueUrl=url_of(aws, "changes-dead"), MessageBody=body)
    said: list[str] = []

    with trimmed(aws):
        assert redrive(aws.client, deployment.outputs, said.append)["ChangesDeadLetters"] == 0

    reasons = sorted(line.partition(" is ")[2] for line in said)
    assert reasons == [
        "no record of a batch of the stream.",
        "no record of a batch of the stream.",
        "older than what the stream keeps (24 hours): run make repair, then delete it.",
    ]
