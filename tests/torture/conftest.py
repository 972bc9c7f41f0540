"""What the torture does to this process's log ends with its test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def own_log_level() -> Iterator[None]:
    """The parts of the torture silence the service's log; other tests of this process read it."""
    log = logging.getLogger("sightline")
    before = log.level
    yield
    log.setLevel(before)
