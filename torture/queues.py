"""The queues of a stage, as Lambda's pollers and an operator see them; nothing happens to these calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.ids import rfc3339
from chalicelib.model import Json
from chalicelib.settings import Settings
from local import loop_detection, s3, sns, sqs
from local.moto_queues import as_received, queue_at

BATCH = 10  # messages, of deliveries
HIDDEN_SECONDS = 360  # as in infra/resources.yaml


class Queues:
    """Those of the service, and two of the platform's own: what S3 and what SNS have told."""

    def __init__(self, client: Callable[[str], Any], settings: Settings) -> None:
        self._sqs = client("sqs")
        self._urls = {
            "on_upload_message": settings.uploads_queue_url,
            "on_job_message": settings.jobs_queue_url,
            "on_sqs_message": settings.deliveries_queue_url,
        }
        self._s3_news, arn = self._made(f"{settings.table}-s3")
        client("s3").put_bucket_notification_configuration(
            Bucket=settings.bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
                ]
            },
        )
        self._sns_news, arn = self._made(f"{settings.table}-sns")
        told = client("sns").subscribe(TopicArn=settings.topic_arn, Protocol="sqs", Endpoint=arn)
        self._subscription = told["SubscriptionArn"]

    def uploads_told_of(self) -> Iterator[tuple[Json, str]]:
        """S3's notifications since the last time, each with the trace of whoever set it off."""
        for message in self._emptied(self._s3_news):
            event = s3.event([message])
            if event:  # moto's own time is not the one that is played here
                sent = int(message["Attributes"]["SentTimestamp"]) / 1000
                event["Records"][0]["eventTime"] = rfc3339(sent)
            if event and event["Records"][0]["s3"]["object"]["key"].startswith("uploads/"):
                yield event, trace_of(message)

    def results_told_of(self) -> Iterator[tuple[Json, str]]:
        """What was published on the topic since the last time, each with the trace of whoever did it."""
        for message in self._emptied(self._sns_news):
            yield sns.event([message], self._subscription), trace_of(message)

    def leave(self, event: Json) -> None:
        """Put an event on the uploads queue."""
        self.send("on_upload_message", json.dumps(event))

    def send(self, function: str, body: str) -> None:
        """Put any message on the queue that feeds a function."""
        self._sqs.send_message(QueueUrl=self._urls[function], MessageBody=body)

    def uploads(self, at_most: int) -> list[list[Json]]:
        """Batches of one, as ``on_upload_message`` takes them."""
        return [[message] for message in self._received(self._urls["on_upload_message"], at_most)]

    def jobs(self, at_most: int) -> list[list[Json]]:
        """Batches of one, as ``on_job_message`` takes them."""
        return [[message] for message in self._received(self._urls["on_job_message"], at_most)]

    def deliveries(self) -> list[list[Json]]:
        """Up to two batches of ten, as ``on_sqs_message`` takes them."""
        batches = (self._received(self._urls["on_sqs_message"], BATCH) for _ in range(2))
        return [batch for batch in batches if batch]

    def event(self, batch: list[Json]) -> Json:
        """A batch as Lambda hands it over."""
        return sqs.event(batch, "arn:aws:sqs:eu-west-1:123456789012:queue")

    def delete(self, function: str, batch: list[Json]) -> None:
        """Take off what was done."""
        self._take_off(self._urls[function], batch)

    def redrive(self) -> int:
        """Move all dead letters back to where they came from; how many."""
        moved = 0
        for function, url in self._urls.items():
            for message in self._emptied(f"{url}-dead"):
                self.send(function, message["Body"])
                moved += 1
        return moved

    def dead_letters(self) -> list[str]:
        """The bodies of the messages that nobody could handle; they are taken off."""
        return [one["Body"] for url in self._urls.values() for one in self._emptied(f"{url}-dead")]

    def _made(self, name: str) -> tuple[str, str]:
        url = str(self._sqs.create_queue(QueueName=name)["QueueUrl"])
        told = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, str(told["Attributes"]["QueueArn"])

    def _emptied(self, url: str) -> Iterator[Json]:
        while batch := self._received(url, 10):
            yield from batch
            self._take_off(url, batch)

    def _take_off(self, url: str, batch: list[Json]) -> None:
        for message in batch:
            queue_at(url).delete_message(message["ReceiptHandle"])

    def _received(self, url: str, at_most: int) -> list[Json]:
        return [as_received(one) for one in queue_at(url).take(at_most, 0, HIDDEN_SECONDS)]


def trace_of(message: Json) -> str:
    """The trace that came along with a message."""
    return str(message["Attributes"].get(loop_detection.ATTRIBUTE, ""))
