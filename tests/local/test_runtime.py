"""The runtime against moto: schedules, triggers that it has not, and coming to rest.

Holds `local/runtime.py`, `local/eventbridge.py`, `local/activity.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.small_app import Bench, Memory, messages


def test_a_scheduled_function_gets_eventbridges_event(bench: Bench) -> None:
    memory = Memory()

    @bench.app.schedule("rate(1 minute)")
    def tidy(event: Any) -> None:
        memory(event)

    runtime = bench.run()
    runtime.fire("tidy")
    runtime.wait_until_idle()

    [event] = memory.events
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["resources"] == ["arn:aws:events:eu-west-1:123456789012:rule/tidy"]


def test_a_cron_schedule_is_refused_with_a_sentence(bench: Bench) -> None:
    @bench.app.schedule("cron(0 12 * * ? *)")
    def lunch(event: Any) -> None:
        """Never called."""

    with pytest.raises(ValueError, match=r"lunch: the offline stack runs rate\(...\) schedules only"):
        bench.run()


def test_a_trigger_that_the_stack_cannot_fire_is_refused_with_a_sentence(bench: Bench) -> None:
    @bench.app.on_kinesis_record(stream="river")
    def on_drop(event: Any) -> None:
        """Never called."""

    with pytest.raises(ValueError, match="on_drop: the offline stack has no KinesisEventConfig triggers"):
        bench.run()


def test_waiting_follows_an_event_through_every_trigger_it_sets_off(bench: Bench) -> None:
    """S3 → SNS → SQS: at rest means that the last handler is done, whichever came first."""
    memory = Memory()
    url = bench.queue()
    topic = bench.sns.create_topic(Name=bench.name)["TopicArn"]

    @bench.app.on_s3_event(bucket=bench.bucket())
    def on_upload(event: Any) -> None:
        bench.sns.publish(TopicArn=topic, Message="uploaded")

    @bench.app.on_sns_message(topic=topic)
    def on_news(event: Any) -> None:
        bench.sqs.send_message(QueueUrl=url, MessageBody="told")

    messages(bench, memory)
    runtime = bench.run()
    for round_number in range(1, 11):
        bench.put("one")
        runtime.wait_until_idle()
        assert len(memory.events) == round_number
