"""Our signatures, judged by the two published libraries that receivers use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import standardwebhooks
import svix
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.delivery.signatures import secret_of, sign
from chalicelib.errors import BadRequest

SECRET, OTHER = secret_of(bytes(32)), secret_of(b"o" * 32)
BODY = '{"label": "犬 & dog"}'.encode()
Judge = Callable[[str, dict[str, str], bytes], object]


def now() -> int:
    """Seconds since 1970, asked anew by each test: the verifiers go by the clock, however long the run."""
    return int(datetime.now(UTC).timestamp())


def by_standard_webhooks(secret: str, headers: dict[str, str], body: bytes) -> object:
    return standardwebhooks.Webhook(secret).verify(body, headers)


def by_svix(secret: str, headers: dict[str, str], body: bytes) -> object:
    return svix.Webhook(secret).verify(body, headers)


JUDGES = [by_standard_webhooks, by_svix]
REFUSALS = (standardwebhooks.webhooks.WebhookVerificationError, svix.WebhookVerificationError)


@pytest.mark.parametrize("judge", JUDGES)
def test_a_signed_delivery_is_believed(judge: Judge) -> None:
    judge(SECRET, sign([SECRET], "msg_1", now(), BODY), BODY)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("secret", [SECRET, OTHER], ids=["old", "new"])
def test_while_a_secret_is_replaced_both_are_believed(judge: Judge, secret: str) -> None:
    judge(secret, sign([OTHER, SECRET], "msg_1", now(), BODY), BODY)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(
    "changes",
    [
        lambda at: {"webhook-id": "msg_2"},
        lambda at: {"webhook-timestamp": str(at - 1)},
        lambda at: {"webhook-signature": sign([OTHER], "msg_1", at, BODY)["webhook-signature"]},
        lambda at: {"webhook-signature": "v1,AAAA"},
        lambda at: {"webhook-signature": ""},
    ],
)
def test_a_tampered_header_is_refused(judge: Judge, changes: Callable[[int], dict[str, str]]) -> None:
    at = now()
    with pytest.raises(REFUSALS):
        judge(SECRET, {**sign([SECRET], "msg_1", at, BODY), **changes(at)}, BODY)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"{}"])
def test_a_tampered_body_is_refused(judge: Judge, body: bytes) -> None:
    with pytest.raises(REFUSALS):
        judge(SECRET, sign([SECRET], "msg_1", now(), BODY), body)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("seconds", [-400, 400])
def test_a_delivery_from_another_time_is_refused(judge: Judge, seconds: int) -> None:
    with pytest.raises(REFUSALS):
        judge(SECRET, sign([SECRET], "msg_1", now() + seconds, BODY), BODY)


@given(
    st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.binary(max_size=300)
)
def test_our_signature_is_the_published_library_s(webhook_id: str, body: bytes) -> None:
    at = now()
    moment = datetime.fromtimestamp(at, UTC)
    text = body.decode("latin-1")
    theirs = standardwebhooks.Webhook(SECRET).sign(webhook_id, moment, text)
    assert sign([SECRET], webhook_id, at, text.encode())["webhook-signature"] == theirs


def test_what_is_no_secret_is_refused() -> None:
    with pytest.raises(BadRequest):
        sign(["whsec_***"], "msg_1", now(), BODY)
