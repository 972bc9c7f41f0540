"""Each module's tests can be found: by its name, or by a test file that says which modules it holds."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for path in (ROOT / "chalicelib").rglob("*.py") if path.name != "__init__.py")
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
HELD = re.compile(r"`(chalicelib/[\w/]+\.py)`")


def room_of(path: Path) -> str:
    """Modules directly below chalicelib are the ground's."""
    parts = path.relative_to(ROOT / "chalicelib").parts
    return parts[0] if len(parts) > 1 and parts[0] != "model" else "ground"


@functools.cache
def held_somewhere() -> set[str]:
    """The modules that a test file says, in its docstring, it holds."""
    said = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "" for path in TESTS)
    return {module for one in said for module in HELD.findall(one)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_modules_tests_are_found_by_its_name(path: Path) -> None:
    own = ROOT / "tests" / room_of(path) / f"test_{path.name}"
    assert own in TESTS or str(path.relative_to(ROOT)) in held_somewhere()


def test_what_a_test_says_it_holds_is_there() -> None:
    assert not [one for one in held_somewhere() if not (ROOT / one).is_file()]
