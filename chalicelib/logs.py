"""Structured logs: one JSON object a line, with context fields such as the image id.

``with about(image_id=…):`` adds a field to every line inside, in this thread and in threads that run in a
copy of its context.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_about: ContextVar[dict[str, str]] = ContextVar("about", default={})  # noqa: B039 - never changed in place


@contextmanager
def about(**names: str) -> Iterator[None]:
    """Add the fields ``names`` to every line until the block ends; empty ones are left out."""
    before = _about.set({**_about.get(), **{name: value for name, value in names.items() if value}})
    try:
        yield
    finally:
        _about.reset(before)


def add(**names: str) -> None:
    """Add the fields ``names`` until the surrounding block of :func:`about` ends."""
    _about.set({**_about.get(), **names})


class JsonFormatter(logging.Formatter):
    """Formats a line: ``time``, ``level``, ``logger``, ``message``, context fields, ``exception`` if any.

    The members of ``extra={"fields": …}`` in a logging call are added.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_about.get(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(log: logging.Logger, level: str) -> None:
    """Make ``log``, and all loggers below it, write JSON to standard output from ``level`` on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    log.handlers[:] = [handler]
    log.propagate = False
    log.setLevel(level)
    log.getChild("metrics").setLevel(logging.INFO)  # metrics are written at every log level
