"""What a stage reserves of the account's concurrency: only what it says, and only where there is enough.

Holds `infra/project.py`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.checks import may_reserve
from infra.project import ROOT, Stage
from infra.workspace import Choices, configure, lay_out


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """One that wants 200 for the API and 50 for the labeler."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / ".chalice", root / ".chalice", ignore=shutil.ignore_patterns("deployed"))
    shutil.copytree(ROOT / "chalicelib" / "model", root / "chalicelib")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, root)
    path = root / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    config["stages"]["prod"]["environment_variables"].update(API_CONCURRENCY="200", LABELER_CONCURRENCY="50")
    path.write_text(json.dumps(config))
    return Stage("prod", "s3", root)


def reserved(stage: Stage, folder: Path, *, reserve: bool) -> dict[str, int]:
    """By Chalice's own reading of the configuration that it is given."""
    configure(stage, lay_out(stage, folder), Choices({}, reserve=reserve))
    laid_out = Stage(stage.name, stage.trigger, folder)
    found = {name: laid_out.config(name).reserved_concurrency for name in laid_out.functions}
    return {name: number for name, number in found.items() if number is not None}


def test_the_api_and_the_labeler_get_what_the_stage_says_and_nobody_else_gets_any(
    stage: Stage, tmp_path: Path
) -> None:
    assert reserved(stage, tmp_path / "copy", reserve=True) == {"api_handler": 200, "on_s3_upload": 50}
    assert reserved(stage, tmp_path / "copy", reserve=False) == {}
    assert reserved(Stage("dev", "s3"), tmp_path / "copy", reserve=True) == {}


@pytest.mark.parametrize(("has", "enough"), [(1000, True), (350, True), (349, False), (10, False)])
def test_an_account_with_too_little_of_it_reserves_none(stage: Stage, has: int, enough: bool) -> None:
    limit: Any = {"AccountLimit": {"ConcurrentExecutions": has}}
    assert may_reserve(lambda _: SimpleNamespace(get_account_settings=lambda: limit), stage) is enough
