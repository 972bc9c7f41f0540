"""The examples of CONTRIBUTING.md fit the code. (``tests/packaging/test_recipes.py`` runs what they make.)"""

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
