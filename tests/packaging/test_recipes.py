"""Whoever does what CONTRIBUTING.md says has a setting, a route, a recogniser and a destination that work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes import ROOT, recipes

pytestmark = pytest.mark.slow
LEFT_OUT = shutil.ignore_patterns(".*_cache", ".git", ".venv", ".data", ".hypothesis", "__pycache__", "build")
# What holds such additions to their description, beside the tests that the recipes bring.
HELD_BY = (
    "tests/test_readme.py::test_the_configuration_table_has_every_setting_with_its_default_and_no_other",
    "tests/test_imports.py::test_a_module_imports_only_what_lies_below_it",
    "tests/api/test_openapi.py",
    "tests/api/test_routes.py",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after all recipes, one after the other."""
    root = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(ROOT, root, ignore=LEFT_OUT)
    for changes in recipes().values():
        for one in changes:
            one.apply(root)
    return root


def test_what_was_added_works_and_is_described(copy: Path) -> None:
    added = [one.file for changes in recipes().values() for one in changes if not one.before]
    tests = [one for one in added if one.startswith("tests/")]
    assert len(tests) == len(recipes()) - 1  # but for the setting, which the settings' page is compared with
    ran = run(copy, "pytest", "-q", *tests, *HELD_BY)
    assert ran.returncode == 0, ran.stdout


def test_what_was_added_is_linted(copy: Path) -> None:
    changed = {one.file for changes in recipes().values() for one in changes if one.file.endswith(".py")}
    for check in (["check"], ["format", "--check"]):
        ran = run(copy, "ruff", *check, *sorted(changed))
        assert ran.returncode == 0, ran.stdout


def run(root: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", module, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
