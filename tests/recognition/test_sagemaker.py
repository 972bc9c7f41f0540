"""An endpoint's answers become labels, and its errors are told apart by whether trying again can help.

The endpoint is the project's own: packed by its script, served from the archive with its handler. What it
would never do, a scripted server does.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chalicelib.aws import Patience
from chalicelib.errors import BadSetting, RecogniserRefused, Unavailable
from chalicelib.model import Label, Photo, RecognitionOptions
from chalicelib.recognition import sagemaker
from chalicelib.recognition.sagemaker import SageMakerRecogniser
from tests.recognition.conftest import MODELS, sample
from tests.stubs.endpoint import EndpointStub

USUAL = RecognitionOptions(min_confidence=50, max_labels=50)


@pytest.fixture
def stub() -> Iterator[EndpointStub]:
    with EndpointStub() as stub:
        yield stub


@pytest.fixture
def recogniser(
    stub: EndpointStub, client_of: Callable[[str, str], Any], patience: Patience
) -> SageMakerRecogniser:
    return SageMakerRecogniser(client_of("sagemaker-runtime", stub.url), "sightline-test", MODELS, patience)


def labels_of(recogniser: SageMakerRecogniser, least: float = 50) -> dict[str, Label]:
    recognition = recogniser.recognise(sample("chelsea"), RecognitionOptions(least, 50))
    return {label.name: label for label in recognition.labels}


def test_the_packed_model_sees_a_cat_through_its_own_handler(endpoint: SageMakerRecogniser) -> None:
    recognition = endpoint.recognise(sample("chelsea"), USUAL)
    labels = {label.name: label for label in recognition.labels}
    assert labels["Domestic Cat"].confidence > 60
    assert labels["Cat"].parents == ("Feline", "Carnivore", "Mammal", "Animal")
    assert recognition.model.name == "efficientnet_lite0_int8"
    assert len(recognition.model.version) == 8
    assert recognition.calls == {"sagemaker": 1}


def test_a_picture_that_the_model_cannot_read_is_refused_for_good(endpoint: SageMakerRecogniser) -> None:
    broken = dataclasses.replace(sample("chelsea"), content=b"\xff\xd8\xff no more")
    with pytest.raises(RecogniserRefused, match="cannot be read") as raised:
        endpoint.recognise(broken, USUAL)
    assert raised.value.code == "endpoint-refused"


def test_an_endpoint_that_is_not_there_loses_no_image(
    served: Any, runtime: Any, patience: Patience, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match="not found"):
        SageMakerRecogniser(runtime, "another", MODELS, patience).recognise(sample("chelsea"), USUAL)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.slow
def test_a_photo_over_the_limit_is_sent_smaller(
    recogniser: SageMakerRecogniser, stub: EndpointStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = Image.effect_noise((1700, 1600), 100).convert("RGB")
    with BytesIO() as stream:
        noise.save(stream, "PNG")
        large = Photo(stream.getvalue(), "image/png", *noise.size, "b", "k")
    assert len(large.content) > sagemaker.MOST_BYTES_SENT
    recogniser.recognise(large, USUAL)
    (sent,) = stub.bodies
    assert len(sent) <= sagemaker.MOST_BYTES_SENT
    with Image.open(BytesIO(sent)) as seen:
        assert (seen.format, max(seen.size)) == ("JPEG", 1600)
    assert stub.content_types == ["image/jpeg"]


def test_a_photo_within_the_limit_is_sent_as_it_is(
    recogniser: SageMakerRecogniser, stub: EndpointStub
) -> None:
    recogniser.recognise(sample("chelsea"), USUAL)
    assert stub.bodies == [sample("chelsea").content]


def test_the_endpoints_own_classes_become_labels(recogniser: SageMakerRecogniser, stub: EndpointStub) -> None:
    stub.answers({"classes": ["rust spot", "  fine  weld "], "scores": [0.75, 0.25]})
    labels = labels_of(recogniser, least=20)
    assert {name: label.confidence for name, label in labels.items()} == {"Rust Spot": 75, "Fine Weld": 25}
    assert labels["Rust Spot"].parents == ()


def test_a_class_that_the_hierarchy_knows_has_its_general_terms(
    recogniser: SageMakerRecogniser, stub: EndpointStub
) -> None:
    stub.answers({"classes": ["cat", "dog", "toaster"], "scores": [0.5, 0.25, 0.25]})
    labels = labels_of(recogniser)
    assert "Animal" in labels["Cat"].parents
    assert labels["Animal"].confidence == 75


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"[" * 100_000,
        {"scores": [0.5]},
        {"classes": ["cat"]},
        {"classes": ["cat"], "scores": 0.5},
        {"classes": ["cat"], "scores": [1.5]},
        {"classes": ["cat"], "scores": [True]},
        {"classes": ["cat"], "scores": [float("nan")]},
        {"classes": ["cat"], "scores": ["0.5"]},
        {"classes": ["cat", "dog"], "scores": [0.5]},
        {"classes": ["cat", ""], "scores": [0.5, 0.5]},
        {"classes": [7], "scores": [0.5]},
        {"classes": "imagenet-1k", "scores": [0.5]},
        {"classes": "imagenet-22k", "scores": [0.5]},
        {"classes": {"cat": 1}, "scores": [0.5, 0.5]},
        {"classes": ["cat"], "scores": [0.5], "model": "mobilenet"},
    ],
)
def test_an_answer_that_breaks_the_contract_loses_no_image_and_is_logged(
    recogniser: SageMakerRecogniser, stub: EndpointStub, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    stub.answers(answer)
    with pytest.raises(Unavailable, match="not understood"):
        recogniser.recognise(sample("chelsea"), USUAL)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ModelNotReadyException", 429),
        ("ServiceUnavailable", 503),
        ("InternalFailure", 500),
        ("InternalDependencyException", 530),
    ],
)
def test_what_passes_is_waited_for(
    recogniser: SageMakerRecogniser, stub: EndpointStub, code: str, status: int
) -> None:
    stub.fails(code, status, times=2)
    assert labels_of(recogniser)["Cat"]
    assert len(stub.bodies) == 3


@pytest.mark.parametrize(("code", "status"), [("ServiceUnavailable", 503), ("ModelNotReadyException", 429)])
def test_what_does_not_pass_in_time_may_be_tried_again_later(
    recogniser: SageMakerRecogniser, stub: EndpointStub, code: str, status: int
) -> None:
    stub.fails(code, status, times=3)
    with pytest.raises(Unavailable, match=code):
        recogniser.recognise(sample("chelsea"), USUAL)


def test_an_endpoint_that_hangs_may_be_tried_again_later(
    recogniser: SageMakerRecogniser, stub: EndpointStub
) -> None:
    stub.hangs(times=3)
    with pytest.raises(Unavailable, match="SageMaker could not be reached"):
        recogniser.recognise(sample("chelsea"), USUAL)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_models_verdict_on_the_image_is_final(
    recogniser: SageMakerRecogniser, stub: EndpointStub, status: int
) -> None:
    stub.fails("ModelError", 424, OriginalStatusCode=status, OriginalMessage="No such picture.")
    with pytest.raises(RecogniserRefused, match=r"No such picture\."):
        recogniser.recognise(sample("chelsea"), USUAL)
    assert len(stub.bodies) == 1


@pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
def test_a_model_that_breaks_loses_no_image_and_is_not_asked_again_at_once(
    recogniser: SageMakerRecogniser, stub: EndpointStub, status: int
) -> None:
    stub.fails("ModelError", 424, OriginalStatusCode=status, OriginalMessage="Worker died.")
    with pytest.raises(Unavailable, match="ModelError"):
        recogniser.recognise(sample("chelsea"), USUAL)
    assert len(stub.bodies) == 1


def test_without_the_hierarchy_the_setting_is_named(runtime: Any, patience: Patience, tmp_path: Path) -> None:
    lost = SageMakerRecogniser(runtime, "sightline-test", tmp_path, patience)
    with pytest.raises(BadSetting, match=r"MODELS_DIR.*imagenet_hierarchy\.json"):
        lost.recognise(sample("chelsea"), USUAL)


class TestTheContainersProtocol:
    """What SageMaker asks of a container ("Use Your Own Inference Code", SageMaker developer guide)."""

    def test_it_is_healthy_once_it_answers(self, served: Any, http: Any) -> None:
        assert http.get(f"{served.url}/ping").status_code == 200

    def test_an_invocation_is_answered_by_the_contract(self, served: Any, http: Any) -> None:
        answer = http.post(
            f"{served.url}/invocations",
            data=sample("chelsea").content,
            headers={"Content-Type": "image/jpeg"},
        )
        body = json.loads(answer.text)
        assert (len(body["scores"]), body["classes"]) == (1000, "imagenet-1k")
        assert max(body["scores"]) > 0.2

    @pytest.mark.parametrize(
        ("body", "content_type", "status"), [(b"GIF89a", "image/gif", 415), (b"hello", "image/png", 400)]
    )
    def test_what_is_no_picture_is_refused_in_the_models_own_words(
        self, served: Any, http: Any, body: bytes, content_type: str, status: int
    ) -> None:
        answer = http.post(f"{served.url}/invocations", data=body, headers={"Content-Type": content_type})
        assert answer.status_code == status
