"""``make audit`` says what pip-audit found, and takes no silence for a clean bill."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.audit import LOCKS, ROOT, main, verdict_on

CLEAN = {"name": "idna", "version": "3.20", "vulns": []}
HOLE = {
    "name": "pillow",
    "version": "9.0.0",
    "vulns": [{"id": "PYSEC-2023-175", "fix_versions": ["10.0.1"], "aliases": [], "description": ""}],
}
UNKNOWN = {"name": "pi-heif", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("libraries", "failed", "said"),
    [
        ([CLEAN, CLEAN], False, "No known holes in 2 libraries"),
        ([CLEAN, HOLE], True, "pillow 9.0.0: PYSEC-2023-175, mended in 10.0.1"),
        ([UNKNOWN, HOLE], True, "PYSEC-2023-175"),
        ([CLEAN, UNKNOWN], True, "does not know pi-heif"),
        ([UNKNOWN, UNKNOWN], False, "SKIPPED: the feed of known holes says nothing"),
    ],
)
def test_what_was_found_is_said(libraries: list[Any], failed: bool, said: str) -> None:
    verdict = verdict_on(json.dumps({"dependencies": libraries, "fixes": []}), "")
    assert (verdict.failed, said in verdict.text) == (failed, True), verdict


@pytest.mark.parametrize("report", ["", "{}", "[]", "no JSON"])
def test_a_feed_that_cannot_be_asked_is_no_clean_bill(report: str) -> None:
    verdict = verdict_on(report, "WARNING: slow\nERROR: could not connect to the feed\n")
    assert verdict.text == (
        "SKIPPED: the feed of known holes could not be asked: ERROR: could not connect to the feed"
    )


def test_every_lock_is_looked_at() -> None:
    assert {one.name for one in ROOT.glob("requirements*.lock")} == set(LOCKS)


def test_an_auditor_that_is_not_there_is_said_to_be_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(sys.executable) == 0  # this Python has no pip-audit: it is nobody's dependency
    assert re.match("SKIPPED: .*pip_audit", capsys.readouterr().out)


def test_what_packages_and_deploys_says_which_python_is_the_least() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "sys.version_info < (3, 11)" in makefile
    assert 'requires-python = ">=3.11"' in Path(ROOT / "pyproject.toml").read_text("utf-8")
