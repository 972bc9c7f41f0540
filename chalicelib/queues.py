"""SQS queues and the SNS topic."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart
from chalicelib.errors import Misconfigured, Unavailable
from chalicelib.model import Json

log = logging.getLogger("sightline.queues")

LONGEST_DELAY = 900  # seconds, Amazon SQS "SendMessage"
SEND_BATCH = 10  # messages a call, Amazon SQS "SendMessageBatch"
PUBLISH_BATCH = 10  # messages a call, Amazon SNS "PublishBatch"
PUBLISH_BYTES = 250_000  # of the 262,144 bytes that the messages of a call may have together
LONGEST_HIDDEN = 12 * 3600  # seconds since the message was received, Amazon SQS "ChangeMessageVisibility"
# Error codes for a message that this worker no longer holds: it was deleted, or is visible again.
_NOT_OURS = frozenset(
    {
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
    }
)


class Queue:
    """An SQS queue with JSON messages."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: Json, *, delay: float = 0) -> None:
        """Put a message on the queue, visible after ``delay`` seconds (at most 900)."""
        with faults_told_apart("SQS"):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps(message, ensure_ascii=False),
                DelaySeconds=max(0, min(LONGEST_DELAY, round(delay))),
            )

    def send_many(self, messages: Sequence[Json]) -> None:
        """Put messages on the queue, ten in a call.

        :raises Unavailable: one of them was not taken; others may have been.
        """
        for start in range(0, len(messages), SEND_BATCH):
            entries = [
                {
                    "Id": str(place),
                    "MessageBody": json.dumps(one),
                }  # ASCII, because SQS refuses some characters
                for place, one in enumerate(messages[start : start + SEND_BATCH])
            ]
            with faults_told_apart("SQS"):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                raise Unavailable(f"SQS did not take a message: {answer['Failed'][0].get('Code')}.")

    def hide(self, receipt: str, seconds: float) -> None:
        """Make a received message visible again after ``seconds`` (at most 12 hours)."""
        wait = max(0, min(LONGEST_HIDDEN, math.ceil(seconds)))
        with _best_effort("come again later"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=wait
            )

    def delete(self, receipt: str) -> None:
        """Delete a received message."""
        with _best_effort("be deleted"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    def backlog(self) -> int:
        """The approximate number of visible messages."""
        with faults_told_apart("SQS"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


class Topic:
    """An SNS topic with JSON messages and attributes for filters."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish_many(self, messages: Sequence[tuple[Json, Mapping[str, str | list[str]]]]) -> None:
        """Publish messages with their attributes, up to ten in a call.

        A filter matches a list attribute by any of its members.

        :raises Unavailable: one of them was not taken; others may have been.
        """
        batch: list[dict[str, Any]] = []
        size = 0
        for message, attributes in messages:
            text = json.dumps(message, ensure_ascii=False)
            named = {name: _attribute(value) for name, value in attributes.items() if value}
            weight = len(text.encode("utf-8", "surrogatepass")) + len(json.dumps(named))
            if batch and (len(batch) == PUBLISH_BATCH or size + weight > PUBLISH_BYTES):
                self._publish(batch)
                batch, size = [], 0
            batch.append({"Id": str(len(batch)), "Message": text, "MessageAttributes": named})
            size += weight
        if batch:
            self._publish(batch)

    def _publish(self, batch: list[dict[str, Any]]) -> None:
        with faults_told_apart("SNS"):
            answer = self._client.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=batch)
        if answer.get("Failed"):
            raise Unavailable(f"SNS did not take a message: {answer['Failed'][0].get('Code')}.")


def _attribute(value: str | list[str]) -> dict[str, str]:
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    return {"DataType": "String.Array", "StringValue": json.dumps(value, ensure_ascii=False)}


@contextmanager
def _best_effort(what: str) -> Iterator[None]:
    """Only log SQS's faults: at worst the message is received again after its visibility timeout."""
    try:
        with faults_told_apart("SQS"):
            yield
    except Misconfigured:
        raise
    except Unavailable as error:
        log.warning("a message could not %s: %s", what, error)
    except ClientError as error:
        if code_of(error) not in _NOT_OURS:
            raise
        log.info("a message could not %s: %s", what, code_of(error))
