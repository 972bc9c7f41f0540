"""Tokens as they are kept."""

from __future__ import annotations

import pytest

from chalicelib.access.tokens import DAY_SECONDS, MOST, Tokens
from chalicelib.errors import BadRequest, Conflict, NotFound, Unauthorized
from chalicelib.expressions import Item, Key
from chalicelib.ids import rfc3339
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(FakeTable(), clock)  # type: ignore[arg-type]  # held to Table's contract


def test_a_token_is_recognised_by_its_text(tokens: Tokens) -> None:
    token, text = tokens.issue("anna", ["write", "read"], days=30, name="laptop")
    assert tokens.recognise(text) == token
    assert (token.owner, token.scopes, token.name) == ("anna", ("read", "write"), "laptop")


def test_two_tokens_never_have_the_same_text(tokens: Tokens) -> None:
    texts = {tokens.issue("anna", ["read"], days=1)[1].rpartition(".")[2] for _ in range(20)}
    assert len(texts) == 20
    assert all(len(text) == 43 for text in texts)  # 32 bytes in base64url


@pytest.mark.parametrize(
    "owner", ["", "Anna", "a#b", "a/b", "a.b", "~a", "-a", "a-", "a" * 41, "ä", "anna\n"]
)
def test_an_owners_name_fits_into_keys_and_tokens(tokens: Tokens, owner: str) -> None:
    with pytest.raises(BadRequest):
        tokens.issue(owner, ["read"], days=1)


@pytest.mark.parametrize(
    "text", ["", "x", "...", "sightline.anna", "sightline.a#b.x.y", "sightline.anna.x.\ud800"]
)
def test_nonsense_is_nobodys_token(tokens: Tokens, text: str) -> None:
    with pytest.raises(Unauthorized):
        tokens.recognise(text)


def test_the_last_second_counts(tokens: Tokens, clock: Clock) -> None:
    _, text = tokens.issue("anna", ["read"], days=1)
    clock.forward(DAY_SECONDS - 1)
    tokens.recognise(text)
    clock.forward(1)
    with pytest.raises(Unauthorized):
        tokens.recognise(text)
    assert tokens.all("anna") == ()


def test_an_owner_sees_and_revokes_only_their_own(tokens: Tokens) -> None:
    annas, text = tokens.issue("anna", ["read"], days=1)
    berts, _ = tokens.issue("bert", ["read"], days=1)
    assert tokens.all("anna") == (annas,)
    with pytest.raises(NotFound):
        tokens.get("anna", berts.id)
    tokens.revoke(annas)
    with pytest.raises(Unauthorized):
        tokens.recognise(text)
    assert tokens.all("bert") == (berts,)


def test_an_owner_may_have_a_hundred(tokens: Tokens) -> None:
    for _ in range(MOST):
        tokens.issue("anna", ["read"], days=1)
    with pytest.raises(Conflict):
        tokens.issue("anna", ["read"], days=1)


def test_the_hour_of_its_last_use_is_noted_by_one_write_in_each(clock: Clock) -> None:
    table = FakeTable()
    tokens = Tokens(table, clock)  # type: ignore[arg-type]
    _, text = tokens.issue("anna", ["read"], days=1)
    assert tokens.all("anna")[0].last_used_at == ""
    written = len(table.transactions)
    for _ in range(5):
        tokens.recognise(text)
    assert len(table.transactions) == written + 1
    assert tokens.all("anna")[0].last_used_at == rfc3339(clock() // 3600 * 3600)
    clock.forward(3600)
    tokens.recognise(text)
    assert len(table.transactions) == written + 2


def test_a_use_that_cannot_be_noted_shuts_nobody_out_and_brings_back_no_token(clock: Clock) -> None:
    table = FakeTable()
    tokens = Tokens(table, clock)  # type: ignore[arg-type]
    token, text = tokens.issue("anna", ["read"], days=1)
    genuine = table.get

    def get(key: Key) -> Item | None:
        """It is revoked the moment after it was read."""
        item = genuine(key)
        table.get = genuine  # type: ignore[method-assign]
        tokens.revoke(token)
        return item

    table.get = get  # type: ignore[method-assign]
    assert tokens.recognise(text).id == token.id
    assert tokens.all("anna") == ()
