"""A queue as a trigger: batches, windows, retries, dead letters and what handlers report.

Holds `local/sqs.py`, `local/queue_poller.py`, `local/queue_worker.py`, `local/event_source.py`.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local.event_source import Timing
from local.runtime import StillBusy
from tests.local.small_app import Bench, Json, Memory, always, messages, the_first_time


def test_a_message_reaches_the_handler_in_lambdas_shape_and_is_gone_afterwards(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run()

    attributes = {"colour": {"DataType": "String", "StringValue": "red"}}
    bench.sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    runtime.wait_until_idle()

    [record] = memory.records
    assert record["body"] == "hello"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= set(record["attributes"])
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    assert record["messageAttributes"]["colour"]["dataType"] == "String"
    assert record["eventSourceARN"] == f"arn:aws:sqs:eu-west-1:123456789012:{bench.name}"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "eu-west-1")
    assert bench.waiting(url) == 0


def test_messages_come_in_batches_of_the_size_asked_for(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    for number in range(7):
        bench.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    messages(bench, memory, batch_size=3)

    bench.run().wait_until_idle()

    assert max(len(event["Records"]) for event in memory.events) == 3
    assert sorted(memory.bodies) == [str(number) for number in range(7)]


def test_a_batch_waits_for_its_window_to_fill(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory, batch_size=2, maximum_batching_window_in_seconds=5)
    runtime = bench.run()

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    bench.sqs.send_message(QueueUrl=url, MessageBody="two")
    runtime.wait_until_idle()

    assert [len(event["Records"]) for event in memory.events] == [2]


def test_no_more_batches_run_at_once_than_the_concurrency_allows(bench: Bench) -> None:
    url = bench.queue()
    running, most, lock = 0, 0, threading.Lock()
    two_at_once = threading.Barrier(2)

    def work(event: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        two_at_once.wait(timeout=30)
        with lock:
            running -= 1

    messages(bench, work, maximum_concurrency=2)
    for number in range(6):
        bench.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    bench.run().wait_until_idle()

    assert most == 2


def test_a_failed_batch_comes_again_whole_with_a_higher_receive_count(bench: Bench) -> None:
    memory = Memory(fail=the_first_time)
    url = bench.queue()
    messages(bench, memory, batch_size=2)
    for body in ("one", "two"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run().wait_until_idle()

    assert sorted(memory.bodies) == ["one", "one", "two", "two"]
    counts = [record["attributes"]["ApproximateReceiveCount"] for record in memory.records]
    assert sorted(counts) == ["1", "1", "2", "2"]


def test_a_message_that_always_fails_ends_among_the_dead_letters(bench: Bench) -> None:
    memory = Memory(fail=always)
    url = bench.queue()
    dead = bench.dead_letters(url, receives=3)
    messages(bench, memory)
    runtime = bench.run()

    bench.sqs.send_message(QueueUrl=url, MessageBody="hopeless")
    runtime.wait_until_idle()

    assert len(memory.events) == 3
    assert bench.waiting(dead) == 1


def test_a_failing_message_holds_up_no_other(bench: Bench) -> None:
    memory = Memory(fail=lambda event, calls: event["Records"][0]["body"] == "bad")
    url = bench.queue()
    bench.dead_letters(url, receives=3)
    messages(bench, memory)
    for body in ("bad", "good", "good"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run().wait_until_idle()

    assert memory.bodies.count("good") == 2


def test_without_a_pace_of_its_own_a_failed_message_waits_for_the_visibility_timeout(bench: Bench) -> None:
    invoked = threading.Event()
    memory = Memory(fail=lambda event, calls: invoked.set() is None)
    url = bench.queue(VisibilityTimeout="100")
    messages(bench, memory)
    runtime = bench.run(pace=Timing(retry_seconds=None, poll_seconds=0))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")

    assert invoked.wait(30)
    with pytest.raises(StillBusy, match=bench.name):
        runtime.wait_until_idle(0.5)
    assert len(memory.events) == 1


def report(record: Json) -> Json:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def test_reported_failures_come_again_where_the_mapping_asks_for_reports(bench: Bench) -> None:
    bodies: list[str] = []

    def report_the_first_bad(event: Any) -> Json | None:
        records = event.to_dict()["Records"]
        bodies.extend(record["body"] for record in records)
        bad = [record for record in records if record["body"] == "bad" and bodies.count("bad") == 1]
        return report(bad[0]) if bad else None

    url = bench.queue(VisibilityTimeout="1")
    messages(bench, report_the_first_bad, batch_size=2)
    for body in ("good", "bad"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run(partial_batches=True).wait_until_idle()

    assert sorted(bodies) == ["bad", "bad", "good"]


def test_a_handler_that_reports_a_message_says_when_it_comes_again(bench: Bench) -> None:
    tries: list[str] = []

    def later(event: Any) -> Json | None:
        [record] = event.to_dict()["Records"]
        tries.append(record["attributes"]["ApproximateReceiveCount"])
        if len(tries) > 1:
            return None
        bench.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )
        return report(record)

    url = bench.queue(VisibilityTimeout="1000")
    messages(bench, later)
    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    bench.run(pace=Timing(retry_seconds=500, poll_seconds=0), partial_batches=True).wait_until_idle(30)

    assert tries == ["1", "2"]


def test_reported_failures_are_lost_where_the_mapping_does_not_ask_for_them(bench: Bench) -> None:
    memory = Memory(reply={"batchItemFailures": [{"itemIdentifier": "anything"}]})
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run()

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert len(memory.events) == 1


def test_a_report_that_makes_no_sense_fails_the_whole_batch(bench: Bench) -> None:
    memory = Memory(reply={"batchItemFailures": [{"itemIdentifier": "nobody's"}]})
    url = bench.queue()
    dead = bench.dead_letters(url, receives=2)
    messages(bench, memory)
    runtime = bench.run(partial_batches=True)

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert len(memory.events) == 2
    assert bench.waiting(dead) == 1
