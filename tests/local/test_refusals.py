"""What Lambda, SNS, SQS and API Gateway refuse, the offline stack refuses as well.

Holds `local/loop_detection.py`, `local/function.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from chalice.app import Chalice, Response
from chalice.config import Config

from local import api_server, loop_detection
from local.event_source import Timing
from local.faults import Faults
from local.function import Function, TimedOut
from local.limits import ANSWER_BYTES, IN_A_CHAIN, QUEUE_MESSAGE_BYTES, TOPIC_MESSAGE_BYTES
from local.moto_server import LocalAws
from local.runtime import Runtime

QUICK = Timing(retry_seconds=0, backoff=(0, 0), poll_seconds=0)
_numbers = itertools.count()


class Bench:
    """An app, a queue that gives up at the second failure, and a runtime."""

    def __init__(self, aws: LocalAws, stack: ExitStack) -> None:
        self.name = f"refused-{next(_numbers)}"
        self.app = Chalice(self.name)
        self.aws = aws
        self.sqs, self.sns = aws.client("sqs"), aws.client("sns")
        self.dead: str = self.sqs.create_queue(QueueName=f"{self.name}-dead")["QueueUrl"]
        arn = f"arn:aws:sqs:eu-west-1:123456789012:{self.name}-dead"
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 2}}'
        self.url: str = self.sqs.create_queue(
            QueueName=self.name, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "60"}
        )["QueueUrl"]
        self._stack = stack

    def run(self, **options: Any) -> Runtime:
        return self._stack.enter_context(
            Runtime(self.app, self.aws.client, queues=self.aws.queues, pace=QUICK, **options)
        )

    def function_of(self, **says: Any) -> Callable[[str], Function]:
        return lambda name: Function(name, self.app.handler_map[name], **says)

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    @property
    def dead_letters(self) -> list[str]:
        return [one["Body"] for one in self.sqs.receive_message(QueueUrl=self.dead).get("Messages", [])]


@pytest.fixture
def bench(aws: LocalAws) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(aws, stack)


# ── functions that set each other off ────────────────────────────────────────────────────────
def counting_down(bench: Bench) -> list[int]:
    """A function that sends what is left of a count to the queue that feeds it."""
    seen: list[int] = []

    @bench.app.on_sqs_message(queue=bench.name)
    def step(event: Any) -> None:
        left = int(next(iter(event)).body)
        seen.append(left)
        if left:
            bench.send(str(left - 1))

    return seen


def test_a_function_that_feeds_itself_is_cut_off_after_sixteen_rounds(bench: Bench) -> None:
    seen = counting_down(bench)
    runtime = bench.run()
    bench.send("30")
    runtime.wait_until_idle()
    assert seen == list(range(30, 30 - IN_A_CHAIN, -1))
    assert bench.dead_letters == [str(30 - IN_A_CHAIN)]


def test_a_function_that_may_go_in_circles_goes_on(bench: Bench) -> None:
    seen = counting_down(bench)
    runtime = bench.run(function_of=bench.function_of(may_go_in_circles=True))
    bench.send("30")
    runtime.wait_until_idle()
    assert seen == list(range(30, -1, -1))


def test_another_message_begins_a_chain_of_its_own(bench: Bench) -> None:
    seen = counting_down(bench)
    runtime = bench.run()
    for _ in range(3):
        bench.send("10")
        runtime.wait_until_idle()
    assert len(seen) == 33


def test_a_chain_is_followed_through_a_topic(bench: Bench) -> None:
    topic = bench.sns.create_topic(Name=bench.name)["TopicArn"]
    told: list[str] = []

    @bench.app.on_sns_message(topic=topic)
    def on_news(event: Any) -> None:
        bench.send(event.message)

    @bench.app.on_sqs_message(queue=bench.name)
    def on_message(event: Any) -> None:
        told.append(next(iter(event)).body)
        bench.sns.publish(TopicArn=topic, Message=told[-1])

    runtime = bench.run()
    bench.sns.publish(TopicArn=topic, Message="again")
    runtime.wait_until_idle()
    assert len(told) == IN_A_CHAIN


def test_of_a_batch_the_longest_chain_counts() -> None:
    once = loop_detection.extended("", "f")
    twice = loop_detection.extended(once, "f")
    assert loop_detection.times(loop_detection.longest([None, once, twice, ""], "f"), "f") == 2
    assert loop_detection.times(twice, "another") == 0


# ── time ─────────────────────────────────────────────────────────────────────────────────────
def test_a_function_is_stopped_at_its_timeout(bench: Bench) -> None:
    steps: list[float] = []

    @bench.app.on_sqs_message(queue=bench.name)
    def dawdle(event: Any) -> None:
        while True:
            steps.append(time.monotonic())
            time.sleep(0.01)

    runtime = bench.run(function_of=bench.function_of(timeout=1))
    bench.send("for ever")
    runtime.wait_until_idle()
    assert bench.dead_letters == ["for ever"]
    assert not [one for one in threading.enumerate() if one.name == "run-dawdle" and one.is_alive()]
    assert 0.9 < steps[-1] - steps[0] < 30


def test_what_a_function_catches_does_not_keep_it_alive() -> None:
    ended = threading.Event()

    def stubborn(event: Any, context: Any) -> None:
        try:
            while True:
                with contextlib.suppress(Exception):
                    time.sleep(0.01)
        finally:
            ended.set()

    with pytest.raises(TimedOut, match=r"Task timed out after 1\.00 seconds"):
        Function("stubborn", stubborn, timeout=1)({})
    assert ended.wait(30)


# ── the account ──────────────────────────────────────────────────────────────────────────────
def test_no_more_functions_run_at_once_than_the_account_has_room_for(bench: Bench) -> None:
    topic = bench.sns.create_topic(Name=bench.name)["TopicArn"]
    running, most, lock, done = 0, 0, threading.Lock(), []

    def work(event: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        done.append(event)

    @bench.app.on_sns_message(topic=topic)
    def on_news(event: Any) -> None:
        work(event)

    @bench.app.on_sqs_message(queue=bench.name)
    def on_message(event: Any) -> None:
        work(event)

    runtime = bench.run(faults=Faults(concurrency=1))
    for number in range(4):
        bench.sns.publish(TopicArn=topic, Message=str(number))
    runtime.wait_until_idle()
    assert (most, len(done)) == (1, 4)


def test_a_queue_takes_back_what_the_account_has_no_room_for(bench: Bench) -> None:
    release = threading.Event()

    @bench.app.on_sqs_message(queue=bench.name)
    def wait(event: Any) -> None:
        release.wait(30)

    runtime = bench.run(faults=Faults(concurrency=1))
    bench.send("one")
    bench.send("two")
    deadline = time.monotonic() + 30
    while not bench.dead_letters and time.monotonic() < deadline:
        time.sleep(0.02)
    release.set()
    runtime.wait_until_idle()
    assert time.monotonic() < deadline


# ── sizes ────────────────────────────────────────────────────────────────────────────────────
def test_a_topic_counts_bytes_and_attributes(bench: Bench) -> None:
    topic = bench.sns.create_topic(Name=bench.name)["TopicArn"]
    fits = "ü" * (TOPIC_MESSAGE_BYTES // 2)
    attributes = {"kind": {"DataType": "String", "StringValue": "cat"}}
    bench.sns.publish(TopicArn=topic, Message=fits)
    with pytest.raises(ClientError, match="Message too long"):
        bench.sns.publish(TopicArn=topic, Message=fits + "x")
    with pytest.raises(ClientError, match="Message too long"):
        bench.sns.publish(TopicArn=topic, Message=fits, MessageAttributes=attributes)


def test_a_queue_counts_bytes_and_attributes(bench: Bench) -> None:
    fits = "ü" * (QUEUE_MESSAGE_BYTES // 2)
    attributes = {"kind": {"DataType": "String", "StringValue": "cat"}}
    bench.send(fits)
    with pytest.raises(ClientError, match="Message too long"):
        bench.send(fits + "x")
    with pytest.raises(ClientError, match="Message too long"):
        bench.sqs.send_message(QueueUrl=bench.url, MessageBody=fits, MessageAttributes=attributes)


def test_an_answer_of_more_than_six_megabytes_is_a_bad_gateway() -> None:
    app = Chalice("answers")
    sizes = {"fits": ANSWER_BYTES - 1000, "quotes": ANSWER_BYTES // 2 + 10, "large": ANSWER_BYTES + 1}

    @app.route("/{size}")
    def answer(size: str) -> Response:
        return Response(
            ('"' if size == "quotes" else "x") * sizes[size], headers={"Content-Type": "text/plain"}
        )

    with api_server.serve(app, Config(), 0) as server:
        found = {size: requests.get(f"{server.url}/{size}", timeout=30) for size in sizes}
    assert {size: one.status_code for size, one in found.items()} == {
        "fits": 200,
        "quotes": 502,
        "large": 502,
    }
    assert found["large"].json()["code"] == "bad-gateway"
