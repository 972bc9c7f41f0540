"""The libraries in a package are the files that the lock names, for the processors that are asked for.

Holds `infra/libraries.py`, `infra/vendor.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.moto_server import LocalAws
from tests.packaging.cloud import variables
from tests.packaging.workbench import Workbench, set_up


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
