"""The libraries in a package are the files that the lock names, for the processors that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from local.aws import LocalAws
from local.config import ROOT
from tests.packaging.cloud import variables
from tests.packaging.workbench import Workbench, set_up


def installed(requirements: Iterable[str], python: str) -> dict[str, str]:
    """Which version a Python gets, by name."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    wanted = [Requirement(one) for one in requirements]
    return {
        one.name: str(one.specifier) for one in wanted if not one.marker or one.marker.evaluate(environment)
    }


def required(name: str) -> Iterator[str]:
    lines = (ROOT / f"{name}.txt").read_text().splitlines()
    return (one for one in lines if one and not one.startswith("#"))


def locked(name: str) -> Iterator[str]:
    """What the lock has because the requirements say so, and not for the sake of something else there."""
    for entry in re.split(r"\n(?=\S)", (ROOT / f"{name}.lock").read_text()):
        if re.search(rf"-r {name}\.txt$", entry, re.MULTILINE):
            yield entry.splitlines()[0].rstrip(" \\")


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("name", ["requirements", "requirements-onnx"])
def test_the_lock_has_what_is_required(name: str, python: str) -> None:
    assert installed(locked(name), python) == installed(required(name), python) != {}


@pytest.fixture(scope="module")
def tampered(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A project whose lock has other hashes for one library."""
    bench = set_up(tmp_path_factory.mktemp("tampered"), variables(aws))
    lock = bench.project / "requirements.lock"
    before, entry, after = re.split(r"(?ms)^(idna==.*?)(?=^\S)", lock.read_text())
    lock.write_text(before + re.sub(r"sha256:\w+", f"sha256:{0:064}", entry) + after)
    return bench


@pytest.mark.slow
@pytest.mark.parametrize("route", ["deploy", "package-sam", "package-terraform"])
def test_a_library_that_is_not_the_one_that_was_locked_is_not_packaged(
    tampered: Workbench, aws: LocalAws, tmp_path: Path, route: str
) -> None:
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]

    ran = tampered.infra(route, "--stage", "dev", "--build", str(tmp_path))

    assert ran.returncode == 1
    assert re.search(r"^Nothing is packaged: idna==[\d.]+ is not the file whose hash", ran.stderr), ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("*.zip"))
    assert aws.client("cloudformation").describe_stacks()["Stacks"] == stacks
