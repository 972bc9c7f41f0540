"""The house's one direction: app → api, pipeline → wiring → rooms → ground, and nothing back."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.config import Ports, environment

ROOT = Path(__file__).parents[1]
GROUND = {
    "aws",
    "cache",
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
    "export": GROUND | ROOMS | {"wiring", "export"},
    "pipeline": GROUND | ROOMS | {"wiring", "export", "pipeline"},
    "api": GROUND | ROOMS | {"wiring", "export", "pipeline", "api"},
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


# What a function's first event loads beside app.py, and what of that it can do without: a cold start pays
# for each module.
LOADS = {
    "check_token": "",
    "api_handler": "import chalicelib.api.image_handlers; services().images",
    "on_image_change": "pipeline.project",
    "on_sns_message": "pipeline.fan_out",
    "on_sqs_message": "pipeline.deliver",
    "sweep": "pipeline.sweep",
}
SPARED = {"PIL", "boto3", "numpy", "onnxruntime", "s3transfer", "pi_heif"}
SPARED_BY = {
    "check_token": {"defusedxml", "chalicelib.pipeline.*", "chalicelib.library.images"},
    "api_handler": {"defusedxml", "chalicelib.pipeline.*", "chalicelib.library.search"},
    "on_image_change": {"defusedxml", "chalicelib.outbound", "chalicelib.library.search"},
    "on_sns_message": {"chalicelib.library.search", "chalicelib.library.images"},
    "on_sqs_message": {"chalicelib.library.search", "chalicelib.library.images"},
    "sweep": {"defusedxml", "chalicelib.pipeline.projection"},
}
PREPARE = "import app, json, sys; from chalicelib import pipeline; from chalicelib.wiring import services"


@pytest.mark.parametrize("function", LOADS)
def test_a_function_loads_nothing_that_it_does_not_need(function: str) -> None:
    script = f"{PREPARE}\n{LOADS[function]}\nprint(json.dumps(list(sys.modules)))"
    told = {**os.environ, **environment(Ports())}
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(ran.stdout.splitlines()[-1]))
    needless = SPARED | SPARED_BY[function]
    assert not {one for one in loaded if any(_is(one, name) for name in needless)}


def _is(module: str, named: str) -> bool:
    """Whether it is the module so named, or one below a name with ``.*``."""
    return module.startswith(named[:-1]) if named.endswith(".*") else module == named
