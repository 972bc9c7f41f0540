"""Generators of clients in a folder of their own (``build/clients``), and the service that clients work with.

They take minutes and want Node and Java, so they run where they are asked for: ``make clients``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.api import openapi
from local.config import ROOT
from tests.local.process import Process, started

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "clients"
PYTHON = BUILD / "venv" / "bin" / "python"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [program for program in ("node", "npm", "java") if not shutil.which(program)]
    reason = "make clients runs these" if "CLIENTS" not in os.environ else ""
    if missing and not reason:
        reason = f"there is no {' and no '.join(missing)} here"
    for item in items:
        if reason and item.nodeid.startswith("tests/clients/"):
            item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Workshop:
    """Where clients are generated: the tools, the description and the folder for what they make."""

    folder: Path
    description: Path

    def run(self, *command: str | Path, cwd: Path | None = None, **environment: str) -> str:
        """What a command prints; it must succeed."""
        path = f"{BUILD / 'venv' / 'bin'}:{BUILD / 'node_modules' / '.bin'}:{os.environ['PATH']}"
        done = subprocess.run(  # noqa: S603 - our own
            [str(one) for one in command],
            cwd=cwd or self.folder,
            env={**os.environ, "PATH": path, "NO_COLOR": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The tools, installed where they are not there yet in these versions."""
    wanted = (HERE / "package.json").read_text() + (HERE / "requirements.txt").read_text()
    installed = BUILD / "installed"
    folder = tmp_path_factory.mktemp("clients")
    made = Workshop(folder, folder / "openapi.json")
    if not installed.exists() or installed.read_text() != wanted:
        shutil.rmtree(BUILD, ignore_errors=True)
        venv.create(BUILD / "venv", with_pip=True)
        made.run(PYTHON, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt")
        shutil.copy(HERE / "package.json", BUILD)
        made.run("npm", "install", "--silent", "--no-audit", "--no-fund", cwd=BUILD)
        installed.write_text(wanted)
    (folder / "node_modules").symlink_to(BUILD / "node_modules")
    made.description.write_text(json.dumps(openapi.document("http://127.0.0.1:8000")))
    return made


@pytest.fixture(scope="session")
def service() -> Iterator[Process]:
    with started() as process:
        yield process
