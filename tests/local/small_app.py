"""A small app with resources of its own, whose handlers remember what they were given."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from chalice.app import Chalice

from local.event_source import Timing
from local.faults import Faults
from local.moto_server import LocalAws
from local.runtime import Runtime
from local.stream_reader import EventSourceMapping

Json = dict[str, Any]
NONE = Faults()
QUICK = Timing(retry_seconds=0, backoff=(0, 0), poll_seconds=0)
_numbers = itertools.count()


@dataclass
class Memory:
    """What handlers were given; ``fail`` decides by event and number of earlier calls whether to raise."""

    events: list[Json] = field(default_factory=list)
    fail: Callable[[Json, int], bool] = lambda event, calls: False
    reply: Any = None

    def __call__(self, event: Any) -> Any:
        seen = event.to_dict()
        calls = len(self.events)
        self.events.append(seen)
        if self.fail(seen, calls):
            raise RuntimeError("told to fail")
        return self.reply

    @property
    def records(self) -> list[Json]:
        return [record for event in self.events for record in event["Records"]]

    @property
    def bodies(self) -> list[str]:
        return [record["body"] for record in self.records]


class Bench:
    """An app, its resources and the runtime that a test starts on it."""

    def __init__(self, aws: LocalAws, stack: ExitStack) -> None:
        self.name = f"bench-{next(_numbers)}"
        self.app = Chalice(self.name)
        self.aws = aws
        self.s3, self.sqs, self.sns = (aws.client(one) for one in ("s3", "sqs", "sns"))
        self._stack = stack

    def run(self, faults: Faults = NONE, pace: Timing = QUICK, **says: Any) -> Runtime:
        made = Runtime(
            self.app,
            self.aws.client,
            mapping_of=lambda function: EventSourceMapping(**says),
            queues=self.aws.queues,
            faults=faults,
            pace=pace,
        )
        return self._stack.enter_context(made)

    def bucket(self) -> str:
        location = {"LocationConstraint": "eu-west-1"}
        self.s3.create_bucket(Bucket=self.name, CreateBucketConfiguration=location)
        return self.name

    def queue(self, **attributes: str) -> str:
        url: str = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        return url

    def dead_letters(self, url: str, receives: int) -> str:
        dead: str = self.sqs.create_queue(QueueName=f"{self.name}-dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
        return dead

    def put(self, key: str, content: bytes = b"x") -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content)

    def waiting(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


def always(event: Json, calls: int) -> bool:
    return True


def the_first_time(event: Json, calls: int) -> bool:
    return calls == 0


def uploads(bench: Bench, memory: Memory, **options: Any) -> None:
    @bench.app.on_s3_event(bucket=bench.bucket(), **options)
    def on_upload(event: Any) -> None:
        memory(event)


def messages(bench: Bench, memory: Callable[[Any], Any], **options: Any) -> None:
    @bench.app.on_sqs_message(queue=bench.name, **options)
    def on_message(event: Any) -> Any:
        return memory(event)
