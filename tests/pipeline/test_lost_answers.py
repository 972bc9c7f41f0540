"""Every call to AWS is spoilt once, by a proxy before moto: nothing is lost and nothing is done twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.delivery_log import by_destination
from chalicelib.model import Label
from local.moto_server import LocalAws
from tests.fakes.mail import sns_event
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT
from tests.stubs.fault_proxy import Fault, FaultProxy
from tests.stubs.stage import StageServices, make_stage

KEY = "uploads/cat.jpg"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture
def proxy(aws: LocalAws) -> Iterator[FaultProxy]:
    with FaultProxy(aws.url) as running:
        yield running


@pytest.fixture
def services(aws: LocalAws, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Any:
    environment = make_stage(aws, proxy.url, INTEGRATION_URL="http://127.0.0.1:1/labels")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # botocore's pauses between its tries prove nothing here.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)
    made: Any = StageServices(environment)
    made.recogniser = FakeRecogniser(Label("Cat", 93.0))
    made.outbound = FakeReceiver(500, 200)
    return made


@pytest.fixture
def told_on_the_topic(aws: LocalAws, services: Any) -> Any:
    """Gives what has been published, as often as it was."""
    queue = aws.client("sqs").create_queue(QueueName=f"{services.settings.table}-ear")["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    aws.client("sns").subscribe(
        TopicArn=services.settings.topic_arn,
        Protocol="sqs",
        Endpoint=arn["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )

    def heard() -> list[Any]:
        found = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [json.loads(one["Body"]) for one in found["Messages"]]

    return heard


def deliver_all(services: Any) -> None:
    """What Lambda's poller does, a batch of ten at a time, with five minutes between."""
    for _ in range(6):
        pipeline.sweep(services)
        while services.bring_waiting():
            """Until none is visible."""
        services.ahead += 300


@pytest.mark.slow
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.DELAY])
def test_whatever_becomes_of_the_calls_everyone_is_told_once(
    services: Any, proxy: FaultProxy, told_on_the_topic: Any, fault: Fault
) -> None:
    services.objects.put(KEY, CAT, "image/jpeg")
    proxy.spoil_each_call(fault)
    pipeline.label_messages({"Records": [{"body": json.dumps(_s3_event())}]}, services)
    assert services.project() == {"batchItemFailures": []}
    messages = told_on_the_topic()
    pipeline.fan_out(sns_event(messages), services)
    deliver_all(services)
    assert {
        "UpdateItem",
        "TransactWriteItems",
        "SendMessage",
        "BatchGetItem",
        "BatchWriteItem",
        "PublishBatch",
    } <= set(proxy.spoilt)

    proxy.heal()
    page = services.deliveries.page("default", by_destination("integration"), limit=50, after=None)
    [delivery] = page.deliveries
    assert (delivery.status, [one.status for one in delivery.attempts]) == ("delivered", [500, 200])
    assert services.outbound.ids == [delivery.id] * 2
    if fault is Fault.LOSE_ANSWER:
        assert len(messages) == 2, "the topic got it twice, and nobody was told twice"


def _s3_event() -> Any:
    return {"Records": [{"s3": {"object": {"key": KEY, "eTag": "", "sequencer": ""}}}]}
