from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.moto_server import LocalAws
from tests.local.small_app import Bench


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture
def bench(aws: LocalAws) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(aws, stack)
