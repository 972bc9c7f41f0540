"""A recogniser for multimodal models of Amazon Bedrock: Converse, with one tool that the model has to use.

Source: Amazon Bedrock API reference, Converse. The tool's input schema is the form of the answer.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import Patience, TimeLeft, code_of
from chalicelib.errors import Misconfigured, RecogniserRefused, SightlineError, Unavailable
from chalicelib.model import Json
from chalicelib.recognition.language_model import LanguageModelRecogniser, ModelAnswer, ModelQuestion
from chalicelib.recognition.prompt import TOOL, Prompt

logger = logging.getLogger("sightline.recognition.bedrock")

_REFUSALS = frozenset({"content_filtered", "guardrail_intervened"})
# The code where the model will not take a picture or a question; but also where there is no such model.
_VERDICT = "ValidationException"
_NO_MODEL = (
    "model identifier",
    "inference profile",
    "on-demand throughput",
    "doesn't support",
    "does not support",
)


class BedrockRecogniser(LanguageModelRecogniser):
    """Asks ``model``, the id of a model or of an inference profile, through a boto3 bedrock-runtime client.

    The client tries once; ``prompt()`` is what is asked.
    """

    kind = "bedrock"

    def __init__(self, client: Any, model: str, prompt: Callable[[], Prompt], patience: Patience) -> None:
        super().__init__(model, prompt)
        self._client = client
        self._patience = patience

    def _ask(self, question: ModelQuestion, time_left: TimeLeft) -> ModelAnswer:
        ask = functools.partial(self._client.converse, modelId=self._model, **_request(question))
        try:
            answer: Json = self._patience.call("Bedrock", ask, time_left)
        except ClientError as error:
            raise _translated(error) from error
        ended, usage = str(answer.get("stopReason")), answer.get("usage") or {}
        return ModelAnswer(
            _said(answer),
            usage.get("inputTokens"),
            usage.get("outputTokens"),
            refused=ended in _REFUSALS,
            cut_off=ended == "max_tokens",
        )


def _request(question: ModelQuestion) -> Json:
    tool = {
        "name": TOOL,
        "description": "Takes what is to be seen on the picture.",
        "inputSchema": {"json": question.schema},
    }
    return {
        "system": [{"text": question.instructions}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"image": {"format": "jpeg", "source": {"bytes": question.picture}}},
                    {"text": "Describe this picture."},
                ],
            }
        ],
        "inferenceConfig": {"maxTokens": question.most_tokens, "temperature": 0.0},
        "toolConfig": {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": TOOL}}},
    }


def _said(answer: Json) -> str | Json:
    """The tool's input; where the model wrote text instead, that text."""
    message = (answer.get("output") or {}).get("message") or {}
    blocks = [block for block in message.get("content") or () if isinstance(block, dict)]
    for block in blocks:
        used = block.get("toolUse")
        if isinstance(used, dict) and isinstance(used.get("input"), dict):
            return dict(used["input"])
    return "\n".join(block["text"] for block in blocks if isinstance(block.get("text"), str))


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
