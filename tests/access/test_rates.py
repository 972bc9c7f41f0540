"""So many requests a minute for each owner."""

from __future__ import annotations

import pytest

from chalicelib.access.rates import Allowance, Rates
from chalicelib.errors import TooManyRequests
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable

START = 1_790_000_040.0  # a full minute


def test_a_minute_holds_as_many_as_are_allowed_and_the_next_one_as_many_again() -> None:
    clock = Clock(START)
    rates = Rates(FakeTable(), clock, 3)  # type: ignore[arg-type]
    assert [rates.take("anna") for _ in range(3)] == [Allowance(3, left, 60) for left in (2, 1, 0)]
    clock.forward(59)
    with pytest.raises(TooManyRequests) as refused:
        rates.take("anna")
    assert refused.value.retry_after == 1
    clock.forward(1)
    assert rates.take("anna") == Allowance(3, 2, 60)


def test_the_seconds_of_a_request_that_waits_count_like_requests() -> None:
    rates = Rates(FakeTable(), Clock(START), 3)  # type: ignore[arg-type]
    rates.take("anna")
    assert [rates.take_second("anna") for _ in range(3)] == [True, True, False]
    with pytest.raises(TooManyRequests):
        rates.take("anna")


def test_owners_do_not_use_up_each_others() -> None:
    rates = Rates(FakeTable(), Clock(), 1)  # type: ignore[arg-type]
    rates.take("anna")
    assert rates.take("bert")


def test_every_process_counts_for_all() -> None:
    table, clock = FakeTable(), Clock()
    Rates(table, clock, 1).take("anna")  # type: ignore[arg-type]
    with pytest.raises(TooManyRequests):
        Rates(table, clock, 1).take("anna")  # type: ignore[arg-type]


def test_without_a_limit_nothing_is_written() -> None:
    table = FakeTable()
    assert Rates(table, Clock(), 0).take("anna") is None  # type: ignore[arg-type]
    assert table.query("anna#requests", limit=1) == []
