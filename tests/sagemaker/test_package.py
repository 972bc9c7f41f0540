"""The packed model, its handler for networks of other kinds, and the template that deploys it."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
from PIL import Image

from local.sagemaker_endpoint import imported
from sagemaker import package

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "models" / "efficientnet_lite0_int8.onnx"
SPEC = package.specification("efficientnet_lite0")
MOBILENET = package.specification("mobilenet_v3_large")


class Network:
    """Gives the same output for everything, and remembers what it was shown."""

    def __init__(self, output: list[float]) -> None:
        self._output = numpy.array([output], numpy.float32)
        self.shown: dict[str, Any] = {}

    def run(self, names: list[str], inputs: dict[str, Any]) -> list[Any]:
        self.shown = {**inputs, "names": names}
        return [self._output]


@pytest.fixture(scope="module")
def handler() -> ModuleType:
    return imported(ROOT / "sagemaker" / "code" / "inference.py")


@pytest.mark.slow
def test_the_same_network_packs_to_the_same_bytes_and_another_to_another_version(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(NETWORK.read_bytes() + b"\x6a\x00")
    first = package.pack(NETWORK, SPEC, tmp_path / "1" / "model.tar.gz")
    again = package.pack(NETWORK, SPEC, tmp_path / "2.tar.gz")
    assert first == again != package.pack(other, SPEC, tmp_path / "3.tar.gz")
    assert (tmp_path / "1" / "model.tar.gz").read_bytes() == (tmp_path / "2.tar.gz").read_bytes()


def test_the_archive_holds_what_the_container_looks_for(tmp_path: Path) -> None:
    version = package.pack(NETWORK, SPEC, tmp_path / "model.tar.gz")
    with tarfile.open(tmp_path / "model.tar.gz") as tar:
        assert set(tar.getnames()) == {
            "model.onnx",
            "model.json",
            "code/inference.py",
            "code/requirements.txt",
        }
        told = tar.extractfile("model.json")
        assert told is not None
        assert json.load(told)["model"] == {"name": "efficientnet_lite0_int8", "version": version}


def test_a_specification_that_lacks_something_is_refused(tmp_path: Path) -> None:
    lacking = {name: value for name, value in SPEC.items() if name not in ("layout", "softmax")}
    with pytest.raises(ValueError, match="layout, softmax"):
        package.pack(NETWORK, lacking, tmp_path / "model.tar.gz")
    assert not list(tmp_path.iterdir())


def test_the_command_packs_a_network_of_ones_own(tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({**SPEC, "classes": ["a", "b"]}))
    out = tmp_path / "model.tar.gz"
    command = ["-m", "sagemaker.package", "--network", str(NETWORK), "--spec", str(spec), "--out", str(out)]
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True, timeout=180
    )
    assert done.stdout.startswith(f"{out}: version ")


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        package.main(["--network", "x.onnx"])
    assert "--network needs --spec" in capsys.readouterr().err


class TestMobileNet:
    """A network that wants normalised planes and gives logits, as torchvision's weights do."""

    def test_it_is_shown_normalised_planes(self, handler: ModuleType) -> None:
        network = Network([0.0] * 1000)
        handler.predict_fn(Image.new("RGB", (300, 500), (255, 0, 128)), handler.Classifier(network, told()))
        planes = network.shown["image"]
        assert (planes.shape, planes.dtype) == ((1, 3, 224, 224), numpy.float32)
        assert network.shown["names"] == ["logits"]
        red, green, blue = planes[0, :, 100, 100]
        assert red == pytest.approx((1 - 0.485) / 0.229, abs=1e-4)
        assert green == pytest.approx(-0.456 / 0.224, abs=1e-4)
        assert blue == pytest.approx((128 / 255 - 0.406) / 0.225, abs=1e-4)

    def test_its_logits_become_scores_however_large(self, handler: ModuleType) -> None:
        network = Network([1000.0, 999.0] + [0.0] * 998)
        answer = handler.predict_fn(Image.new("RGB", (224, 224)), handler.Classifier(network, told()))
        assert answer["scores"][:3] == [pytest.approx(0.731059), pytest.approx(0.268941), 0.0]
        assert json.loads(handler.output_fn(answer, "application/json")) == answer

    def test_it_sees_the_middle_of_the_picture(self, handler: ModuleType) -> None:
        picture = Image.new("RGB", (1000, 100), "black")
        picture.paste("white", (460, 0, 540, 100))
        network = Network([0.0] * 1000)
        handler.predict_fn(picture, handler.Classifier(network, told()))
        lit = (network.shown["image"][0, 0, 112] > 0).mean()
        assert lit == pytest.approx(80 / 96.55, abs=0.02)


def told() -> dict[str, Any]:
    return {**MOBILENET, "model": {"name": "mobilenet_v3_large", "version": "1"}}


@pytest.mark.slow
def test_the_template_is_clean_by_cloudformations_own_rules() -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [str(Path(sys.executable).parent / "cfn-lint"), str(ROOT / "sagemaker" / "endpoint.yaml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_functions_may_invoke_the_endpoint_that_the_template_makes() -> None:
    template = (ROOT / "sagemaker" / "endpoint.yaml").read_text()
    assert 'Fn::Sub: "sightline-${Stage}"' in template
    for function in ("on_s3_upload", "on_upload_message"):
        policy = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
        allowed = {action: one["Resource"] for one in policy["Statement"] for action in one["Action"]}
        assert allowed["sagemaker:InvokeEndpoint"] == ["arn:aws:sagemaker:*:*:endpoint/sightline-*"]
