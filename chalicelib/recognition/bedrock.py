"""A multimodal model of Amazon Bedrock, asked by Converse with one tool that it has to use.

(Amazon Bedrock API reference, Converse; the tool's input schema is the form of the answer.)
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import Patience, TimeLeft, code_of, unhurried
from chalicelib.errors import Misconfigured, RecogniserRefused, SightlineError, Unavailable
from chalicelib.model import Json, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition import bands, choice, statement
from chalicelib.recognition.pixels import scaled
from chalicelib.recognition.prompt import MOST_TOKENS, TOOL, Prompt

logger = logging.getLogger("sightline.recognition.bedrock")

NAME = "bedrock"
LONGEST_SIDE = 1568  # pixels: what multimodal models look at, more is scaled down there and paid for
MOST_BYTES_SENT = 3_750_000  # API reference, ImageBlock
_REFUSALS = frozenset({"content_filtered", "guardrail_intervened"})
# A picture or a question that the model will not take; but also a model that is none.
_VERDICT = "ValidationException"
_NO_MODEL = (
    "model identifier",
    "inference profile",
    "on-demand throughput",
    "doesn't support",
    "does not support",
)


class BedrockRecogniser:
    """Asks ``model``, the id of a model or of an inference profile, through a boto3 bedrock-runtime client.

    The client tries once; ``prompt()`` is what is asked.
    """

    reads_bucket = False

    def __init__(self, client: Any, model: str, prompt: Callable[[], Prompt], patience: Patience) -> None:
        self._client = client
        self._model = model
        self._prompt = prompt
        self._patience = patience

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        prompt = self._prompt()
        model = Model(bands.named(NAME, self._model), prompt.fingerprint)
        if not {"labels", "caption"} & set(options.features):
            return choice.answer((), model, options)
        picture = scaled(photo, LONGEST_SIDE, MOST_BYTES_SENT)
        ask = functools.partial(
            self._client.converse, modelId=self._model, **_question(prompt, options, picture)
        )
        try:
            answer: Json = self._patience.call("Bedrock", ask, time_left)
        except ClientError as error:
            raise _translated(error) from error
        calls = {NAME: 1, **_tokens(answer)}
        ended = str(answer.get("stopReason"))
        if ended in _REFUSALS:
            raise statement.refused(calls)
        labels, caption = statement.understood(
            _said(answer), prompt.terms, prompt.language, cut_off=ended == "max_tokens", calls=calls
        )
        wanted = caption if "caption" in options.features else None
        return choice.answer(labels, model, options, caption=wanted, calls=calls)

    @property
    def model(self) -> Model:
        """A profile may lead to another edition of its model at any time, so there is no version."""
        return Model(f"{bands.named(NAME, self._model)} {self._prompt().fingerprint}", "")


def _question(prompt: Prompt, options: RecognitionOptions, picture: bytes) -> Json:
    tool = {
        "name": TOOL,
        "description": "Takes what is to be seen on the picture.",
        "inputSchema": {"json": prompt.schema(options)},
    }
    return {
        "system": [{"text": prompt.instructions(options)}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"image": {"format": "jpeg", "source": {"bytes": picture}}},
                    {"text": "Describe this picture."},
                ],
            }
        ],
        "inferenceConfig": {"maxTokens": MOST_TOKENS, "temperature": 0.0},
        "toolConfig": {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": TOOL}}},
    }


def _said(answer: Json) -> str | Json:
    """The tool's input; where the model has spoken instead, its text."""
    blocks = list(_blocks(answer))
    for block in blocks:
        used = block.get("toolUse")
        if isinstance(used, dict) and isinstance(used.get("input"), dict):
            return dict(used["input"])
    return "\n".join(block["text"] for block in blocks if isinstance(block.get("text"), str))


def _blocks(answer: Json) -> Iterator[Json]:
    message = (answer.get("output") or {}).get("message") or {}
    yield from (block for block in message.get("content") or () if isinstance(block, dict))


def _tokens(answer: Json) -> dict[str, int]:
    told = answer.get("usage") or {}
    counted = {"input_tokens": told.get("inputTokens"), "output_tokens": told.get("outputTokens")}
    return {
        f"{NAME}:{name}": number for name, number in counted.items() if isinstance(number, int) and number > 0
    }


def _translated(error: ClientError) -> SightlineError:
    """What an error answer means for the image (API reference, Converse, Errors)."""
    code = code_of(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code == _VERDICT and not any(part in message for part in _NO_MODEL):
        return RecogniserRefused(f"The model refused the picture: {message[:200]}", code="endpoint-refused")
    logger.error("bedrock does not serve this deployment: code=%r message=%r", code, message)
    if code in (_VERDICT, "ResourceNotFoundException"):
        return Misconfigured(f"Bedrock does not know BEDROCK_MODEL so: {message}")
    return Unavailable(f"Bedrock did not take the call: {code}: {message}")
