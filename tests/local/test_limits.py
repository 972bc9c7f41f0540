"""The limits as AWS's documentation has them, and what the fake table makes of them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import Unavailable
from chalicelib.expressions import Delete, Key, Put, Update
from chalicelib.table import Table
from local.limits import ITEM_BYTES, OverLimit, item_bytes, write_units
from tests.fakes.clock import Clock
from tests.fakes.dynamodb import FakeDynamo
from tests.fakes.pressure import TRANSACTION_SECONDS, Pressure
from tests.fakes.table import FakeTable
from tests.ground.test_table import served

A, B = Key("p", "a"), Key("p", "b")


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"name": "text"}, 8),
        ({"ü": "ü"}, 4),
        ({"n": 7}, 3),
        ({"n": 1234}, 4),
        ({"n": -12345}, 6),
        ({"yes": True}, 4),
        ({"b": b"12345"}, 6),
    ],
)
def test_an_items_size_counts_its_names(item: Any, size: int) -> None:
    assert item_bytes(item) == size


def test_a_write_costs_a_unit_a_kilobyte_and_two_in_a_transaction() -> None:
    assert [write_units(size) for size in (0, 1, 1024, 1025)] == [1, 1, 1, 2]
    assert write_units(1025, in_transaction=True) == 4


@pytest.mark.parametrize("key", [Key("", "x"), Key("x", ""), Key("p" * 2049, "x"), Key("p", "ü" * 513)])
def test_a_key_that_is_too_long_or_empty_is_refused(key: Key) -> None:
    table = FakeTable()
    with pytest.raises(OverLimit):
        table.get(key)
    with pytest.raises(OverLimit):
        table.write(Put(key, {}))


def test_an_item_may_grow_to_400_kilobytes_and_no_further() -> None:
    table = FakeTable()
    room = ITEM_BYTES - item_bytes({"pk": "p", "sk": "a", "body": b""})
    table.write(Put(A, {"body": b"x" * room}))
    with pytest.raises(OverLimit, match="Item size has exceeded"):
        table.transact([Put(B, {}), Update(A, set={"n": 1})])
    with pytest.raises(OverLimit):
        table.write_many([Put(A, {"body": b"x" * (room + 1)})])
    assert table.get(B) is None


# ── much at a time ───────────────────────────────────────────────────────────────────────────
class Stage:
    """A table under pressure: who writes, and when, is the test's to say."""

    def __init__(self, **limits: Any) -> None:
        self.clock = Clock()
        self.who: str | None = "one"
        self.pressure = Pressure(self.clock, lambda: self.who, **limits)
        self.dynamo = FakeDynamo(FakeTable(self.clock), self.pressure)
        self.slept: list[float] = []
        self.client = served(self.dynamo, boto3.client("dynamodb", region_name="eu-west-1"))
        self.table = Table(self.client, "t", sleep=self.slept.append)

    def refused(self, write: Any) -> str:
        """What a call is refused with when its caller has no time to wait."""
        before = dict(self.pressure.refused)
        try:
            write()
        except (Unavailable, ClientError):
            now = self.pressure.refused
            return next(code for code in now if now[code] != before.get(code, 0))
        return ""


@pytest.fixture
def stage(aws_credentials: None) -> Stage:
    return Stage()


def test_transactions_that_meet_conflict_and_one_after_the_other_do_not(stage: Stage) -> None:
    both = [Put(A, {"x": 1}), Put(B, {"x": 1})]
    stage.table.transact(both)
    stage.who = "another"
    assert stage.refused(lambda: stage.table.transact(both)) == "TransactionConflict"
    assert stage.refused(lambda: stage.table.write(Delete(A))) == "TransactionConflict"
    assert stage.refused(lambda: stage.table.write(Put(Key("p", "elsewhere"), {}))) == ""
    stage.clock.forward(TRANSACTION_SECONDS)
    assert stage.refused(lambda: stage.table.transact(both)) == ""


def test_single_writes_of_an_item_do_not_conflict(stage: Stage) -> None:
    stage.table.write(Put(A, {"x": 1}))
    stage.who = "another"
    assert stage.refused(lambda: stage.table.write(Put(A, {"x": 2}))) == ""


@pytest.mark.slow
def test_a_partition_takes_a_thousand_units_a_second(stage: Stage) -> None:
    large = {"body": b"x" * 100 * 1024}  # 101 units
    for number in range(9):
        stage.table.write(Put(Key("p", str(number)), large))
    assert stage.refused(lambda: stage.table.write(Put(A, large))) == "ThrottlingError"
    assert stage.refused(lambda: stage.table.write(Put(Key("q", "a"), large))) == ""
    stage.clock.forward(0.1)
    assert stage.refused(lambda: stage.table.write(Put(A, large))) == ""


def test_of_a_batch_what_is_too_much_is_left_undone(stage: Stage) -> None:
    names = [str(number) for number in range(20)]
    items = [{"pk": {"S": "p"}, "sk": {"S": name}, "body": {"B": b"x" * 90 * 1024}} for name in names]
    left = [{"PutRequest": {"Item": item}} for item in items]
    rounds = 0
    while left:
        answer = stage.client.batch_write_item(RequestItems={"t": left})
        left = answer["UnprocessedItems"].get("t", [])
        stage.clock.forward(0.5)
        rounds += 1
    assert rounds > 1
    assert len(stage.table.query("p", limit=50)) == 20


def test_what_nobody_does_is_let_through(stage: Stage) -> None:
    stage.table.transact([Put(A, {}), Put(B, {})])
    stage.who = None
    stage.table.transact([Put(A, {"x": 1}), Put(B, {"x": 1})])
    assert not stage.pressure.refused


# ── an index that lags ───────────────────────────────────────────────────────────────────────
def test_the_index_shows_what_was_for_a_while() -> None:
    clock = Clock()
    table = FakeTable(clock, index_lag=1.0)

    def due() -> list[str]:
        return [key.sk for key in table.due("s", until="9", limit=9)]

    table.write(Put(A, {"due_shard": "s", "due_at": "1"}))
    assert due() == []
    clock.forward(1)
    assert due() == ["a"]
    table.write(Update(A, remove=["due_shard", "due_at"]))
    assert due() == ["a"]
    clock.forward(1)
    assert due() == []
