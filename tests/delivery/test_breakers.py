"""Circuit breakers: by origin and owner, and not for ever; how the worker uses them: test_delivery_worker."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.delivery.breakers import (
    BREAKER_SECONDS,
    GONE,
    OPENS_AT,
    RECEIVER_SECONDS,
    Breaker,
    Breakers,
    Condition,
    Receiver,
)
from chalicelib.delivery.destinations import Destination, Place, origin_of
from chalicelib.table import Table
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable
from tests.ground.test_table import NAME, moto  # noqa: F401 - a fixture


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "moto"])
def breakers(request: pytest.FixtureRequest, clock: Clock) -> Breakers:
    table: Any = FakeTable()
    if request.param == "moto":
        table = Table(request.getfixturevalue("moto"), NAME, sleep=lambda seconds: None)
    return Breakers(table, clock)


def at(url: str, name: str = "callback") -> Place:
    return Destination(name, url, "json", "anna", "owner").place


def fail(breakers: Breakers, place: Place, times: int = OPENS_AT, *, may_pass: bool = True) -> None:
    for _ in range(times):
        breakers.count_failure("anna", place, breakers.of("anna", place), may_pass=may_pass)


def is_open(breakers: Breakers, place: Place, owner: str = "anna") -> bool:
    return not breakers.may_ask(owner, place, breakers.of(owner, place).breaker)


def test_all_receivers_at_an_origin_share_one_breaker(breakers: Breakers) -> None:
    for number in range(OPENS_AT):
        fail(breakers, at(f"https://hook.example/{number}"), times=1)
    assert is_open(breakers, at("https://hook.example/another?x=1"))
    assert is_open(breakers, at("HTTPS://Hook.Example:443/#a"))
    for other in ("http://hook.example/", "https://hook.example:8443/", "https://other.example/"):
        assert not is_open(breakers, at(other))


def test_another_owners_breaker_is_another(breakers: Breakers) -> None:
    place = at("https://hook.example/in")
    fail(breakers, place)
    assert not is_open(breakers, place, "bert")


def test_a_receiver_that_is_gone_takes_no_other_of_its_origin_along(breakers: Breakers) -> None:
    gone, other = at("https://hook.example/a"), at("https://hook.example/b")
    breakers.disable("anna", gone, GONE)
    first, second = breakers.of_each("anna", [gone, other])
    assert (first.receiver.reason, second) == (GONE, Condition())


def test_a_success_closes_the_breaker_for_all_and_a_refusal_too(breakers: Breakers) -> None:
    place = at("https://hook.example/a")
    fail(breakers, place)
    breakers.clear("anna", place)
    assert breakers.of("anna", place) == Condition()
    fail(breakers, place)
    fail(breakers, place, times=1, may_pass=False)
    assert breakers.of("anna", at("https://hook.example/b")).breaker == Breaker()


def test_what_is_known_of_an_origin_expires_before_what_is_known_of_a_receiver(
    breakers: Breakers, clock: Clock
) -> None:
    place = at("https://hook.example/a")
    fail(breakers, place)
    breakers.disable("anna", place, GONE)
    clock.forward(BREAKER_SECONDS - 1)
    assert breakers.of("anna", place).breaker.failed == OPENS_AT
    clock.forward(1)
    assert breakers.of("anna", place).breaker == Breaker()
    assert breakers.of("anna", place).receiver.disabled_at
    clock.forward(RECEIVER_SECONDS)
    assert breakers.of("anna", place).receiver == Receiver()


def test_an_origin_is_read_as_it_is_dialled() -> None:
    assert origin_of("https://BÜCHER.example./x") == origin_of("https://xn--bcher-kva.example:443")
    assert origin_of("https://user@host/") == origin_of("no URL") == ""
