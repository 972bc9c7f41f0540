"""Rekognition's answers kept whole, and its errors told apart by whether trying again can help."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import time
from typing import Any

import pytest

from chalicelib.aws import Patience
from chalicelib.errors import Permanent, RecogniserRefused, Unavailable, UnusableImage
from chalicelib.model import Box, Instance, Label, Model, RecognitionOptions
from chalicelib.recognition.rekognition import RekognitionRecogniser
from tests.recognition.conftest import Pauses, sample
from tests.stubs.rekognition import RekognitionStub

OPTIONS = RecognitionOptions(min_confidence=55, max_labels=50)
EVERYTHING = RecognitionOptions(55, 50, features=("labels", "properties", "moderation", "text"))
GREY = {
    "red": 105,
    "green": 105,
    "blue": 105,
    "hex_code": "#696969",
    "css_color": "dimgrey",
    "simplified_color": "grey",
    "pixel_percent": 39.5,
}


@pytest.fixture
def recogniser(rekognition_client: Any, patience: Patience) -> RekognitionRecogniser:
    return RekognitionRecogniser(rekognition_client, patience)


def test_nothing_of_a_label_is_lost(recogniser: RekognitionRecogniser) -> None:
    labels = {label.name: label for label in recogniser.recognise(sample("chelsea"), OPTIONS).labels}
    assert labels["Cat"] == Label(
        name="Cat",
        confidence=98.25,
        parents=("Animal", "Mammal", "Pet"),
        aliases=("Kitty",),
        categories=("Animals and Pets",),
        instances=(Instance(97.5, Box(0.25, 0.0, 0.5, 1.0), (GREY,)),),
    )


def test_a_label_with_nothing_but_its_name_is_understood(recogniser: RekognitionRecogniser) -> None:
    first = recogniser.recognise(sample("chelsea"), OPTIONS).labels[0]
    assert first == Label("Animal", 98.5)


def test_a_photo_that_is_no_object_is_sent_as_bytes(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    photo = dataclasses.replace(sample("chelsea"), key=None)
    recogniser.recognise(photo, OPTIONS)
    assert rekognition_stub.calls[0]["Image"] == {"Bytes": base64.b64encode(photo.content).decode()}


def test_only_what_is_asked_for_is_called_and_paid(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    recognition = recogniser.recognise(sample("chelsea"), RecognitionOptions(62.5, 7))
    assert rekognition_stub.operations == ["DetectLabels"]
    assert rekognition_stub.calls == [
        {
            "Image": {"S3Object": {"Bucket": "test-bucket", "Name": "uploads/chelsea.jpg"}},
            "MinConfidence": 20.0,
            "MaxLabels": 1000,
            "Features": ["GENERAL_LABELS"],
        }
    ]
    assert recognition.calls == {"rekognition:labels": 1}


def test_a_lower_threshold_than_usual_reaches_rekognition(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    recogniser.recognise(sample("chelsea"), RecognitionOptions(1.5, 7))
    assert rekognition_stub.calls[0]["MinConfidence"] == 1.5


def test_everything_together_takes_three_calls_and_all_of_it_is_kept(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    recognition = recogniser.recognise(sample("chelsea"), EVERYTHING)
    assert rekognition_stub.operations == ["DetectLabels", "DetectModerationLabels", "DetectText"]
    assert rekognition_stub.calls[0]["Features"] == ["GENERAL_LABELS", "IMAGE_PROPERTIES"]
    assert recognition.model == Model("rekognition", "3.0")
    assert recognition.properties == {
        "quality": {"brightness": 72.5, "sharpness": 80.5, "contrast": 64.25},
        "dominant_colors": [{"hex_code": "#a9a9a9", "css_color": "darkgrey", "pixel_percent": 51.12346}],
        "foreground": {"quality": {"brightness": 70.0, "sharpness": 79.0}, "dominant_colors": []},
        "background": {"quality": {"brightness": 75.0, "sharpness": 60.0}, "dominant_colors": []},
    }
    assert recognition.moderation == {
        "model_version": "7.0",
        "labels": [
            {"name": "Smoking", "confidence": 91.11, "parent": "Drugs & Tobacco", "taxonomy_level": 2},
            {"name": "Drugs & Tobacco", "confidence": 91.11, "parent": None, "taxonomy_level": 1},
        ],
        "content_types": [{"name": "Illustrated", "confidence": 62.5}],
    }
    assert recognition.text is not None
    line, word = recognition.text["detections"]
    assert (line["type"], line["text"], line["confidence"]) == ("line", "MIND THE CAT", 99.12)
    assert line["polygon"] == [{"x": 0.1, "y": 0.1}, {"x": 0.6, "y": 0.1}]
    assert (word["parent_id"], word["box"]["left"]) == (0, 0.5)
    assert sum(recognition.calls.values()) == 4


def test_text_alone_is_one_call_by_the_version_that_read_it(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    recognition = recogniser.recognise(sample("chelsea"), RecognitionOptions(55, 50, features=("text",)))
    assert rekognition_stub.operations == ["DetectText"]
    assert recognition.model == Model("rekognition", "3.0")


def test_properties_alone_bring_no_labels(recogniser: RekognitionRecogniser) -> None:
    recognition = recogniser.recognise(
        sample("chelsea"), RecognitionOptions(55, 50, features=("properties",))
    )
    assert recognition.labels == ()
    assert recognition.properties is not None


def test_a_page_full_of_text_is_cut_to_what_a_record_can_hold(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    word = rekognition_stub.text["TextDetections"][0]
    rekognition_stub.text = {"TextModelVersion": "3.0", "TextDetections": [word] * 5000}
    text = recogniser.recognise(sample("chelsea"), EVERYTHING).text
    assert text is not None
    assert len(text["detections"]) == 200


def test_a_crowd_of_labels_is_cut_to_what_a_record_can_hold(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    cat = next(one for one in rekognition_stub.answer["Labels"] if one["Name"] == "Cat")
    crowd = [{**cat, "Name": f"Cat {n}", "Instances": cat["Instances"] * 100} for n in range(50)]
    rekognition_stub.answer = {**rekognition_stub.answer, "Labels": crowd}
    recognition = recogniser.recognise(sample("chelsea"), OPTIONS)
    assert 1 < len(recognition.labels) < 50
    assert len(recognition.passed_over) > 0
    assert len(json.dumps(recognition.to_json())) < 200_000


@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_a_throttle_that_passes_is_waited_for(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub, code: str
) -> None:
    rekognition_stub.fails(code)
    assert recogniser.recognise(sample("chelsea"), OPTIONS).labels
    assert len(rekognition_stub.calls) == 2


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("InternalServerError", 500),
        ("InternalServerError", 400),
        ("LimitExceededException", 400),
        ("ServiceUnavailable", 503),
    ],
)
def test_what_does_not_pass_in_time_may_be_tried_again_later_and_is_no_fault_of_the_deployment(
    recogniser: RekognitionRecogniser,
    rekognition_stub: RekognitionStub,
    caplog: pytest.LogCaptureFixture,
    code: str,
    status: int,
) -> None:
    rekognition_stub.fails(code, status=status, times=3)
    with pytest.raises(Unavailable, match=code):
        recogniser.recognise(sample("chelsea"), OPTIONS)
    assert not caplog.records


def test_a_rekognition_that_never_answers_may_be_tried_again_later(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    rekognition_stub.hangs(times=3)
    with pytest.raises(Unavailable, match="Rekognition"):
        recogniser.recognise(sample("chelsea"), OPTIONS)


def test_a_connection_that_breaks_may_be_tried_again_later(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    rekognition_stub.hangs_up(times=3)
    with pytest.raises(Unavailable, match="Rekognition"):
        recogniser.recognise(sample("chelsea"), OPTIONS)


@pytest.mark.parametrize(
    ("code", "kind", "ours", "sentence"),
    [
        ("InvalidImageFormatException", UnusableImage, "unsupported-type", "cannot read this image"),
        ("ImageTooLargeException", UnusableImage, "too-large", "Send a smaller version"),
        ("InvalidS3ObjectException", RecogniserRefused, "object-unreadable", "from the bucket"),
        ("InvalidParameterException", RecogniserRefused, "recogniser-refused", "at least 80 pixels"),
    ],
)
def test_a_final_no_is_final_and_says_why(
    recogniser: RekognitionRecogniser,
    rekognition_stub: RekognitionStub,
    code: str,
    kind: type[Permanent],
    ours: str,
    sentence: str,
) -> None:
    rekognition_stub.fails(code)
    with pytest.raises(kind, match=sentence) as raised:
        recogniser.recognise(sample("chelsea"), OPTIONS)
    assert raised.value.code == ours
    assert len(rekognition_stub.calls) == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException", "NeverHeardOf"])
def test_a_fault_of_the_deployment_loses_no_image_and_is_logged(
    recogniser: RekognitionRecogniser,
    rekognition_stub: RekognitionStub,
    caplog: pytest.LogCaptureFixture,
    code: str,
) -> None:
    rekognition_stub.fails(code, message="not authorized to perform: rekognition:DetectLabels")
    with pytest.raises(Unavailable, match=f"{code}: not authorized"):
        recogniser.recognise(sample("chelsea"), OPTIONS)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert len(rekognition_stub.calls) == 1, "what does not pass was tried again"


def test_a_rekognition_that_hangs_does_not_outlast_the_function(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    """With 7.2 s there is time for calls of a second and the reserve, once, twice, and no more."""
    rekognition_stub.hangs(times=10)
    started = time.monotonic()

    def left() -> float:
        return 7.2 - (time.monotonic() - started)

    with pytest.raises(Unavailable, match="Rekognition"):
        recogniser.recognise(sample("chelsea"), OPTIONS, left)
    assert left() > 2  # of the reserve; ten calls would have taken more than there is
    assert 1 <= len(rekognition_stub.calls) <= 3


def test_with_too_little_time_left_nothing_is_begun(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    with pytest.raises(Unavailable, match="5 s are too few"):
        recogniser.recognise(sample("chelsea"), OPTIONS, lambda: 5.0)
    assert rekognition_stub.calls == []


def test_no_pause_is_begun_after_which_there_would_be_no_time(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub, pauses: Pauses
) -> None:
    rekognition_stub.fails("ThrottlingException", times=3)
    with pytest.raises(Unavailable, match="ThrottlingException"):
        recogniser.recognise(sample("chelsea"), OPTIONS, lambda: 6.0)
    assert pauses.seconds == []


def test_pauses_are_drawn_at_random_and_grow(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub, pauses: Pauses
) -> None:
    for _ in range(40):
        rekognition_stub.fails("ThrottlingException", times=2)
        recogniser.recognise(sample("chelsea"), OPTIONS)
    first, second = pauses.seconds[::2], pauses.seconds[1::2]
    assert 0 <= min(first) < 0.15 < 0.35 < max(first) <= 0.5
    assert 0.5 < max(second) <= 1.0
