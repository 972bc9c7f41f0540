"""What the offline stack tells on the terminal: whatever clients send stays text on its line."""

from __future__ import annotations

import logging
import sys

from local.__main__ import OneLine

HOSTILE = "a\x1b[2J\r\nGET /admin 200\x07\u202e\u2028"


def told(text: str, *, error: Exception | None = None) -> str:
    try:
        if error:
            raise error
        failed = None
    except Exception:
        failed = sys.exc_info()
    record = logging.LogRecord("sightline.local", logging.INFO, "", 0, "%s", (text,), failed)
    return OneLine("%(message)s").format(record)


def test_control_characters_are_written_out() -> None:
    assert told(HOSTILE) == r"a\x1b[2J\r\nGET /admin 200\x07\u202e\u2028"


def test_those_in_an_error_are_too_and_its_lines_stay() -> None:
    text = told("broke", error=ValueError(HOSTILE))
    assert text.startswith("broke\nTraceback (most recent call last):\n")
    assert all(one.isprintable() or one == "\n" for one in text)
    assert r"a\x1b[2J\r" in text
