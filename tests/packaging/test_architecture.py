"""ARCH=arm64: by every route the functions say so, and nothing in their package is for other processors."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.conftest import SamApp
from tests.packaging.workbench import Workbench

Json = dict[str, Any]
pytestmark = [pytest.mark.slow, pytest.mark.nightly]
# "ELF-64 Object File Format" and its processor supplements: e_machine, two bytes at offset 18.
MACHINES = {62: "x86_64", 183: "arm64"}
AT_LEAST = 10  # Pillow alone brings more


def machines(package: Path) -> Counter[str]:
    """How many binaries a zip holds, by the processor that they are for."""
    with zipfile.ZipFile(package) as zipped:
        heads = [zipped.open(one).read(20) for one in zipped.infolist()]
    binaries = [head for head in heads if head.startswith(b"\x7fELF")]
    return Counter(MACHINES[int.from_bytes(head[18:20], "little")] for head in binaries)


def packaged(bench: Workbench, route: str, build: Path) -> Path:
    ran = bench.infra(route, "--stage", "prod", "--arch", "arm64", "--build", str(build))
    assert ran.returncode == 0, ran.stderr
    return build / f"{route.removeprefix('package-')}-prod"


def only(architecture: str, package: Path) -> bool:
    found = machines(package)
    return set(found) == {architecture} and found[architecture] > AT_LEAST


def test_a_sam_application_is_for_x86_64_unless_somebody_says_so(sam: SamApp) -> None:
    assert only("x86_64", sam.folder / "deployment.zip")


def test_a_sam_application_for_arm64(bench: Workbench, tmp_path: Path) -> None:
    folder = packaged(bench, "package-sam", tmp_path)

    resources = json.loads((folder / "sam.json").read_text())["Resources"].values()
    functions = [one["Properties"] for one in resources if one["Type"] == "AWS::Serverless::Function"]
    assert [one["Architectures"] for one in functions] == [["arm64"]] * 8
    assert only("arm64", folder / "deployment.zip")


def test_a_terraform_module_for_arm64(bench: Workbench, tmp_path: Path) -> None:
    folder = packaged(bench, "package-terraform", tmp_path)

    functions = json.loads((folder / "chalice.tf.json").read_text())["resource"]["aws_lambda_function"]
    assert [one["architectures"] for one in functions.values()] == [["arm64"]] * 9
    assert only("arm64", folder / "deployment.zip")
