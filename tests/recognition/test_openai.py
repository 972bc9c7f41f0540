"""An OpenAI-compatible endpoint: what it is sent, and what becomes of its errors."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from PIL import Image

from chalicelib.aws import Patience
from chalicelib.errors import Misconfigured, RecogniserRefused, Unavailable
from chalicelib.model import Photo, RecognitionOptions
from chalicelib.outbound import Outbound
from chalicelib.recognition.language_model import LONGEST_SIDE, MOST_BYTES_SENT
from chalicelib.recognition.openai import OpenAiRecogniser
from chalicelib.recognition.prompt import Prompt
from tests.recognition.conftest import Pauses, sample
from tests.stubs.scripted import Reply
from tests.stubs.vision import TOKENS_IN, TOKENS_OUT, OpenAiStub

USUAL = RecognitionOptions(50, 50, ("labels", "caption"))


@pytest.mark.slow
def test_the_picture_goes_as_a_small_jpeg_that_tells_nothing_else(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    with BytesIO() as stream:
        Image.effect_noise((4000, 3000), 100).convert("RGB").save(stream, "JPEG", quality=98, exif=exif)
        large = Photo(stream.getvalue(), "image/jpeg", 4000, 3000, "b", "k")
    openai.recognise(large, USUAL)
    (sent,) = openai_stub.pictures
    assert len(sent) <= MOST_BYTES_SENT
    with Image.open(BytesIO(sent)) as seen:
        assert (seen.format, max(seen.size), dict(seen.getexif())) == ("JPEG", LONGEST_SIDE, {})


def test_the_caption_comes_where_it_is_asked_for_and_tokens_are_counted(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub
) -> None:
    recognition = openai.recognise(sample("chelsea"), USUAL)
    assert recognition.caption is not None
    assert recognition.caption.text == "A tabby cat looks at the camera."
    assert recognition.caption.alt == "A tabby cat that looks at you"
    assert recognition.calls == {
        "openai": 1,
        "openai:input_tokens": TOKENS_IN,
        "openai:output_tokens": TOKENS_OUT,
    }
    assert openai_stub.questions[0]["response_format"]["json_schema"]["strict"]


def test_what_it_cannot_give_it_is_not_asked_for(openai: OpenAiRecogniser, openai_stub: OpenAiStub) -> None:
    recognition = openai.recognise(sample("chelsea"), RecognitionOptions(50, 50, ("moderation", "text")))
    assert (recognition.moderation, recognition.text, openai_stub.questions) == (None, None, [])


def test_the_key_goes_along_and_only_where_there_is_one(openai_stub: OpenAiStub, patience: Patience) -> None:
    door = Outbound(allow_private=True, allowed_ports=frozenset())
    for key in ("", "hidden"):
        made = OpenAiRecogniser(door, f"{openai_stub.url}/v1", "m", lambda key=key: key, Prompt, patience)
        made.recognise(sample("chelsea"), USUAL)
    assert openai_stub.keys == ["", "Bearer hidden"]


def test_a_server_without_schemas_is_asked_once_more_without(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub
) -> None:
    openai_stub.replies(Reply(400, b'{"error": "response_format is unknown"}'))
    assert openai.recognise(sample("chelsea"), USUAL).labels
    assert ["response_format" in one for one in openai_stub.questions] == [True, False]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_passes_is_waited_for(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub, pauses: Pauses, status: int
) -> None:
    openai_stub.replies(Reply(status, b"{}"), times=2)
    assert openai.recognise(sample("chelsea"), USUAL).labels
    assert len(pauses.seconds) == 2


def test_a_throttle_that_does_not_pass_says_when_to_come_back(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub
) -> None:
    openai_stub.replies(Reply(429, b"{}", {"Retry-After": "40"}), times=3)
    with pytest.raises(Unavailable) as refused:
        openai.recognise(sample("chelsea"), USUAL)
    assert refused.value.retry_after == 40


def test_a_model_that_is_silent_ends_before_the_function(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub
) -> None:
    openai_stub.hangs()
    with pytest.raises(Unavailable, match="did not answer"):
        openai.recognise(sample("chelsea"), USUAL, lambda: Patience.RESERVE + 1.0)
    assert len(openai_stub.questions) == 1


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_verdict_on_the_picture_is_final(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub, status: int
) -> None:
    openai_stub.replies(Reply(status, b'{"error": {"message": "No such picture."}}'), times=2)
    with pytest.raises(RecogniserRefused, match=r"No such picture\.") as refused:
        openai.recognise(sample("chelsea"), USUAL)
    assert refused.value.code == "endpoint-refused"


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_key_or_name_is_the_deployments_fault(
    openai: OpenAiRecogniser, openai_stub: OpenAiStub, status: int
) -> None:
    openai_stub.replies(Reply(status, b'{"error": "model not found"}'))
    with pytest.raises(Misconfigured, match="model not found"):
        openai.recognise(sample("chelsea"), USUAL)


def test_an_address_that_the_door_does_not_open_is_the_deployments_fault(
    openai_stub: OpenAiStub, patience: Patience
) -> None:
    shut = Outbound(allow_private=False, allowed_ports=frozenset())
    made = OpenAiRecogniser(shut, openai_stub.url, "m", lambda: "", Prompt, patience)
    with pytest.raises(Misconfigured, match="VISION_URL"):
        made.recognise(sample("chelsea"), USUAL)


def test_an_answer_in_vain_has_cost_all_the_same(openai: OpenAiRecogniser, openai_stub: OpenAiStub) -> None:
    openai_stub.says("No.")
    with pytest.raises(RecogniserRefused) as refused:
        openai.recognise(sample("chelsea"), USUAL)
    assert json.dumps(dict(refused.value.calls), sort_keys=True) == (
        f'{{"openai": 1, "openai:input_tokens": {TOKENS_IN}, "openai:output_tokens": {TOKENS_OUT}}}'
    )
