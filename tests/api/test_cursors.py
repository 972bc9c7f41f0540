"""Cursors lead back to where they were made, and nothing else does."""

from __future__ import annotations

import base64

import pytest

from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.errors import BadRequest
from tests.fakes.services import FakeServices

ALPHABET = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.fixture
def cursors(services: FakeServices) -> Cursors:
    return Cursors(services, "me", "images", "cat & dog")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "place", ["01JD3Y7V4M8B5WZ0QX6T2K9RCA", "a", "ab", "abc", "café crème", "猫", "x" * 1024]
)
def test_a_cursor_leads_back_and_fits_into_a_url(cursors: Cursors, place: str) -> None:
    cursor = cursors.encode(place)
    assert cursor is not None
    assert cursors.decode(cursor) == place
    assert len(cursor) <= LONGEST
    assert set(cursor) <= ALPHABET


def test_no_place_has_no_cursor(cursors: Cursors) -> None:
    assert cursors.encode(None) is None
    assert cursors.decode(None) is None


@pytest.mark.parametrize("cursor", ["!", "a", "Zm9v=", "Zm 9v", "Zm9\n", "Zm9w", "é", "\ud800", "_w", "Zh"])
def test_anything_else_is_refused(cursors: Cursors, cursor: str) -> None:
    with pytest.raises(BadRequest) as refused:
        cursors.decode(cursor)
    assert refused.value.code == "bad-cursor"


def test_a_cursor_with_any_bit_turned_is_refused(cursors: Cursors) -> None:
    signed = base64.urlsafe_b64decode((cursors.encode("01JD3Y7V4M8B5WZ0QX6T2K9RCA") or "") + "==")
    for bit in range(len(signed) * 8):
        turned = bytearray(signed)
        turned[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadRequest):
            cursors.decode(base64.urlsafe_b64encode(turned).decode().rstrip("="))


@pytest.mark.parametrize(
    "other", [("you", "images", "cat & dog"), ("me", "images", "cat"), ("me", "labels", "cat & dog")]
)
def test_a_cursor_of_another_owner_or_question_is_refused(
    services: FakeServices, cursors: Cursors, other: tuple[str, ...]
) -> None:
    cursor = cursors.encode("01JD3Y7V4M8B5WZ0QX6T2K9RCA")
    with pytest.raises(BadRequest):
        Cursors(services, *other).decode(cursor)  # type: ignore[arg-type]


def test_every_process_of_a_deployment_reads_the_others_cursors(
    services: FakeServices, cursors: Cursors
) -> None:
    another = FakeServices()
    another.secret = type(services.secret)(services.table)  # type: ignore[arg-type]
    assert Cursors(another, "me", "images", "cat & dog").decode(cursors.encode("x")) == "x"  # type: ignore[arg-type]
