"""A whole stage in moto, with names of its own, and services that work with it."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any, Protocol

from chalicelib import pipeline
from chalicelib.settings import Settings
from chalicelib.wiring import Services
from local import sqs
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
        "PARTIAL_BATCHES": "true",
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

    def project(self) -> Any:
        """Let everything that is derived follow the records, as if the stream told of each of them now."""
        asked = {
            "FilterExpression": "sk = :record",
            "ExpressionAttributeValues": {":record": {"S": "record"}},
        }
        items = self._records.scan(TableName=self.settings.table, **asked)["Items"]
        changes = [
            {
                "Keys": {"pk": item["pk"], "sk": item["sk"]},
                "NewImage": item,
                "SequenceNumber": str(next(_NUMBERS)),
            }
            for item in items
        ]
        return pipeline.project({"Records": [{"dynamodb": one} for one in changes]}, self)

    @cached_property
    def _records(self) -> Any:
        return self.clients.make("dynamodb")

    def bring_waiting(self) -> int:
        """Deliver what is visible on the deliveries queue now, as Lambda does; how many messages."""
        url = self.settings.deliveries_queue_url
        found = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
        messages = found.get("Messages", [])
        answer = pipeline.deliver(sqs.event(messages, "arn:aws:sqs:eu-west-1:123456789012:deliveries"), self)
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)
