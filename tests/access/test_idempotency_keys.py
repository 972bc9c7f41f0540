"""Idempotency keys: held, answered, taken over, freed."""

from __future__ import annotations

import pytest

from chalicelib.access.idempotency_keys import KEPT_SECONDS, LEASE_SECONDS, PATIENCE_SECONDS, IdempotencyKeys
from chalicelib.errors import Busy, KeyReused
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> IdempotencyKeys:
    return IdempotencyKeys(FakeTable(), clock, clock.forward)  # type: ignore[arg-type]  # held to Table's contract


def test_a_repeat_finds_the_answer(keys: IdempotencyKeys) -> None:
    claim = keys.claim("anna", "key", b"body")
    assert claim.answer is None
    keys.keep(claim, {"status": 201})
    assert keys.claim("anna", "key", b"body").answer == {"status": 201}


def test_another_body_is_refused_before_and_after_the_answer(keys: IdempotencyKeys) -> None:
    claim = keys.claim("anna", "key", b"body")
    with pytest.raises(KeyReused):
        keys.claim("anna", "key", b"other")
    keys.keep(claim, {})
    with pytest.raises(KeyReused):
        keys.claim("anna", "key", b"other")


def test_the_same_key_of_another_owner_is_another_key(keys: IdempotencyKeys) -> None:
    keys.keep(keys.claim("anna", "key", b"body"), {"status": 201})
    assert keys.claim("bert", "key", b"other").answer is None


def test_a_repeat_waits_for_the_first_and_not_for_ever(keys: IdempotencyKeys, clock: Clock) -> None:
    keys.claim("anna", "key", b"body")
    before = clock()
    with pytest.raises(Busy):
        keys.claim("anna", "key", b"body")
    assert clock() - before == pytest.approx(PATIENCE_SECONDS)


def test_who_takes_over_from_a_crash_makes_the_same_thing(keys: IdempotencyKeys, clock: Clock) -> None:
    first = keys.claim("anna", "key", b"body")
    clock.forward(LEASE_SECONDS)
    second = keys.claim("anna", "key", b"body")
    assert (second.made_id, second.answer) == (first.made_id, None)


def test_a_request_of_unknown_outcome_is_taken_over_at_once(keys: IdempotencyKeys, clock: Clock) -> None:
    first = keys.claim("anna", "key", b"body")
    keys.give_back(first)
    before = clock()
    assert keys.claim("anna", "key", b"body").made_id == first.made_id
    assert clock() == before


def test_a_refused_request_leaves_its_key_free(keys: IdempotencyKeys) -> None:
    first = keys.claim("anna", "key", b"wrong")
    keys.forget(first)
    assert keys.claim("anna", "key", b"right").made_id != first.made_id


def test_who_was_overtaken_neither_frees_nor_answers_the_key(keys: IdempotencyKeys, clock: Clock) -> None:
    first = keys.claim("anna", "key", b"body")
    clock.forward(LEASE_SECONDS)
    second = keys.claim("anna", "key", b"body")
    keys.forget(first)
    keys.keep(first, {"by": "first"})
    keys.keep(second, {"by": "second"})
    assert keys.claim("anna", "key", b"body").answer == {"by": "second"}


def test_after_a_day_the_key_is_new_even_where_nobody_removed_it(keys: IdempotencyKeys, clock: Clock) -> None:
    keys.keep(keys.claim("anna", "key", b"body"), {"status": 201})
    clock.forward(KEPT_SECONDS)
    again = keys.claim("anna", "key", b"other")
    assert again.answer is None
    keys.keep(again, {"status": 201})
    assert keys.claim("anna", "key", b"other").answer == {"status": 201}
