"""An image in Rekognition's words: what Rekognition said comes back as it said it."""

from __future__ import annotations

import dataclasses
from typing import Any

from chalicelib.model import Image, Label, Recognition, RecognitionOptions, in_rekognitions_words
from chalicelib.recognition.rekognition import RekognitionRecogniser
from tests.recognition.conftest import sample
from tests.stubs.rekognition import A_SIGN, CAT_AND_TABLE, IMAGE_PROPERTIES, SMOKING

IMAGE = Image("1", "default", "uploads/a.jpg", "labelled", "a.jpg", "2026-03-01T09:30:00.000Z")


class Client:
    """Rekognition's answers, without the way there."""

    def detect_labels(self, *, Features: list[str], **_: Any) -> Any:  # noqa: N803 - as boto3 has it
        properties = {"ImageProperties": IMAGE_PROPERTIES} if "IMAGE_PROPERTIES" in Features else {}
        return {**CAT_AND_TABLE, **properties}

    def detect_moderation_labels(self, **_: Any) -> Any:
        return SMOKING

    def detect_text(self, **_: Any) -> Any:
        return A_SIGN


class Calls:
    def call(self, _: str, call: Any, __: Any) -> Any:
        return call()


def recognised(*features: str) -> Recognition:
    recogniser = RekognitionRecogniser(Client(), Calls())  # type: ignore[arg-type]
    return recogniser.recognise(sample("chelsea"), RecognitionOptions(0, 50, features=features))


def image_of(said: Recognition) -> Image:
    parts = {name: getattr(said, name) for name in ("labels", "model", "properties", "moderation", "text")}
    return dataclasses.replace(IMAGE, **parts)


def rounded(value: Any, to: int) -> Any:
    if isinstance(value, dict):
        return {name: rounded(one, 2 if name == "Confidence" else 5) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one, to) for one in value]
    return round(value, to) if isinstance(value, float) else value


def test_what_rekognition_said_is_said_again() -> None:
    told = in_rekognitions_words(image_of(recognised("labels", "properties", "moderation", "text")))
    labels = {one["Name"]: one for one in told["Labels"]}
    (theirs,) = (one for one in CAT_AND_TABLE["Labels"] if one["Name"] == "Cat")
    box = {"Left": 0.25, "Top": 0.0, "Width": 0.5, "Height": 1.0}  # cut where it reaches beyond the picture
    assert labels["Cat"] == {**theirs, "Instances": [{**theirs["Instances"][0], "BoundingBox": box}]}
    assert labels["Animal"]["Parents"] == labels["Animal"]["Instances"] == []
    assert told["LabelModelVersion"] == "3.0"
    assert told["ImageProperties"] == rounded(IMAGE_PROPERTIES, 5)
    assert told["ModerationLabels"] == rounded(SMOKING["ModerationLabels"], 5)
    assert (told["ContentTypes"], told["ModerationModelVersion"]) == (SMOKING["ContentTypes"], "7.0")
    line, word = told["TextDetections"]
    assert line == rounded(A_SIGN["TextDetections"][0], 5)
    assert (word["ParentId"], word["DetectedText"], told["TextModelVersion"]) == (0, "CAT", "3.0")


def test_what_was_not_asked_for_is_not_said() -> None:
    assert in_rekognitions_words(IMAGE) == {"Labels": []}
    assert in_rekognitions_words(image_of(recognised("labels"))).keys() == {"Labels", "LabelModelVersion"}


def test_a_persons_label_is_one_of_them() -> None:
    image = dataclasses.replace(IMAGE, labels=(Label("Rex", 100.0, parents=("Dog",), source="person"),))
    (label,) = in_rekognitions_words(image)["Labels"]
    assert label == {
        "Name": "Rex",
        "Confidence": 100.0,
        "Instances": [],
        "Parents": [{"Name": "Dog"}],
        "Aliases": [],
        "Categories": [],
    }
