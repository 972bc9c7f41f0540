"""Cursors lead back to where they were made, and nothing else does."""

from __future__ import annotations

import pytest

from chalicelib.api import cursors
from chalicelib.errors import BadRequest


def anything(_: str) -> bool:
    return True


@pytest.mark.parametrize(
    "after", ["01JD3Y7V4M8B5WZ0QX6T2K9RCA", "a", "ab", "abc", "café crème", "猫", "x" * 1024]
)
def test_a_cursor_leads_back_and_fits_into_a_url(after: str) -> None:
    cursor = cursors.encode(after)
    assert cursor is not None
    assert cursors.decode(cursor, anything) == after
    assert len(cursor) <= cursors.LONGEST
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_no_place_has_no_cursor() -> None:
    assert cursors.encode(None) is None
    assert cursors.decode(None, anything) is None


@pytest.mark.parametrize("cursor", ["!", "a", "Zm9v=", "Zm 9v", "Zm9\n", "Zm9w", "é", "\ud800", "_w", "Zh"])
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest) as refused:
        cursors.decode(cursor, lambda after: after == "foo")
    assert refused.value.code == "bad-cursor"
