from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.moto_server import LocalAws
from tests.local.machine import Machine
from tests.local.small_app import Bench


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks moto is not among the quick tests: together that takes half a minute."""
    for item in items:
        if item.nodeid.startswith("tests/local/") and "aws" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture
def bench(aws: LocalAws) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(aws, stack)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.stop()
