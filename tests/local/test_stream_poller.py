"""A table's stream as a trigger: the runtime against moto, with small apps whose handlers remember.

Holds `local/stream_poller.py`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from chalice.app import Chalice

from local.event_source import Timing
from local.faults import Faults
from local.moto_server import LocalAws
from local.runtime import Runtime
from local.shard import Json, stream_arn
from local.stream_reader import EventSourceMapping

QUICK = Timing(retry_seconds=0, backoff=(0, 0), poll_seconds=0, longest_window=0.05)
RECORDS = {"dynamodb": {"Keys": {"sk": {"S": ["record"]}}}}
_numbers = itertools.count()


@dataclass
class Memory:
    """What a handler was given; ``reply`` decides by the names in a batch and the number of earlier calls."""

    batches: list[list[str]] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    reply: Callable[[list[str], int], Any] = lambda names, calls: None

    def __call__(self, event: Any) -> Any:
        self.events.append(event.to_dict())
        names = [one["dynamodb"]["Keys"]["pk"]["S"] for one in self.events[-1]["Records"]]
        self.batches.append(names)
        return self.reply(names, len(self.batches) - 1)


class Bench:
    """An app with a table and a function on its stream."""

    def __init__(self, aws: LocalAws, stack: ExitStack) -> None:
        self.name = f"stream-{next(_numbers)}"
        self.app = Chalice(self.name)
        self.aws = aws
        self.dynamodb, self.sqs = aws.client("dynamodb"), aws.client("sqs")
        self._stack = stack
        keys = {"pk": "HASH", "sk": "RANGE"}
        self.dynamodb.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )

    def on_changes(self, memory: Memory, **options: Any) -> None:
        @self.app.on_dynamodb_record(stream_arn=stream_arn(self.name), **options)
        def on_change(event: Any) -> Any:
            return memory(event)

    def runtime(self, faults: Faults, says: EventSourceMapping) -> Runtime:
        return Runtime(self.app, self.aws.client, mapping_of=lambda function: says, faults=faults, pace=QUICK)

    def run(self, faults: Faults = Faults(), **says: Any) -> Runtime:  # noqa: B008 - frozen
        return self._stack.enter_context(self.runtime(faults, EventSourceMapping(**says)))

    def put(self, *names: str, sk: str = "record", value: str = "1") -> None:
        for name in names:
            item = {"pk": {"S": name}, "sk": {"S": sk}, "value": {"S": value}}
            self.dynamodb.put_item(TableName=self.name, Item=item)


@pytest.fixture
def bench(aws: LocalAws) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(aws, stack)


def test_changes_come_in_lambdas_shape_with_both_images(bench: Bench) -> None:
    memory = Memory()
    bench.on_changes(memory, starting_position="TRIM_HORIZON")
    runtime = bench.run()
    bench.put("a", value="1")
    bench.put("a", value="2")
    bench.dynamodb.delete_item(TableName=bench.name, Key={"pk": {"S": "a"}, "sk": {"S": "record"}})
    runtime.wait_until_idle()

    records = [record for event in memory.events for record in event["Records"]]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert {record["eventSource"] for record in records} == {"aws:dynamodb"}
    assert {record["eventSourceARN"].partition("/stream/")[0] for record in records} == {
        f"arn:aws:dynamodb:eu-west-1:123456789012:table/{bench.name}"
    }
    images = [(one["dynamodb"].get("OldImage"), one["dynamodb"].get("NewImage")) for one in records]
    values = [tuple(image and image["value"]["S"] for image in pair) for pair in images]
    assert values == [(None, "1"), ("1", "2"), ("2", None)]


def test_only_what_the_filter_lets_through_reaches_the_function_and_keeps_nobody_waiting(
    bench: Bench,
) -> None:
    memory = Memory()
    bench.on_changes(memory)
    runtime = bench.run(pattern=RECORDS)
    bench.put("a", sk="entry")
    runtime.wait_until_idle()
    bench.put("b")
    runtime.wait_until_idle()
    assert memory.batches == [["b"]]


def test_a_function_that_writes_to_its_own_table_comes_to_rest(bench: Bench) -> None:
    memory = Memory(reply=lambda names, calls: bench.put(*names, sk="entry", value=str(calls)))
    bench.on_changes(memory)
    runtime = bench.run(pattern=RECORDS)
    bench.put("a")
    runtime.wait_until_idle()
    assert memory.batches == [["a"]]


def test_from_the_horizon_everything_is_read_and_from_the_latest_what_is_new(bench: Bench) -> None:
    all_there_is, news = Memory(), Memory()
    bench.put("old")

    @bench.app.on_dynamodb_record(stream_arn=stream_arn(bench.name), starting_position="TRIM_HORIZON")
    def from_the_horizon(event: Any) -> None:
        all_there_is(event)

    @bench.app.on_dynamodb_record(stream_arn=stream_arn(bench.name), starting_position="LATEST")
    def from_the_latest(event: Any) -> None:
        news(event)

    runtime = bench.run()
    bench.put("new")
    runtime.wait_until_idle()
    assert [name for batch in all_there_is.batches for name in batch] == ["old", "new"]
    assert news.batches == [["new"]]


def test_batches_are_filled_up_to_their_size(bench: Bench) -> None:
    memory = Memory()
    bench.put(*"abcde")
    bench.on_changes(memory, batch_size=2, starting_position="TRIM_HORIZON")
    bench.run().wait_until_idle()
    assert memory.batches == [["a", "b"], ["c", "d"], ["e"]]


def failing(*bad: str, times: int = 1_000_000) -> Callable[[list[str], int], None]:
    def reply(names: list[str], calls: int) -> None:
        if calls < times and set(names) & set(bad):
            raise RuntimeError("told to fail")

    return reply


def test_a_batch_that_fails_comes_again_whole_and_before_what_follows(bench: Bench) -> None:
    memory = Memory(reply=failing("a", times=2))
    bench.put(*"abc")
    bench.on_changes(memory, batch_size=2, starting_position="TRIM_HORIZON")
    bench.run().wait_until_idle()
    assert memory.batches == [["a", "b"], ["a", "b"], ["a", "b"], ["c"]]


def test_a_reported_failure_brings_the_rest_of_the_batch_again(bench: Bench) -> None:
    def reply(names: list[str], calls: int) -> Any:
        if calls:
            return None
        third = memory.events[0]["Records"][2]["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": third}]}

    memory = Memory(reply=reply)
    bench.put(*"abcd")
    bench.on_changes(memory, starting_position="TRIM_HORIZON")
    bench.run(partial_batches=True).wait_until_idle()
    assert memory.batches == [["a", "b", "c", "d"], ["c", "d"]]


def test_a_bad_record_is_found_by_halving_and_told_to_the_failure_queue(bench: Bench) -> None:
    memory = Memory(reply=failing("bad"))
    url = bench.sqs.create_queue(QueueName=f"{bench.name}-dead")["QueueUrl"]
    queue = f"arn:aws:sqs:eu-west-1:123456789012:{bench.name}-dead"
    bench.put("a", "b", "bad", "c")
    bench.on_changes(memory, starting_position="TRIM_HORIZON")
    bench.run(bisect=True, retries=1, on_failure=queue).wait_until_idle()

    assert memory.batches[1:] == [["a", "b"], ["bad", "c"], ["bad"], ["bad"], ["c"]]
    [message] = bench.sqs.receive_message(QueueUrl=url)["Messages"]
    told = json.loads(message["Body"])["DDBStreamBatchInfo"]
    bad = memory.events[3]["Records"][0]["dynamodb"]["SequenceNumber"]
    assert (told["startSequenceNumber"], told["endSequenceNumber"]) == (bad, bad)
    iterator = bench.aws.client("dynamodbstreams").get_shard_iterator(
        StreamArn=told["streamArn"],
        ShardId=told["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=bad,
    )["ShardIterator"]
    found = bench.aws.client("dynamodbstreams").get_records(ShardIterator=iterator, Limit=1)["Records"]
    assert [one["dynamodb"]["Keys"]["pk"]["S"] for one in found] == ["bad"]


def test_what_a_stopped_runtime_had_not_done_its_successor_does(bench: Bench) -> None:
    memory = Memory()
    bench.on_changes(memory, starting_position="TRIM_HORIZON")
    with bench.runtime(Faults(), EventSourceMapping()) as runtime:
        bench.put("a")
        runtime.wait_until_idle()
    bench.put("b")
    bench.run().wait_until_idle()
    assert memory.batches == [["a"], ["b"]]


def test_a_table_without_a_stream_is_refused_with_a_sentence(bench: Bench) -> None:
    @bench.app.on_dynamodb_record(stream_arn=stream_arn("nowhere"))
    def on_change(event: Any) -> None:
        """Never called."""

    with pytest.raises(ValueError, match="'nowhere' has no stream"):
        bench.run()


# ── misbehaviour ─────────────────────────────────────────────────────────────────────────────
def test_duplicated_changes_come_again(bench: Bench) -> None:
    memory = Memory()
    bench.put("a")
    bench.on_changes(memory, starting_position="TRIM_HORIZON")
    bench.run(Faults(duplicate=1)).wait_until_idle()
    assert memory.batches == [["a"], ["a"]]


def test_reordered_changes_come_again_after_their_successors(bench: Bench) -> None:
    memory = Memory()
    bench.put(*"ab")
    bench.on_changes(memory, batch_size=1, starting_position="TRIM_HORIZON")
    bench.run(Faults(reorder=1)).wait_until_idle()
    assert memory.batches == [["a"], ["b"], ["a"]]


def test_after_a_crash_the_batch_comes_again(bench: Bench) -> None:
    memory = Memory()
    bench.put("a")
    bench.on_changes(memory, starting_position="TRIM_HORIZON")
    bench.run(Faults(crash=1), retries=2).wait_until_idle()
    assert memory.batches == [["a"], ["a"], ["a"]]
