"""Hundreds of made-up requests to every route of the running service: no 5xx, nothing undescribed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.process import Process, started

pytestmark = pytest.mark.slow
SEED = "1"
SECONDS = "25"
# Not among them are those that take every rule for a schema's, or every open route for a mistake.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture
def process() -> Iterator[Process]:
    with started() as running:
        yield running


def test_any_request_gets_an_answer_that_is_described(process: Process, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{process.ports[0]}/openapi.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", address]
    options = ["--phases", "examples,fuzzing", "--max-examples", "20", "--seed", SEED]
    bounds = ["--max-time", SECONDS, "--request-timeout", "30", "--continue-on-failure", "--no-color"]

    ran = subprocess.run(  # noqa: S603 - our own
        [*command, *options, *bounds, "--checks", ",".join(CHECKS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
