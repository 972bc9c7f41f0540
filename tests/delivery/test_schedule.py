"""When a delivery is tried again, and what a receiver's wishes count for."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.delivery import schedule

NOW = 1_790_000_000.0
HOUR = 3600.0


def shortest(low: float, high: float) -> float:
    return low


def longest(low: float, high: float) -> float:
    return high


def test_ten_tries_take_about_three_days() -> None:
    waits = [schedule.wait_after(tries, spread=lambda low, high: 0.0) for tries in range(1, 10)]
    assert waits == [5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
    assert sum(wait or 0 for wait in waits) == pytest.approx(75.6 * HOUR, rel=0.01)
    assert schedule.wait_after(10) is None
    assert schedule.wait_after(11, asked=5) is None


def test_each_wait_is_up_to_a_fifth_shorter_or_longer() -> None:
    assert schedule.wait_after(2, spread=shortest) == pytest.approx(240)
    assert schedule.wait_after(2, spread=longest) == pytest.approx(360)
    assert len({schedule.wait_after(2) for _ in range(50)}) > 40


@pytest.mark.parametrize("spread", [shortest, longest])
def test_who_asks_for_patience_is_never_met_sooner(spread: schedule.Spread) -> None:
    for tries in range(1, 10):
        assert (schedule.wait_after(tries, 900, spread) or 0) >= 900


def test_a_short_pause_asked_for_does_not_use_the_schedule_up() -> None:
    assert schedule.wait_after(4, asked=2, spread=shortest) == pytest.approx(0.8 * 2 * HOUR)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
        (formatdate(NOW + 90).replace("+0000", "-0000"), 90),
        ("86401", 86_400),
        ("9" * 400, 86_400),
        (formatdate(NOW + 1e9, usegmt=True), 86_400),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_clamped_to_a_day(
    value: str | None, seconds: float | None
) -> None:
    assert schedule.retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_whatever_stands_in_retry_after_is_read_or_ignored(value: str) -> None:
    read = schedule.retry_after(value, NOW)
    assert read is None or 0 <= read <= schedule.LONGEST_ASKED
