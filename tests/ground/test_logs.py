"""What a line of the log says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from chalicelib import logs


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    log = logging.getLogger("a-logger-of-its-own")
    yield log
    log.handlers.clear()


def test_a_line_says_what_the_work_is_about(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(log, "INFO")

    with logs.about(request_id="r-1"):
        with logs.about(key="uploads/ä.jpg", image_id=""):
            log.getChild("labelling").warning("left on the queue: %r", "x")
        log.info("done")

    inner, outer = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (inner["level"], inner["logger"]) == ("WARNING", "a-logger-of-its-own.labelling")
    assert inner["message"] == "left on the queue: 'x'"
    assert (inner["request_id"], inner["key"], "image_id" in inner) == ("r-1", "uploads/ä.jpg", False)
    assert (outer["request_id"], "key" in outer) == ("r-1", False)


def test_an_exception_stays_on_its_line(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(log, "ERROR")

    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("broken")
    log.warning("not told")

    [line] = capsys.readouterr().out.splitlines()
    assert "ValueError: two" in json.loads(line)["exception"]
