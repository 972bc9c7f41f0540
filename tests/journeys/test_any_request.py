"""Hundreds of made-up requests to every route of the running service: no 5xx, nothing undescribed.

What the description allows is not refused for what a schema can say, and what it forbids is refused.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.config import ROOT
from tests.local.process import Process, started

pytestmark = pytest.mark.slow
SEED = "1"
SECONDS = os.environ.get("SCHEMA_SECONDS", "8")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "refused_for_what_a_schema_can_say",  # tests/journeys/schema_hooks.py
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
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.journeys.schema_hooks"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
