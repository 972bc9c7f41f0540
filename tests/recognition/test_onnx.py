"""The embedded networks on real photos.

Holds `chalicelib/recognition/detector.py`, `chalicelib/recognition/network.py`.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from chalicelib.errors import BadSetting
from chalicelib.model import Label, Photo, RecognitionOptions
from chalicelib.recognition.network import Network
from chalicelib.recognition.onnx import OnnxRecogniser, classify
from tests.recognition.conftest import MODELS, ROOT, sample

CLASSIFIER = Network(MODELS / "efficientnet_lite0_int8.onnx")
USUAL = RecognitionOptions(min_confidence=55, max_labels=50)


def labels_of(recogniser: OnnxRecogniser, photo: Photo, least: float = 55) -> dict[str, Label]:
    options = RecognitionOptions(least, 50)
    return {label.name: label for label in recogniser.recognise(photo, options).labels}


def test_chelsea_is_a_cat_with_all_that_a_cat_is(onnx: OnnxRecogniser) -> None:
    labels = labels_of(onnx, sample("chelsea"))
    assert labels["Cat"].confidence > 85
    assert labels["Cat"].parents == ("Feline", "Carnivore", "Mammal", "Animal")
    (instance,) = labels["Cat"].instances
    assert instance.box.width > 0.8


def test_a_cup_of_coffee_is_something_to_drink(onnx: OnnxRecogniser) -> None:
    labels = labels_of(onnx, sample("coffee"), least=50)
    assert labels["Espresso"].parents == ("Coffee", "Beverage", "Food")
    assert len(labels["Cup"].instances) == 1


def test_an_astronaut_is_a_person(onnx: OnnxRecogniser) -> None:
    person = labels_of(onnx, sample("astronaut"))["Person"]
    assert person.confidence > 80
    (instance,) = person.instances
    assert instance.box.width < 0.75 < 0.9 < instance.box.height


def test_a_rocket_is_a_vehicle_and_less_surely_a_rocket(onnx: OnnxRecogniser) -> None:
    labels = labels_of(onnx, sample("rocket"), least=45)
    assert labels["Rocket"].parents == ("Vehicle",)
    assert labels["Vehicle"].confidence > 55


def test_every_parent_is_a_label_of_the_answer_and_at_least_as_sure(onnx: OnnxRecogniser) -> None:
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        labels = labels_of(onnx, sample(name), least=5)
        for label in labels.values():
            assert all(labels[parent].confidence >= label.confidence for parent in label.parents)


def test_a_photo_and_its_mirror_image_show_the_same_to_the_classifier() -> None:
    with Image.open(BytesIO(sample("astronaut").content)) as picture:
        seen = classify(CLASSIFIER, picture)
        mirrored = classify(CLASSIFIER, ImageOps.mirror(picture))
    assert mirrored == pytest.approx(seen, abs=1e-5)
    assert 0.5 < sum(seen) < 1.01


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
@pytest.mark.slow
def test_the_oddest_shapes_are_answered(onnx: OnnxRecogniser, size: tuple[int, int]) -> None:
    with BytesIO() as stream:
        Image.new("RGB", size, "grey").save(stream, "PNG")
        photo = Photo(stream.getvalue(), "image/png", *size, "b", "k")
    assert onnx.recognise(photo, USUAL).model.version


@pytest.mark.slow
def test_threads_that_come_at_once_load_each_network_once_and_agree(caplog: pytest.LogCaptureFixture) -> None:
    recogniser, photo = OnnxRecogniser(MODELS), sample("chelsea")
    with caplog.at_level(logging.INFO, "sightline"), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: recogniser.recognise(photo, USUAL), range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len([one for one in caplog.records if one.getMessage().startswith("loaded")]) == 2


def test_importing_the_recogniser_does_not_import_the_runtime() -> None:
    program = (
        "import sys, chalicelib.recognition.onnx;"
        "sys.exit(sum(name in sys.modules for name in ('onnxruntime', 'numpy')))"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)  # noqa: S603  # our own text
    assert ended.returncode == 0


@pytest.mark.parametrize(
    "missing", ["efficientnet_lite0_int8.onnx", "efficientdet_lite0.onnx", "imagenet_hierarchy.json"]
)
def test_a_missing_file_is_named_with_the_setting_that_says_where_it_should_be(
    tmp_path: Path, missing: str
) -> None:
    shutil.copytree(MODELS, tmp_path, dirs_exist_ok=True)
    (tmp_path / missing).unlink()
    with pytest.raises(BadSetting, match=f"MODELS_DIR is .*{missing}"):
        OnnxRecogniser(tmp_path).recognise(sample("chelsea"), USUAL)


def test_a_missing_runtime_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BadSetting, match=r"install requirements-onnx\.txt"):
        OnnxRecogniser(MODELS).recognise(sample("chelsea"), USUAL)


@pytest.mark.slow
def test_other_weights_are_another_version(tmp_path: Path, onnx: OnnxRecogniser) -> None:
    shutil.copytree(MODELS, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "efficientdet_lite0.onnx").open("ab") as file:
        file.write(b"\x6a\x00")  # an empty field that the format has no meaning for
    here = onnx.recognise(sample("chelsea"), USUAL).model
    there = OnnxRecogniser(tmp_path).recognise(sample("chelsea"), USUAL).model
    assert here.name == there.name
    assert here.version != there.version
