from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.moto_server import LocalAws


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running
