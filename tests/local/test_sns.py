"""A topic as a trigger: the runtime against moto, with small apps whose handlers remember.

Holds `local/sns.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.small_app import Bench, Memory, always


@pytest.mark.parametrize("known_by", ["name", "arn"])
def test_a_published_message_reaches_the_handler_in_lambdas_shape(bench: Bench, known_by: str) -> None:
    memory = Memory()
    arn = bench.sns.create_topic(Name=bench.name)["TopicArn"]

    @bench.app.on_sns_message(topic=arn if known_by == "arn" else bench.name)
    def on_news(event: Any) -> None:
        memory(event)

    runtime = bench.run()
    attributes = {"kind": {"DataType": "String", "StringValue": "cat"}}
    bench.sns.publish(TopicArn=arn, Message="miaow", Subject="news", MessageAttributes=attributes)
    runtime.wait_until_idle()

    [record] = memory.records
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"].startswith(arn)
    message = record["Sns"]
    assert (message["Type"], message["TopicArn"]) == ("Notification", arn)
    assert (message["Subject"], message["Message"]) == ("news", "miaow")
    assert message["MessageAttributes"] == {"kind": {"Type": "String", "Value": "cat"}}
    assert "SigningCertUrl" in message
    assert "SigningCertURL" not in message


def test_an_sns_message_that_fails_is_tried_twice_more(bench: Bench) -> None:
    memory = Memory(fail=always)
    arn = bench.sns.create_topic(Name=bench.name)["TopicArn"]

    @bench.app.on_sns_message(topic=arn)
    def on_news(event: Any) -> None:
        memory(event)

    runtime = bench.run()
    bench.sns.publish(TopicArn=arn, Message="miaow")
    runtime.wait_until_idle()

    assert len(memory.events) == 3
