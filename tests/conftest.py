"""What every test may ask for. The environment is set before anything imports the app."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.emulator.emulator import Emulator

ENVIRONMENT = {
    "BUCKET": "test-bucket",
    "TABLE": "test-table",
    "TABLE_STREAM_ARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/test-table/stream/2000",
    "TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:labelled",
    "UPLOADS_QUEUE_URL": "http://127.0.0.1:1/123456789012/uploads",
    "JOBS_QUEUE_URL": "http://127.0.0.1:1/123456789012/jobs",
    "DELIVERIES_QUEUE_URL": "http://127.0.0.1:1/123456789012/deliveries",
    "AUTH": "none",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)

# Where tests share what takes long to start, or an account that moto keeps per process, one worker does them
# all, one after the other. Longest first, or the last one would be waited for.
TOGETHER = (
    r"tests/browser/test_[a-f]",
    r"tests/browser/test_[g-z]",
    r"tests/packaging/",
    r"tests/journeys/",
    r"tests/local/",
    r"tests/operators/test_failures",
    r"tests/emulator/",
    r"tests/torture/",
    r"tests/pipeline/test_killed",
    r"tests/operators/",
    r"tests/intake/test_memory",
)


def unit_of(nodeid: str) -> str:
    """What a test is done with in one go: the tests of one of ``TOGETHER``, or else those of its file."""
    return next((unit for unit in TOGETHER if re.match(unit, nodeid)), nodeid.partition("::")[0])


class UnitScheduling(LoadScopeScheduling):
    """Give each worker a unit at a time, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors: a third of the time is spent waiting for other processes."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> UnitScheduling:
    config.option.loadscopereorder = False
    return UnitScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("nightly") and "NIGHTLY" not in os.environ:
            item.add_marker(pytest.mark.skip(reason="make nightly runs these"))
    if hasattr(config, "workerinput"):
        order = {unit: number for number, unit in enumerate(TOGETHER)}
        items.sort(key=lambda item: order.get(unit_of(item.nodeid), len(order)))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """MiniStack, one for all tests; accounts keep them apart."""
    from tests.emulator.emulator import Emulator  # AWS's client library is not for every test

    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that no AWS account knows."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
