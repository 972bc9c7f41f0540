"""A function's way through a stream, on a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from local.shard import FIRST_NUMBER, Json, Shard, stream_arn
from local.stream_reader import EventSourceMapping, StreamBatch, StreamReader, matches
from tests.fakes.clock import Clock

ARN = stream_arn("t")


class Stream:
    """A shard and a feed that reads it, with what was handed over and what was given up."""

    def __init__(self, **says: Any) -> None:
        self.clock = Clock()
        self.shard = Shard(ARN, ("pk", "sk"), self.clock)
        self.given_up: list[Json] = []
        self.feed = StreamReader(
            "on_change",
            self.shard,
            EventSourceMapping(**says),
            self.clock,
            give_up=self.given_up.append,
            backoff=lambda tries: 2.0**tries,
        )

    def put(self, *names: str, sk: str = "record") -> None:
        for name in names:
            self.shard.note(None, {"pk": {"S": name}, "sk": {"S": sk}})

    def due(self) -> str:
        """The names in the batch that is due, in order; nothing where there is none."""
        self.batch = self.feed.due()
        return names(self.batch)

    def fail(self) -> None:
        assert self.batch
        self.feed.settle(self.batch, failed=True)

    def done(self, reply: Any = None) -> None:
        assert self.batch
        self.feed.settle(self.batch, reply)

    def report(self, *reported: str) -> None:
        assert self.batch
        numbers = {names(StreamBatch((one,))): str(one.number) for one in self.batch.changes}
        self.done({"batchItemFailures": [{"itemIdentifier": numbers[name]} for name in reported]})


def names(batch: StreamBatch | None) -> str:
    return "".join(one.event["dynamodb"]["Keys"]["pk"]["S"] for one in batch.changes) if batch else ""


def test_batches_come_in_order_and_one_at_a_time() -> None:
    stream = Stream(batch_size=2)
    stream.put(*"abc")
    assert stream.due() == "ab"
    assert stream.feed.due() is None
    stream.done()
    assert stream.due() == "c"
    assert not stream.feed.at_rest
    stream.done()
    assert stream.feed.at_rest
    assert stream.due() == ""


def test_a_batch_that_is_not_full_waits_for_its_window() -> None:
    stream = Stream(batch_size=3, window=1.0)
    stream.put("a")
    assert stream.due() == ""
    assert stream.feed.next_moment() == stream.clock() + 1
    stream.clock.forward(0.5)
    stream.put("b")
    assert stream.due() == ""
    stream.clock.forward(0.5)
    assert stream.due() == "ab"


def test_a_full_batch_does_not_wait() -> None:
    stream = Stream(batch_size=2, window=1.0)
    stream.put(*"ab")
    assert stream.due() == "ab"


def test_only_what_the_filter_lets_through_is_handed_over_and_fills_batches() -> None:
    stream = Stream(batch_size=2, pattern={"dynamodb": {"Keys": {"sk": {"S": ["record"]}}}})
    stream.put("x", sk="entry")
    assert stream.feed.at_rest
    stream.put("a")
    stream.put(*"yz", sk="entry")
    stream.put("b")
    assert stream.due() == "ab"


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        (None, True),
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "own"}]}}}}, True),
        ({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "no"}]}}}}, False),
        ({"dynamodb": {"OldImage": {"pk": {"S": ["owner"]}}}}, False),
    ],
)
def test_a_filter_pattern_is_read_as_lambda_reads_it(pattern: Any, passes: bool) -> None:
    event = {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "owner"}}}}
    assert matches(pattern, event) is passes


def test_a_filter_pattern_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="no such filter"):
        matches({"eventName": [{"anything-but": "REMOVE"}]}, {"eventName": "INSERT"})


def test_a_batch_that_fails_comes_again_whole_after_a_while_before_anything_else() -> None:
    stream = Stream(batch_size=2)
    stream.put(*"abc")
    assert stream.due() == "ab"
    stream.fail()
    assert stream.due() == ""
    stream.clock.forward(2)
    assert stream.due() == "ab"
    stream.done()
    assert stream.due() == "c"


def test_from_the_first_reported_record_on_the_batch_comes_again() -> None:
    stream = Stream(partial_batches=True)
    stream.put(*"abcd")
    assert stream.due() == "abcd"
    stream.report("d", "c")
    stream.clock.forward(9)
    assert stream.due() == "cd"
    stream.done({"batchItemFailures": []})
    assert stream.feed.at_rest


def test_numbers_are_compared_as_numbers() -> None:
    stream = Stream(partial_batches=True)
    stream.put(*"abcdefghijkl")  # the eleventh has a digit more than the first
    stream.due()
    stream.report("b", "l")
    stream.clock.forward(9)
    assert stream.due() == "bcdefghijkl"


@pytest.mark.parametrize(
    "reply",
    [
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"name": "1"}]},
        {"batchItemFailures": [{"itemIdentifier": "1"}]},
        ["nonsense"],
    ],
)
def test_a_report_that_makes_no_sense_is_a_failure_of_all(reply: Any) -> None:
    stream = Stream(partial_batches=True)
    stream.put(*"ab")
    stream.due()
    stream.done(reply)
    stream.clock.forward(9)
    assert stream.due() == "ab"


def test_reports_count_only_where_the_mapping_asks_for_them() -> None:
    stream = Stream()
    stream.put("a")
    stream.due()
    stream.report("a")
    assert stream.feed.at_rest


def test_a_batch_that_fails_is_halved_until_the_bad_record_is_alone() -> None:
    stream = Stream(bisect=True, retries=1)
    stream.put(*"abxd")
    seen: list[str] = []
    while due := stream.due():
        seen.append(due)
        if "x" in due:
            stream.fail()
            stream.clock.forward(9)
        else:
            stream.done()
    assert seen == ["abxd", "ab", "xd", "x", "x", "d"]
    assert [one["DDBStreamBatchInfo"]["batchSize"] for one in stream.given_up] == [1]


def test_without_bisecting_the_whole_batch_is_given_up() -> None:
    stream = Stream(retries=2)
    stream.put(*"ax")
    for _ in range(3):
        assert stream.due() == "ax"
        stream.fail()
        stream.clock.forward(99)
    assert stream.feed.at_rest
    [message] = stream.given_up
    assert message["DDBStreamBatchInfo"]["batchSize"] == 2


def test_what_is_given_up_is_told_of_as_lambda_does() -> None:
    stream = Stream(retries=0)
    stream.put(*"ab")
    stream.due()
    stream.fail()
    [message] = stream.given_up
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["requestContext"]["functionArn"].endswith(":function:on_change")
    assert message["requestContext"]["approximateInvokeCount"] == 1
    assert message["DDBStreamBatchInfo"] == {
        "shardId": stream.shard.name,
        "startSequenceNumber": str(FIRST_NUMBER),
        "endSequenceNumber": str(FIRST_NUMBER + 1),
        "approximateArrivalOfFirstRecord": "2026-09-21T14:13:20Z",
        "approximateArrivalOfLastRecord": "2026-09-21T14:13:20Z",
        "batchSize": 2,
        "streamArn": ARN,
    }


def test_what_is_too_old_is_given_up_unseen_and_the_next_goes_on() -> None:
    stream = Stream(batch_size=1, longest_age=60.0)
    stream.put("a")
    stream.clock.forward(61)
    stream.put("b")
    assert stream.due() == "b"
    assert [one["requestContext"]["condition"] for one in stream.given_up] == ["RecordAgeExceeded"]


def test_a_deletion_by_ttl_says_so() -> None:
    shard = Shard(ARN, ("pk",), Clock())
    shard.note({"pk": {"S": "a"}}, None, by_ttl=True)
    [change] = shard.after(0)
    assert change.event["eventName"] == "REMOVE"
    assert change.event["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def test_what_is_older_than_a_day_is_gone() -> None:
    stream = Stream()
    stream.put("a")
    stream.clock.forward(24 * 3600 + 1)
    stream.put("b")
    assert stream.due() == "b"


def test_who_reads_on_begins_where_the_one_before_is_done() -> None:
    stream = Stream(batch_size=1)
    stream.put(*"abc")
    stream.due()
    stream.done()
    stream.due()
    again = StreamReader(
        "on_change", stream.shard, EventSourceMapping(), stream.clock, position=stream.feed.position
    )
    assert names(again.due()) == "bc"
