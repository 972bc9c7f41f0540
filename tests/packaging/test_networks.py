"""A stage whose recogniser is the embedded networks: its package is within Lambda's limits, and works."""

from __future__ import annotations

import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra import networks
from infra.project import Refused, Stage
from local.config import ROOT
from tests.conftest import ENVIRONMENT
from tests.packaging.workbench import NEW_ENOUGH, Workbench, set_up

# "Lambda quotas": 50 MB zipped where a client uploads it directly, 250 MB unzipped.
MOST_ZIPPED = 50_000_000
MOST_UNPACKED = 250_000_000

# A function's first image, in a process that has only its package and Lambda's own libraries.
FIRST_IMAGE = """
import os, sys, time, json
started = time.perf_counter()
sys.path[:] = [os.getcwd(), *sys.path, sys.argv[1]]
from chalicelib.settings import settings
from chalicelib.wiring import Services
from chalicelib.model import Photo, RecognitionOptions
content = open(sys.argv[2], "rb").read()
photo = Photo(content, "image/jpeg", 451, 300, "b", "k")
answer = Services(settings()).recogniser.recognise(photo, RecognitionOptions(55, 50))
took = time.perf_counter() - started
print(json.dumps({"labels": [label.name for label in answer.labels], "seconds": took}))
"""


@dataclass(frozen=True)
class Package:
    """What ``make package-sam`` made of a stage: the zip, and how large its files are unpacked."""

    zip: Path
    unpacked: int
    bench: Workbench


def stage_with(recogniser: str, root: Path) -> Stage:
    path = root / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    config["stages"]["dev"].setdefault("environment_variables", {})["RECOGNISER"] = recogniser
    path.write_text(json.dumps(config))
    return Stage("dev", "queue", root)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The parts of a project that decide what is packaged."""
    for name in (".chalice", "models"):
        (tmp_path / name).symlink_to(ROOT / name) if name == "models" else (tmp_path / name).mkdir()
    (tmp_path / ".chalice" / "config.json").write_text((ROOT / ".chalice" / "config.json").read_text())
    (tmp_path / "requirements-onnx.lock").write_text(f"no-such-package-at-all==1 --hash=sha256:{0:064}\n")
    return tmp_path


def brought(stage: Stage, folder: Path) -> list[str]:
    networks.bring(stage, folder, stage.architecture)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_rekognition_needs_nothing_in_the_package(project: Path, tmp_path: Path) -> None:
    assert brought(stage_with("rekognition", project), tmp_path / "copy") == []


def test_an_endpoint_needs_the_names_of_its_classes(project: Path, tmp_path: Path) -> None:
    files = brought(stage_with("sagemaker", project), tmp_path / "copy")
    assert "vendor/models/imagenet_hierarchy.json" in files
    assert not [name for name in files if name.endswith(".onnx")]


@pytest.mark.slow
def test_a_runtime_that_cannot_be_had_is_said_before_anything_is_deployed(
    project: Path, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="no-such-package-at-all"):
        networks.bring(stage_with("cascade", project), tmp_path / "copy", "x86_64")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    bench = set_up(tmp_path_factory.mktemp("onnx"), {**ENVIRONMENT, "RECOGNISER": "onnx"})
    old = subprocess.run([str(bench.python), "-c", NEW_ENOUGH], check=False).returncode  # noqa: S603
    if old:
        pytest.skip("needs a Python of 3.12 or newer, for which Lambda's runtime can load onnxruntime")
    stage_with("onnx", bench.project)
    done = bench.infra("package-sam", "--stage", "dev", "--build", str(bench.project / "build"))
    assert done.returncode == 0, done.stderr
    path = bench.project / "build" / "sam-dev" / "deployment.zip"
    with zipfile.ZipFile(path) as zipped:
        unpacked = sum(one.file_size for one in zipped.infolist())
        zipped.extractall(bench.project / "unpacked")
    return Package(path, unpacked, bench)


@pytest.mark.slow
def test_the_package_is_within_lambdas_limits(package: Package) -> None:
    assert package.zip.stat().st_size < MOST_ZIPPED
    assert package.unpacked < MOST_UNPACKED


@pytest.mark.slow
def test_it_recognises_with_nothing_but_what_is_in_it(package: Package, tmp_path: Path) -> None:
    libraries = package.bench.libraries(tmp_path / "lambda")
    photo = ROOT / "photos" / "chelsea.jpg"
    done = subprocess.run(  # noqa: S603 - our own words
        [str(package.bench.python), "-I", "-S", "-c", FIRST_IMAGE, str(libraries), str(photo)],
        cwd=package.bench.project / "unpacked",
        env={**ENVIRONMENT, "RECOGNISER": "onnx"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert "Cat" in answer["labels"]
    assert answer["seconds"] < 10, "a cold start that long leaves too little of the function's minute"


@pytest.mark.slow
def test_the_licences_of_what_it_carries_go_with_it(package: Package) -> None:
    with zipfile.ZipFile(package.zip) as zipped:
        names = set(zipped.namelist())
    assert {f"models/{name}" for name in networks.LICENCES} <= names
    assert [name for name in names if name.startswith("onnxruntime") and "LICENSE" in name]
