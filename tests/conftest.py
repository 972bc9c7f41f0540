"""What every test may ask for. The environment is set before anything imports the app."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
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
