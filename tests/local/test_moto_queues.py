"""Queues of some length: what is hidden comes back in its time, nothing is lost, and no step looks at all.

Holds `local/moto_queues.py`, `local/backlog.py`.
"""

from __future__ import annotations

import functools
import itertools
import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sqs import models

from local.backlog import Backlog
from local.moto_server import LocalAws
from tests.fakes.clock import Clock
from tests.local.test_moto_tables import counted

_numbers = itertools.count()


@dataclass
class Waiting:
    """A message as moto has it; ``looks`` counts how often somebody asked when it may be received."""

    id: str
    visible_at: float = 0.0
    delayed: float = 0.0
    receipt_handle: str | None = None
    approximate_receive_count: int = 0
    all_receipt_handles: list[str] = field(default_factory=list)
    looks: int = 0

    @property
    def delayed_until(self) -> float:
        self.looks += 1
        return self.delayed


class Line:
    """A backlog under the test's clock."""

    def __init__(self) -> None:
        self.clock = Clock(0.0)
        self.backlog = Backlog(lambda: self.clock() * 1000)

    def add(self, name: str, delay: float = 0.0) -> Waiting:
        message = Waiting(name, delayed=(self.clock() + delay) * 1000)
        self.backlog.append(message)
        return message

    def receive(self, hidden: float) -> Waiting | None:
        message: Waiting | None = self.backlog.first()
        if message:
            message.approximate_receive_count += 1
            message.receipt_handle = f"{message.id}-{message.approximate_receive_count}"
            message.all_receipt_handles.append(message.receipt_handle)
            message.visible_at = (self.clock() + hidden) * 1000
            self.backlog.append(message)
        return message


@pytest.fixture
def line() -> Line:
    return Line()


def test_messages_come_in_the_order_in_which_they_may(line: Line) -> None:
    late, first, second = line.add("late", delay=5), line.add("first"), line.add("second")
    assert [line.receive(3), line.receive(30), line.receive(30)] == [first, second, None]
    assert line.backlog.seconds_to_next() == 3
    line.clock.forward(4)
    assert [line.receive(60), line.receive(60)] == [first, None]
    line.clock.forward(2)
    assert line.receive(60) is late


def test_depths_tell_the_waiting_the_taken_and_the_delayed(line: Line) -> None:
    line.add("a"), line.add("b"), line.add("c", delay=9)
    taken = line.receive(20)
    assert line.backlog.depths() == (1, 1, 1)
    line.clock.forward(10)
    assert line.backlog.depths() == (2, 1, 0)
    line.backlog.remove(taken)
    assert (line.backlog.depths(), len(line.backlog)) == ((2, 0, 0), 2)


def test_a_message_that_is_gone_is_known_by_none_of_its_names(line: Line) -> None:
    message = line.add("a")
    line.receive(0)
    line.receive(0)
    assert line.backlog.known_as("a-1") is line.backlog.known_as("a-2") is message
    line.backlog.remove(message)
    assert line.backlog.known_as("a-1") is line.backlog.known_as("a-2") is line.backlog.first() is None


def test_no_step_looks_at_all_that_wait(line: Line) -> None:
    messages = [line.add(str(number)) for number in range(500)]
    messages += [line.add(f"later {number}", delay=60) for number in range(500)]
    before = sum(message.looks for message in messages)
    for _ in range(10):
        taken = line.receive(30)
        line.backlog.remove(taken)
        line.backlog.depths()
    assert sum(message.looks for message in messages) - before <= 10


# ── through the server ───────────────────────────────────────────────────────────────────────
class Queue:
    def __init__(self, aws: LocalAws, **attributes: str) -> None:
        self.client = aws.client("sqs")
        self.name = f"long-{next(_numbers)}"
        self.url = self.client.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]

    def send(self, body: str, delay: int = 0) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=delay)

    def receive(self, wait: int = 0, **options: Any) -> list[Any]:
        found = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait, **options
        )
        return list(found.get("Messages", []))

    def delete(self, message: Any) -> None:
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def show_in(self, message: Any, seconds: int) -> None:
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def attribute(self, name: str) -> str:
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return str(found["Attributes"][name])


def test_one_who_waits_gets_a_hidden_message_when_it_comes_back(aws: LocalAws) -> None:
    queue = Queue(aws)
    queue.send("a")
    [taken] = queue.receive()
    assert queue.receive() == []
    threading.Timer(0.2, queue.show_in, (taken, 0)).start()
    assert [one["Body"] for one in queue.receive(wait=20)] == ["a"]


def test_one_who_waits_gets_a_delayed_message_in_its_time(aws: LocalAws) -> None:
    queue = Queue(aws)
    queue.send("a", delay=1)
    assert queue.receive() == []
    assert [one["Body"] for one in queue.receive(wait=20)] == ["a"]


def test_a_message_that_came_often_enough_is_a_dead_letter(aws: LocalAws) -> None:
    dead = Queue(aws)
    policy = {"deadLetterTargetArn": dead.attribute("QueueArn"), "maxReceiveCount": 2}
    queue = Queue(aws, RedrivePolicy=json.dumps(policy))
    queue.send("a")
    for _ in range(2):
        assert len(queue.receive(VisibilityTimeout=0)) == 1
    assert queue.receive(VisibilityTimeout=0) == []
    assert [one["Body"] for one in dead.receive()] == ["a"]


def test_a_message_may_be_deleted_twice_but_not_be_hidden_once_gone(aws: LocalAws) -> None:
    queue = Queue(aws)
    queue.send("a")
    [taken] = queue.receive()
    with pytest.raises(ClientError, match="43200 seconds"):
        queue.show_in(taken, 43_200)
    queue.delete(taken)
    queue.delete(taken)
    with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
        queue.show_in(taken, 0)


def test_a_long_queue_is_no_slower_than_a_short_one(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def looks(length: int) -> int:
        queue = Queue(aws)
        for number in range(length):
            queue.send(str(number))

        def work() -> None:
            queue.send("one more")
            [taken, *_] = queue.receive()
            queue.delete(taken)

        return counted(monkeypatch, models, "unix_time_millis", work)

    assert 0 < looks(200) == looks(20)


def test_nothing_that_is_sent_while_others_are_deleted_is_lost(aws: LocalAws) -> None:
    queue = Queue(aws)
    got: list[str] = []

    def send(sender: int) -> None:
        for number in range(50):
            queue.send(f"{sender}.{number}")

    senders = [threading.Thread(target=functools.partial(send, sender)) for sender in range(4)]
    for sender in senders:
        sender.start()
    while len(got) < 200 and (messages := queue.receive(wait=20)):
        for message in messages:
            got.append(message["Body"])
            queue.delete(message)
    for sender in senders:
        sender.join()
    assert sorted(got) == sorted(f"{sender}.{number}" for sender in range(4) for number in range(50))
    assert queue.attribute("ApproximateNumberOfMessages") == "0"
