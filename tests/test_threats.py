"""The threat model names the tests that show what it says: they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "threats.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)
ROWS = [line for line in TEXT.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize(("path", "test"), NAMED, ids=lambda one: one)
def test_a_test_that_is_named_exists(path: str, test: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 10
    assert all(re.search(r"`tests/[\w/]+\.py::\w+`", row) for row in ROWS)


def test_it_stays_one_page() -> None:
    assert len(TEXT.split()) < 1000
