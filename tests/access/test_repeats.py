"""Idempotency keys: held, answered, taken over, freed."""

from __future__ import annotations

import pytest

from chalicelib.access.repeats import KEPT_SECONDS, LEASE_SECONDS, PATIENCE_SECONDS, Repeats
from chalicelib.errors import Busy, KeyReused
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def repeats(clock: Clock) -> Repeats:
    return Repeats(FakeTable(), clock, clock.forward)  # type: ignore[arg-type]  # held to Table's contract


def test_a_repeat_finds_the_answer(repeats: Repeats) -> None:
    claim = repeats.claim("anna", "key", b"body")
    assert claim.answer is None
    repeats.keep(claim, {"status": 201})
    assert repeats.claim("anna", "key", b"body").answer == {"status": 201}


def test_another_body_is_refused_before_and_after_the_answer(repeats: Repeats) -> None:
    claim = repeats.claim("anna", "key", b"body")
    with pytest.raises(KeyReused):
        repeats.claim("anna", "key", b"other")
    repeats.keep(claim, {})
    with pytest.raises(KeyReused):
        repeats.claim("anna", "key", b"other")


def test_the_same_key_of_another_owner_is_another_key(repeats: Repeats) -> None:
    repeats.keep(repeats.claim("anna", "key", b"body"), {"status": 201})
    assert repeats.claim("bert", "key", b"other").answer is None


def test_a_repeat_waits_for_the_first_and_not_for_ever(repeats: Repeats, clock: Clock) -> None:
    repeats.claim("anna", "key", b"body")
    before = clock()
    with pytest.raises(Busy):
        repeats.claim("anna", "key", b"body")
    assert clock() - before == pytest.approx(PATIENCE_SECONDS)


def test_who_takes_over_from_a_crash_makes_the_same_thing(repeats: Repeats, clock: Clock) -> None:
    first = repeats.claim("anna", "key", b"body")
    clock.forward(LEASE_SECONDS)
    second = repeats.claim("anna", "key", b"body")
    assert (second.made_id, second.answer) == (first.made_id, None)


def test_a_request_of_unknown_outcome_is_taken_over_at_once(repeats: Repeats, clock: Clock) -> None:
    first = repeats.claim("anna", "key", b"body")
    repeats.give_back(first)
    before = clock()
    assert repeats.claim("anna", "key", b"body").made_id == first.made_id
    assert clock() == before


def test_a_refused_request_leaves_its_key_free(repeats: Repeats) -> None:
    first = repeats.claim("anna", "key", b"wrong")
    repeats.forget(first)
    assert repeats.claim("anna", "key", b"right").made_id != first.made_id


def test_who_was_overtaken_neither_frees_nor_answers_the_key(repeats: Repeats, clock: Clock) -> None:
    first = repeats.claim("anna", "key", b"body")
    clock.forward(LEASE_SECONDS)
    second = repeats.claim("anna", "key", b"body")
    repeats.forget(first)
    repeats.keep(first, {"by": "first"})
    repeats.keep(second, {"by": "second"})
    assert repeats.claim("anna", "key", b"body").answer == {"by": "second"}


def test_after_a_day_the_key_is_new_even_where_nobody_removed_it(repeats: Repeats, clock: Clock) -> None:
    repeats.keep(repeats.claim("anna", "key", b"body"), {"status": 201})
    clock.forward(KEPT_SECONDS)
    again = repeats.claim("anna", "key", b"other")
    assert again.answer is None
    repeats.keep(again, {"status": 201})
    assert repeats.claim("anna", "key", b"other").answer == {"status": 201}
