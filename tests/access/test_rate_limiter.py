"""So many requests in any minute for each owner."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.access.rate_limiter import Allowance, RateLimiter
from chalicelib.errors import TooManyRequests
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable

START = 1_790_000_040.0  # a full minute


def taken(limiter: RateLimiter, times: int) -> int:
    """How many of so many requests were let in."""
    return sum(limiter.take_second("anna") for _ in range(times))


def test_a_minute_holds_as_many_as_are_allowed_and_says_when_they_come_back() -> None:
    clock = Clock(START)
    limiter = RateLimiter(FakeTable(), clock, 3)  # type: ignore[arg-type]
    assert [limiter.take("anna") for _ in range(3)] == [Allowance(3, left, 61) for left in (2, 1, 0)]
    clock.forward(59)
    with pytest.raises(TooManyRequests) as refused:
        limiter.take("anna")
    assert refused.value.retry_after == 2
    clock.forward(2)
    assert limiter.take("anna") == Allowance(3, 1, 59)  # the one that was refused counts


def test_the_minute_slides() -> None:
    clock = Clock(START + 58)
    limiter = RateLimiter(FakeTable(), clock, 10)  # type: ignore[arg-type]
    assert taken(limiter, 10) == 10
    for _ in range(12):  # to the end of the clock's minute and beyond: nothing begins anew
        clock.forward(5)
        assert taken(limiter, 10) == 0
    clock.forward(1)
    assert taken(limiter, 20) == 9  # besides the one that was refused first


def test_who_comes_too_early_again_and_again_is_let_in_when_it_was_told() -> None:
    clock = Clock(START)
    limiter = RateLimiter(FakeTable(), clock, 10)  # type: ignore[arg-type]
    assert taken(limiter, 1000) == 10
    clock.forward(60)
    assert taken(limiter, 1000) == 0
    clock.forward(1)
    assert taken(limiter, 1000) == 10


def test_a_hundred_and_sixty_at_once_are_counted_each() -> None:
    table, clock = FakeTable(), Clock(START)
    containers = [RateLimiter(table, clock, 50) for _ in range(8)]  # type: ignore[arg-type]
    with ThreadPoolExecutor(32) as pool:
        let_in = list(pool.map(lambda at: containers[at % 8].take_second("anna"), range(160)))
    assert sum(let_in) == 50


def test_the_seconds_of_a_request_that_waits_count_like_requests() -> None:
    limiter = RateLimiter(FakeTable(), Clock(START), 3)  # type: ignore[arg-type]
    limiter.take("anna")
    assert [limiter.take_second("anna") for _ in range(3)] == [True, True, False]
    with pytest.raises(TooManyRequests):
        limiter.take("anna")


def test_owners_do_not_use_up_each_others() -> None:
    limiter = RateLimiter(FakeTable(), Clock(), 1)  # type: ignore[arg-type]
    limiter.take("anna")
    assert limiter.take("bert")


def test_every_process_counts_for_all() -> None:
    table, clock = FakeTable(), Clock()
    RateLimiter(table, clock, 1).take("anna")  # type: ignore[arg-type]
    with pytest.raises(TooManyRequests):
        RateLimiter(table, clock, 1).take("anna")  # type: ignore[arg-type]


def test_without_a_limit_nothing_is_written() -> None:
    table = FakeTable()
    assert RateLimiter(table, Clock(), 0).take("anna") is None  # type: ignore[arg-type]
    assert table.query("anna#requests", limit=1) == []
