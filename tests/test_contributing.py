"""The examples of CONTRIBUTING.md fit the code, and the map of the tests has every folder, fake and stub.

``tests/packaging/test_recipes.py`` runs what the examples make.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.recipes import ROOT, recipes

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize("name", recipes())
def test_a_recipes_changes_have_their_places(name: str, tmp_path: Path) -> None:
    changes = recipes()[name]
    assert changes
    for file in {one.file for one in changes}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / file).exists():
            shutil.copy(ROOT / file, tmp_path / file)
    for one in changes:
        assert one.before or not (ROOT / one.file).exists(), one.file
        one.apply(tmp_path)


def test_the_files_that_it_names_are_there() -> None:
    named = re.findall(r"`((?:chalicelib|tests|docs|infra|\.chalice)/[\w./-]+)`", TEXT)
    assert len(named) > 5
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_the_map_of_the_tests_has_every_folder_fake_and_stub() -> None:
    text = (ROOT / "tests" / "README.md").read_text("utf-8")
    folders = [one.name for one in (ROOT / "tests").iterdir() if (one / "__init__.py").exists()]
    helpers = [
        f"{one}/{path.name}"
        for one in ("fakes", "stubs")
        for path in (ROOT / "tests" / one).glob("[a-z]*.py")
    ]
    assert len(folders) > 10 < len(helpers)
    assert [one for one in (*folders, *helpers) if one not in text] == []
    gone = [
        one for one in re.findall(r"`((?:fakes|stubs)/\w+\.py)`", text) if not (ROOT / "tests" / one).exists()
    ]
    assert gone == []
