"""The Makefile on machines that are not quite ready."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.config import ROOT

TOOLS = ("sh", "cat", "echo", "sed", "cksum", "rm", "expand", "make", "find")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with our Makefile, and beside it the only programs there are."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is missing here"
        (programs / tool).symlink_to(found)
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("")
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def make(machine: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(machine / "bin"), "HOME": os.environ.get("HOME", "/")}
    command = [str(machine / "bin" / "make"), *targets]
    return subprocess.run(  # noqa: S603 - our own Makefile
        command, cwd=machine, env=env, capture_output=True, text=True, check=False
    )


def test_without_python_a_sentence_says_what_to_install(machine: Path) -> None:
    ran = make(machine, "run")

    assert ran.returncode != 0
    assert "Sightline needs Python 3.11 or newer" in ran.stderr
    assert not (machine / ".venv").exists()


def test_an_interpreter_that_does_not_run_is_passed_over(machine: Path) -> None:
    """Version managers put stand-ins on the path for versions that are not there."""
    script(machine / "bin" / "python3.13", "echo 'python3.13: command not found' >&2; exit 127")
    stand_in = 'case "$1" in -c) exit 0;; -m) mkdir -p .venv/bin; cp "$0" .venv/bin/python;; esac'
    script(machine / "bin" / "python3.12", stand_in)
    for tool in ("mkdir", "cp"):
        (machine / "bin" / tool).symlink_to(str(shutil.which(tool)))

    ran = make(machine, "ready")

    assert "Making the virtual environment with python3.12" in ran.stdout
    assert "command not found" not in ran.stderr


def test_requirements_are_installed_again_only_when_they_changed(machine: Path) -> None:
    (machine / ".venv" / "bin").mkdir(parents=True)
    script(machine / ".venv" / "bin" / "python", "exit 0")

    installed = ["Installing" in make(machine, "ready").stdout for _ in range(2)]
    (machine / "requirements.txt").write_text("something-new\n")
    installed.append("Installing" in make(machine, "ready").stdout)

    assert installed == [True, False, True]


def test_make_alone_lists_what_there_is_to_do(machine: Path) -> None:
    ran = make(machine)

    for target in ("run", "label", "test", "check", "clean"):
        assert f"make {target} " in ran.stdout
