"""Where messages go: an SQS queue and an SNS topic, each known by what the settings call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.aws import faults_told_apart
from chalicelib.model import Json

LONGEST_DELAY = 900  # seconds, Amazon SQS "SendMessage"


class Queue:
    """An SQS queue that takes JSON."""

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


class Topic:
    """An SNS topic that takes JSON with attributes to filter by."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, message: Json, attributes: Mapping[str, str | list[str]]) -> None:
        """Publish a message; an attribute that is a list can be matched by any of its members."""
        with faults_told_apart("SNS"):
            self._client.publish(
                TopicArn=self._arn,
                Message=json.dumps(message, ensure_ascii=False),
                MessageAttributes={name: _attribute(value) for name, value in attributes.items() if value},
            )


def _attribute(value: str | list[str]) -> dict[str, str]:
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    return {"DataType": "String.Array", "StringValue": json.dumps(value, ensure_ascii=False)}
