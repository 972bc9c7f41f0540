"""The house's one direction: app → api, pipeline → wiring → rooms → ground, and nothing back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GROUND = {
    "aws",
    "clients",
    "due",
    "errors",
    "expressions",
    "health",
    "ids",
    "logs",
    "metrics",
    "model",
    "named_secret",
    "outbound",
    "queues",
    "quotas",
    "settings",
    "table",
}
ROOMS = {"access", "intake", "recognition", "library", "delivery"}
MAY_IMPORT = {
    **dict.fromkeys(GROUND, GROUND),
    **{room: GROUND | {room} for room in ROOMS},
    "wiring": GROUND | ROOMS,
    "pipeline": GROUND | ROOMS | {"wiring", "pipeline"},
    "api": GROUND | ROOMS | {"wiring", "pipeline", "api"},
}
MODULES = sorted((ROOT / "chalicelib").rglob("*.py"))


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str | None:
    package, _, rest = module.partition(".")
    return rest.split(".")[0] if package == "chalicelib" and rest else None


def belongs_to(path: Path) -> str:
    return path.relative_to(ROOT / "chalicelib").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    home = belongs_to(path)
    if home == "__init__":
        return
    parts = {part for name in imported_by(path) if (part := part_of(name)) and part != "__version__"}
    assert parts <= MAY_IMPORT[home] | {home}, f"{home} reaches up or sideways"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_aws_chalice_and_the_environment_each_have_one_door(path: Path) -> None:
    top = {name.split(".")[0] for name in imported_by(path)}
    home = belongs_to(path)
    assert "boto3" not in top
    assert "botocore.session" not in set(imported_by(path)) or home == "clients"
    assert "chalice" not in top or home == "api"
    assert "local" not in top
    assert "os.environ" not in path.read_text() or home == "settings"
