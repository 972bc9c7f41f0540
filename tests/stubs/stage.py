"""A whole stage in moto, with names of its own, and services that work with it."""

from __future__ import annotations

import itertools
from typing import Any, Protocol

from chalicelib.settings import Settings
from chalicelib.wiring import Services
from local.provision import provision

_NUMBERS = itertools.count(1)


class Aws(Protocol):
    """moto, however it is reached."""

    def client(self, service: str) -> Any:
        """A boto3 client for it."""


def make_stage(aws: Aws, endpoint: str, **settings: str) -> dict[str, str]:
    """Provision a stage; the environment that its functions get, with AWS at ``endpoint``."""
    stage = f"test-{next(_NUMBERS)}"
    made = provision(aws.client, stage=stage)
    topic = aws.client("sns").create_topic(Name=f"sightline-{stage}-labelled")["TopicArn"]
    table = aws.client("dynamodb").describe_table(TableName=made["Table"]["TableName"])["Table"]
    queues = {
        name: aws.client("sqs").get_queue_url(QueueName=made[name]["QueueName"])["QueueUrl"]
        for name in ("UploadsQueue", "JobsQueue", "DeliveriesQueue")
    }
    return {
        "BUCKET": made["Bucket"]["BucketName"],
        "TABLE": made["Table"]["TableName"],
        "TABLE_STREAM_ARN": table["LatestStreamArn"],
        "TOPIC_ARN": topic,
        "UPLOADS_QUEUE_URL": queues["UploadsQueue"],
        "JOBS_QUEUE_URL": queues["JobsQueue"],
        "DELIVERIES_QUEUE_URL": queues["DeliveriesQueue"],
        "ALLOW_PRIVATE_URLS": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        **settings,
    }


class StageServices(Services):
    """The real services, ``ahead`` seconds ahead of time. The environment must name the stage's endpoint."""

    def __init__(self, environment: dict[str, str], ahead: float = 0.0) -> None:
        super().__init__(Settings.read(environment))
        self.ahead = ahead

    def now(self) -> float:
        return super().now() + self.ahead

    def waiting(self) -> list[dict[str, Any]]:
        """The messages that are visible on the deliveries queue now."""
        found = self._sqs.receive_message(QueueUrl=self.settings.deliveries_queue_url, MaxNumberOfMessages=10)
        return list(found.get("Messages", []))

    def take_off(self, messages: list[dict[str, Any]]) -> None:
        """Delete messages that have been handled."""
        for message in messages:
            self._sqs.delete_message(
                QueueUrl=self.settings.deliveries_queue_url, ReceiptHandle=message["ReceiptHandle"]
            )
