"""The runtime misbehaves as it was told, and nothing is lost by it.

Holds `local/faults.py`.
"""

from __future__ import annotations

import pytest

from local.faults import Faults
from tests.local.small_app import Bench, Memory, messages, uploads


def test_a_duplicated_message_is_delivered_twice_under_one_id(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run(Faults(duplicate=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert [record["body"] for record in memory.records] == ["one", "one"]
    assert len({record["messageId"] for record in memory.records}) == 1


def test_a_reordered_event_comes_after_its_successor(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    for body in ("first", "second"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run(Faults(reorder=1)).wait_until_idle()

    assert memory.bodies == ["second", "first"]


def test_a_message_held_back_with_no_successor_is_delivered_all_the_same(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run(Faults(reorder=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="lonely")
    runtime.wait_until_idle()

    assert memory.bodies == ["lonely"]


def test_after_a_crash_the_work_is_done_again(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    dead = bench.dead_letters(url, receives=2)
    runtime = bench.run(Faults(crash=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert memory.bodies == ["one", "one"]
    assert bench.waiting(dead) == 1


def test_a_throttled_batch_goes_back_to_its_queue_unseen(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    dead = bench.dead_letters(url, receives=2)
    messages(bench, memory)
    runtime = bench.run(Faults(throttle=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert memory.events == []
    assert bench.waiting(dead) == 1


def test_a_throttled_s3_event_waits_and_loses_no_try(bench: Bench) -> None:
    memory = Memory(fail=lambda event, calls: calls < 2)
    uploads(bench, memory)
    runtime = bench.run(Faults(throttle=0.5))

    bench.put("one")
    runtime.wait_until_idle()

    assert len(memory.events) == 3


def test_faults_are_read_from_a_line() -> None:
    assert Faults.parse("duplicate=0.3, crash=1,seed=7") == Faults(duplicate=0.3, crash=1.0, seed=7)
    assert Faults.parse("") == Faults()


@pytest.mark.parametrize(
    ("line", "sentence"), [("rain=1", "'rain' is no fault"), ("crash=often", "crash should hold a number")]
)
def test_a_fault_that_makes_no_sense_gets_a_sentence(line: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Faults.parse(line)


def test_the_same_seed_throws_the_same_dice() -> None:
    def throws(seed: int) -> list[bool]:
        dice = Faults(crash=0.5, seed=seed).dice("sweep")
        return [dice.says("crash") for _ in range(20)]

    assert throws(1) == throws(1)
    assert throws(1) != throws(2)
