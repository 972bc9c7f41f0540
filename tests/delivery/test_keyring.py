"""Signing secrets: none is stored, none that somebody was told is lost, however many rotate at once.

Holds `chalicelib/delivery/root_key.py`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.delivery.keyring import MOST_REPLACED, OVERLAP_SECONDS, Keyring, key_of
from chalicelib.delivery.root_key import RootKey
from chalicelib.errors import Misconfigured
from chalicelib.expressions import Write
from tests.fakes.aws import FakeParameters
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable

ROOT = "sightline-test-signing-root"
KMS_KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f343b09-31126a20"


def keyring_of(table: Any, parameters: FakeParameters, clock: Clock | None = None, key: str = "") -> Keyring:
    """One of another process, which has read nothing yet."""
    return Keyring(table, RootKey(lambda: parameters, ROOT, key), clock or Clock())


class Racing(FakeTable):
    """Just before the next write somebody else rotates, once."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[str] = []
        self.parameters = FakeParameters()
        self.racing = False

    def write(self, write: Write) -> None:
        if self.racing:
            self.racing = False
            self.others.append(keyring_of(self, self.parameters).rotate("anna", "owner").current)
        super().write(write)


class TestRotating:
    def test_a_rotation_that_another_one_meets_is_not_lost(self) -> None:
        table = Racing()
        keyring = keyring_of(table, table.parameters)
        first = keyring.get("anna", "owner").current
        table.racing = True
        mine = keyring.rotate("anna", "owner").current
        assert keyring.get("anna", "owner").signing(Clock()()) == [mine, *table.others, first]

    def test_of_some_at_once_every_secret_that_was_told_signs(self) -> None:
        keyring = keyring_of(FakeTable(), FakeParameters())
        first = keyring.get("anna", "owner").current
        with ThreadPoolExecutor(MOST_REPLACED) as pool:
            told = list(pool.map(lambda _: keyring.rotate("anna", "owner").current, range(MOST_REPLACED)))
        assert set(keyring.get("anna", "owner").signing(Clock()())) == {first, *told}

    def test_what_was_replaced_signs_for_a_day(self) -> None:
        clock = Clock()
        keyring = keyring_of(FakeTable(), FakeParameters(), clock)
        first = keyring.get("anna", "owner").current
        second = keyring.rotate("anna", "owner").current
        clock.forward(OVERLAP_SECONDS - 1)
        assert keyring.get("anna", "owner").signing(clock()) == [second, first]
        clock.forward(1)
        assert keyring.get("anna", "owner").signing(clock()) == [second]

    def test_owners_and_signers_have_secrets_of_their_own(self) -> None:
        keyring = keyring_of(FakeTable(), FakeParameters())
        pairs = [("anna", "owner"), ("bert", "owner"), ("anna", "subscription")]
        assert len({keyring.get(*pair).current for pair in pairs}) == len(pairs)
        assert key_of("anna", "owner") != key_of("bert", "owner")


class TestTheRootKey:
    def test_every_process_derives_the_same_and_asks_once(self) -> None:
        table, parameters = FakeTable(), FakeParameters()
        first = keyring_of(table, parameters).get("anna", "owner")
        asked = parameters.asked
        other = keyring_of(table, parameters)
        with ThreadPoolExecutor(10) as pool:
            told = list(pool.map(lambda _: other.get("anna", "owner"), range(20)))
        assert set(told) == {first}
        assert parameters.asked == asked + 1

    def test_of_two_processes_that_make_it_one_does(self) -> None:
        class Slow(FakeParameters):
            def put_parameter(self, **given: Any) -> Any:
                self.kept.setdefault(ROOT, "0f" * 32)  # another process, in this very moment
                return super().put_parameter(**given)

        table, parameters = FakeTable(), Slow()
        assert keyring_of(table, parameters).get("anna", "owner") == keyring_of(table, parameters).get(
            "anna", "owner"
        )
        assert parameters.kept == {ROOT: "0f" * 32}

    @pytest.mark.parametrize("key", ["", KMS_KEY])
    def test_it_is_encrypted_with_the_stages_key_where_there_is_one(self, key: str) -> None:
        parameters = FakeParameters()
        keyring_of(FakeTable(), parameters, key=key).get("anna", "owner")
        assert parameters.keys == {ROOT: key}

    @pytest.mark.parametrize("kept", ["", "no key", "0f" * 31])
    def test_what_is_no_key_is_not_taken_for_one_and_is_in_no_error(self, kept: str) -> None:
        parameters = FakeParameters()
        parameters.kept[ROOT] = kept
        with pytest.raises(Misconfigured) as raised:
            keyring_of(FakeTable(), parameters).get("anna", "owner")
        assert not kept or kept not in str(raised.value)

    def test_under_another_one_nothing_is_signed_until_the_secret_is_rotated(self) -> None:
        table, parameters = FakeTable(), FakeParameters()
        keyring_of(table, parameters).get("anna", "owner")
        parameters.kept.clear()
        with pytest.raises(Misconfigured, match="rotate"):
            keyring_of(table, parameters).get("anna", "owner")
        rotated = keyring_of(table, parameters).rotate("anna", "owner")
        assert keyring_of(table, parameters).get("anna", "owner").signing(Clock()()) == [rotated.current]
