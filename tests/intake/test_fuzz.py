"""Whatever anybody sends ends as labelled or failed, quickly and in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.intake.fuzz import SEEDLINGS
from tests.thorough import examples

ROOT = Path(__file__).parents[2]
CODES = {"labelled", "not-an-image", "unsupported-type", "too-many-pixels", "truncated", "corrupt", "empty"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDLINGS)
def test_damaged_files_come_to_an_end_and_nothing_else_happens(name: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "error", "-m", "tests.intake.fuzz", name, str(examples(120, 40))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert set(seen["outcomes"]) <= CODES
    assert len(seen["outcomes"]) > 1, "the damage does something"
    assert seen["slowest"] < 5
    assert seen["peak_mib"] < 512
