"""What an answer means for a delivery, and what of it is kept; the rest of sending: test_delivery_worker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.delivery.delivery import Verdict
from chalicelib.delivery.sender import ANSWER_BYTES, beginning_of, verdict_on


@given(st.integers(100, 999))
def test_every_status_has_one_meaning(status: int) -> None:
    verdict = verdict_on(status)
    assert (verdict is Verdict.ARRIVED) == (200 <= status <= 299)
    assert (verdict is Verdict.GONE) == (status == 410)
    assert (verdict is Verdict.NEVER) == (400 <= status <= 499 and status not in (408, 410, 429))


@given(st.binary(max_size=3000))
def test_the_beginning_of_any_answer_can_be_kept_and_shown(body: bytes) -> None:
    text = beginning_of(body)
    assert len(text) <= ANSWER_BYTES
    assert all(char.isprintable() or char in "\t\n\r" for char in text)
