"""Signing secrets: none that somebody was told is lost, however many rotate at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from chalicelib.delivery.keyring import MOST_REPLACED, OVERLAP_SECONDS, Keyring, key_of
from chalicelib.expressions import Write
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable


class Racing(FakeTable):
    """Just before the next write somebody else rotates, once."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[str] = []
        self.racing = False

    def write(self, write: Write) -> None:
        if self.racing:
            self.racing = False
            self.others.append(Keyring(self, Clock()).rotate("anna", "owner").current)  # type: ignore[arg-type]
        super().write(write)


def test_a_rotation_that_another_one_meets_is_not_lost() -> None:
    table = Racing()
    keyring = Keyring(table, Clock())  # type: ignore[arg-type]
    first = keyring.get("anna", "owner").current
    table.racing = True
    mine = keyring.rotate("anna", "owner").current
    assert keyring.get("anna", "owner").signing(Clock()()) == [mine, *table.others, first]


def test_of_some_at_once_every_secret_that_was_told_signs() -> None:
    table = FakeTable()
    keyring = Keyring(table, Clock())  # type: ignore[arg-type]
    first = keyring.get("anna", "owner").current
    with ThreadPoolExecutor(MOST_REPLACED) as pool:
        told = list(pool.map(lambda _: keyring.rotate("anna", "owner").current, range(MOST_REPLACED)))
    assert set(keyring.get("anna", "owner").signing(Clock()())) == {first, *told}


def test_what_was_replaced_signs_for_a_day() -> None:
    clock = Clock()
    keyring = Keyring(FakeTable(), clock)  # type: ignore[arg-type]
    first = keyring.get("anna", "owner").current
    second = keyring.rotate("anna", "owner").current
    clock.forward(OVERLAP_SECONDS - 1)
    assert keyring.get("anna", "owner").signing(clock()) == [second, first]
    clock.forward(1)
    assert keyring.get("anna", "owner").signing(clock()) == [second]


def test_owners_and_signers_have_secrets_of_their_own() -> None:
    keyring = Keyring(FakeTable(), Clock())  # type: ignore[arg-type]
    pairs = [("anna", "owner"), ("bert", "owner"), ("anna", "subscription")]
    assert len({keyring.get(*pair).current for pair in pairs}) == len(pairs)
    assert key_of("anna", "owner") != key_of("bert", "owner")
