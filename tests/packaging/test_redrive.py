"""``make redrive`` on a deployed stage: dead letters go back to where they came from."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from infra.redrive import redrive
from local.aws import LocalAws
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
