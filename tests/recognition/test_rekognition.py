"""Rekognition's answers kept whole, and its errors told apart by whether trying again can help."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chalicelib.errors import Permanent, RecogniserRefused, Unavailable, UnusableImage
from chalicelib.model import Box, Instance, Label, Model, RecognitionOptions
from chalicelib.recognition.rekognition import RekognitionRecogniser
from tests.recognition.conftest import sample
from tests.stubs.rekognition import RekognitionStub

OPTIONS = RecognitionOptions(min_confidence=55, max_labels=50)


@pytest.fixture
def recogniser(rekognition_client: Any) -> RekognitionRecogniser:
    return RekognitionRecogniser(rekognition_client)


def test_nothing_of_a_label_is_lost(recogniser: RekognitionRecogniser) -> None:
    labels = {label.name: label for label in recogniser.recognise(sample("chelsea"), OPTIONS).labels}
    assert labels["Cat"] == Label(
        name="Cat",
        confidence=98.25,
        parents=("Animal", "Mammal", "Pet"),
        aliases=("Kitty",),
        categories=("Animals and Pets",),
        instances=(Instance(97.5, Box(0.25, 0.0, 0.5, 1.0)),),
    )


def test_a_label_with_nothing_but_its_name_is_understood(recogniser: RekognitionRecogniser) -> None:
    first = recogniser.recognise(sample("chelsea"), OPTIONS).labels[0]
    assert first == Label("Animal", 98.5)


def test_the_model_and_the_rest_of_the_answer_are_kept(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    rekognition_stub.answer = {**rekognition_stub.answer, "ImageProperties": {"Quality": {"Sharpness": 80.5}}}
    recognition = recogniser.recognise(sample("chelsea"), OPTIONS)
    assert recognition.model == Model("rekognition", "3.0")
    assert recognition.extra == {
        "OrientationCorrection": "ROTATE_0",
        "ImageProperties": {"Quality": {"Sharpness": 80.5}},
    }


def test_the_object_in_the_bucket_is_recognised_and_its_bytes_stay_here(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    recogniser.recognise(sample("chelsea"), RecognitionOptions(62.5, 7))
    assert rekognition_stub.calls == [
        {
            "Image": {"S3Object": {"Bucket": "test-bucket", "Name": "uploads/chelsea.jpg"}},
            "MinConfidence": 62.5,
            "MaxLabels": 7,
        }
    ]


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
    rekognition_stub.fails(code, status=status, times=2)
    with pytest.raises(Unavailable, match=code):
        recogniser.recognise(sample("chelsea"), OPTIONS)
    assert not caplog.records


def test_a_rekognition_that_never_answers_may_be_tried_again_later(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    rekognition_stub.hangs()
    rekognition_stub.hangs()
    with pytest.raises(Unavailable, match="Rekognition"):
        recogniser.recognise(sample("chelsea"), OPTIONS)


def test_a_connection_that_breaks_may_be_tried_again_later(
    recogniser: RekognitionRecogniser, rekognition_stub: RekognitionStub
) -> None:
    rekognition_stub.hangs_up()
    rekognition_stub.hangs_up()
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
