"""SQS as a trigger: the event that Lambda makes of received messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalice.app import SQSEventConfig

from local.event_source import EventSource, Message, Timing
from local.function import Invocable, Json
from local.stream_reader import EventSourceMapping


def source(
    config: SQSEventConfig, function: Invocable, sqs: Any, pace: Timing, says: EventSourceMapping
) -> EventSource:
    """The app's own queue as a source of ``function``."""
    name = config.queue or (config.queue_arn or "").rpartition(":")[2]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return EventSource(
        function,
        f"SQS {name}",
        url,
        lambda messages: event(messages, arn),
        retry_after=lambda tries: pace.retry_seconds,
        batch_size=config.batch_size,
        window=config.maximum_batching_window_in_seconds or 0,
        concurrency=config.maximum_concurrency or pace.concurrency,
        poll_seconds=pace.poll_seconds,
        partial_batches=says.partial_batches,
    )


def event(messages: Sequence[Message], queue_arn: str) -> Json:
    """A Lambda event of SQS messages (AWS Lambda developer guide, "Using Lambda with Amazon SQS")."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def _record(message: Message, queue_arn: str) -> Json:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value: Json) -> Json:
    """Lambda spells the fields in camel case, and always has the two lists."""
    renamed = {name[0].lower() + name[1:]: one for name, one in value.items()}
    return {"stringListValues": [], "binaryListValues": [], **renamed}
