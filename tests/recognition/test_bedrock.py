"""A model of Bedrock, over HTTP with an unmodified client: what it is asked, what it costs, how it fails.

Holds `chalicelib/recognition/language_model.py`, `chalicelib/recognition/prices.py`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Misconfigured, RecogniserRefused, Unavailable
from chalicelib.model import RecognitionOptions
from chalicelib.recognition.bedrock import BedrockRecogniser
from chalicelib.recognition.cascade import CascadeRecogniser
from chalicelib.recognition.onnx import OnnxRecogniser
from chalicelib.recognition.prices import cost, price_of_an_image, prices
from chalicelib.settings import Settings
from tests.conftest import ENVIRONMENT
from tests.fakes.world import CAT, ROCKET, World
from tests.recognition.conftest import Pauses, sample
from tests.stubs.vision import TOKENS_IN, TOKENS_OUT, BedrockStub

USUAL = RecognitionOptions(50, 50, ("labels", "caption"))
NOVA_LITE = (Decimal("0.06"), Decimal("0.24"))


def test_the_model_has_to_use_the_one_tool_and_answers_through_it(
    bedrock: BedrockRecogniser, bedrock_stub: BedrockStub
) -> None:
    recognition = bedrock.recognise(sample("chelsea"), USUAL)
    assert [one.name for one in recognition.labels] == ["Cat", "Animal", "Dining Table"]
    assert recognition.caption is not None
    assert recognition.caption.alt == "A tabby cat that looks at you"
    assert recognition.model.name == "bedrock:eu.amazon.nova-lite-v1:0"
    (asked,) = bedrock_stub.questions
    assert asked["toolConfig"]["toolChoice"] == {"tool": {"name": "describe_picture"}}
    assert bedrock_stub.pictures[0].startswith(b"\xff\xd8")


def test_a_model_that_speaks_instead_is_read_too(
    bedrock: BedrockRecogniser, bedrock_stub: BedrockStub
) -> None:
    bedrock_stub.says('Well: {"labels": [{"name": "cat", "confidence": "likely"}]}')
    assert [one.name for one in bedrock.recognise(sample("chelsea"), USUAL).labels] == ["Cat"]


@pytest.mark.parametrize(
    ("said", "ended", "code"),
    [
        ("No.", "malformed_tool_use", "answer-unreadable"),
        ({"labels": "cat"}, "malformed_model_output", "answer-unreadable"),
        ({}, "max_tokens", "answer-cut-off"),
        ("Sorry", "content_filtered", "answer-refused"),
        ({"labels": []}, "guardrail_intervened", "answer-refused"),
    ],
)
def test_an_answer_in_vain_has_a_code_and_has_cost(
    bedrock: BedrockRecogniser, bedrock_stub: BedrockStub, said: Any, ended: str, code: str
) -> None:
    bedrock_stub.says(said, ended)
    with pytest.raises(RecogniserRefused) as refused:
        bedrock.recognise(sample("chelsea"), USUAL)
    assert (refused.value.code, refused.value.calls["bedrock:output_tokens"]) == (code, TOKENS_OUT)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 429),
        ("ModelNotReadyException", 429),
        ("ModelTimeoutException", 408),
        ("ServiceUnavailableException", 503),
    ],
)
def test_what_passes_is_waited_for(
    bedrock: BedrockRecogniser, bedrock_stub: BedrockStub, pauses: Pauses, code: str, status: int
) -> None:
    bedrock_stub.fails(code, status, times=2)
    assert bedrock.recognise(sample("chelsea"), USUAL).labels
    assert len(pauses.seconds) == 2
    bedrock_stub.fails(code, status, times=3)
    with pytest.raises(Unavailable, match=code):
        bedrock.recognise(sample("chelsea"), USUAL)


@pytest.mark.parametrize(
    ("code", "status", "message", "error"),
    [
        ("AccessDeniedException", 403, "No right to the model.", Misconfigured),
        ("ResourceNotFoundException", 404, "No such model.", Misconfigured),
        ("ValidationException", 400, "The provided model identifier is invalid.", Misconfigured),
        ("ValidationException", 400, "Could not process image", RecogniserRefused),
        ("ModelErrorException", 424, "It broke.", Unavailable),
    ],
)
def test_faults_of_the_deployment_lose_no_image_and_verdicts_are_final(
    bedrock: BedrockRecogniser,
    bedrock_stub: BedrockStub,
    code: str,
    status: int,
    message: str,
    error: type[Exception],
) -> None:
    bedrock_stub.fails(code, status, message)
    with pytest.raises(error) as raised:
        bedrock.recognise(sample("chelsea"), USUAL)
    assert type(raised.value) is error


def test_a_throttled_model_leaves_the_photo_on_the_queue(
    bedrock: BedrockRecogniser, bedrock_stub: BedrockStub
) -> None:
    world: Any = World(FEATURES="labels,caption")
    world.recogniser = bedrock
    bedrock_stub.fails("ThrottlingException", 429, times=3)
    event = {"Records": [world.drop("uploads/cat.jpg").to_json()]}
    pipeline.label_or_leave(event, world)
    assert world.image_at("uploads/cat.jpg").status == "labelling"
    body = json.dumps(world.uploads_queue.messages.pop(0))
    assert pipeline.label_messages({"Records": [{"body": body}]}, world) == {"batchItemFailures": []}
    assert world.image_at("uploads/cat.jpg").status == "labelled"


def test_usage_costs_what_the_tokens_do_to_the_micro_dollar(
    bedrock: BedrockRecogniser, bedrock_stub: BedrockStub
) -> None:
    """Answers in vain cost as much as others; the day's calls are calls and not tokens."""
    world: Any = World(DAILY_CALLS="2")
    world.recogniser = bedrock
    pipeline.label_image(world.drop("uploads/cat.jpg", CAT), world)
    bedrock_stub.says("No.")
    pipeline.label_image(world.drop("uploads/rocket.jpg", ROCKET), world)
    (day,) = world.usage.days("default", "2000-01-01", "2100-01-01", most=366)
    told = 2 * (TOKENS_IN * 60 + TOKENS_OUT * 240)  # nano-dollars
    assert day.calls["bedrock"] == 2
    assert cost(day.calls, prices(world.with_settings(bedrock_prices=NOVA_LITE).settings)) == round(
        told / 1000
    )
    pipeline.label_image(world.drop("uploads/third.jpg", CAT[:-2] + b"\x00\xff\xd9"), world)
    assert world.image_at("uploads/third.jpg").error.code == "budget-used-up"
    assert len(bedrock_stub.questions) == 2


def test_what_an_image_may_cost_is_known_beforehand_and_not_too_little() -> None:
    chosen = {"RECOGNISER": "cascade", "CASCADE_SECOND": "bedrock", "BEDROCK_MODEL": "amazon.nova-lite-v1:0"}
    settings = Settings.read({**ENVIRONMENT, **chosen, "BEDROCK_PRICES": "0.06,0.24"})
    much = {"bedrock:input_tokens": 3 * TOKENS_IN, "bedrock:output_tokens": 5 * TOKENS_OUT}
    told = price_of_an_image(settings, {})
    assert told is not None
    assert told >= cost(much, prices(settings)) > 0


@pytest.mark.slow
def test_as_the_second_of_a_cascade_it_is_asked_where_the_networks_are_unsure(
    onnx: OnnxRecogniser, bedrock: BedrockRecogniser, bedrock_stub: BedrockStub
) -> None:
    labels_alone = RecognitionOptions(50, 50)
    sure = CascadeRecogniser(onnx, bedrock, 10).recognise(sample("chelsea"), labels_alone)
    assert (bedrock_stub.questions, sure.calls) == ([], {"onnx": 1})
    unsure = CascadeRecogniser(onnx, bedrock, 100).recognise(sample("chelsea"), USUAL)
    assert unsure.model.name.startswith("bedrock:")
    assert unsure.caption is not None
    captioned = CascadeRecogniser(onnx, bedrock, 10).recognise(sample("chelsea"), USUAL)
    assert captioned.caption is not None
    assert captioned.model.name.startswith("efficientnet")
