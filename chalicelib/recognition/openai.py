"""A recogniser for any endpoint with OpenAI's chat completions: Ollama, llama.cpp, vLLM, or a service.

Source: OpenAI API reference, "Create chat completion". A JSON schema asks for the form of the answer.
"""

from __future__ import annotations

import base64
import functools
import json
import logging
import math
from collections.abc import Callable

from chalicelib.aws import THROTTLE, Patience, TimeLeft
from chalicelib.errors import DeliveryFailed, Misconfigured, RecogniserRefused, Unavailable, UnusableUrl
from chalicelib.model import Json
from chalicelib.outbound import Outbound, Reply
from chalicelib.recognition.language_model import LanguageModelRecogniser, ModelAnswer, ModelQuestion
from chalicelib.recognition.prompt import TOOL, Prompt

logger = logging.getLogger("sightline.recognition.openai")

MOST_BYTES_BACK = 1_000_000
LONGEST_CALL = 50.0  # seconds
LONGEST_WAIT = 900.0  # seconds, which a queue can hold a message back
_VERDICTS = frozenset({400, 413, 415, 422})
_PASSING = frozenset({408, 409, 425, 429})


class OpenAiRecogniser(LanguageModelRecogniser):
    """Asks ``model`` at ``url`` (which ends before ``/chat/completions``) through the one door for HTTP.

    ``key()`` is the bearer token, or empty; ``prompt()`` is what is asked.
    """

    kind = "openai"

    def __init__(
        self,
        door: Outbound,
        url: str,
        model: str,
        key: Callable[[], str],
        prompt: Callable[[], Prompt],
        patience: Patience,
    ) -> None:
        super().__init__(model, prompt)
        self._door = door
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._key = key
        self._patience = patience

    def _ask(self, question: ModelQuestion, time_left: TimeLeft) -> ModelAnswer:
        request = _request(self._model, question)
        answer = self._patience.call(
            "The model", functools.partial(self._answered, request, time_left), time_left
        )
        message, ended = _message(answer)
        usage = answer.get("usage")
        counted: Json = usage if isinstance(usage, dict) else {}
        return ModelAnswer(
            _said(message),
            counted.get("prompt_tokens"),
            counted.get("completion_tokens"),
            refused=ended == "content_filter" or bool(message.get("refusal")),
            cut_off=ended == "length",
        )

    def _answered(self, request: Json, time_left: TimeLeft) -> Json:
        reply = self._posted(request, time_left)
        if reply.status == 400:  # some servers know no schema; the prompt asks for the form as well
            plain = {name: one for name, one in request.items() if name != "response_format"}
            reply = self._posted(plain, time_left)
        if reply.status == 200:
            return _decoded(reply.body)
        raise _translated(reply)

    def _posted(self, request: Json, time_left: TimeLeft) -> Reply:
        seconds = min(LONGEST_CALL, time_left() - self._patience.RESERVE)
        if seconds <= 0:
            raise Unavailable("Too little time is left to ask the model.")
        key = self._key()
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        body = json.dumps(request).encode()
        try:
            return self._door.post(
                self._url, body=body, headers=headers, deadline=seconds, max_bytes=MOST_BYTES_BACK
            )
        except UnusableUrl as error:
            logger.error("VISION_URL may not be used: %s", error.detail)
            raise Misconfigured(f"VISION_URL: {error.detail}") from error
        except DeliveryFailed as error:
            raise Unavailable(f"The model at VISION_URL did not answer: {error.detail}") from error


def _request(model: str, question: ModelQuestion) -> Json:
    form = {"name": TOOL, "strict": True, "schema": question.schema}
    told = f"{question.instructions}\nAnswer in JSON by this schema: {json.dumps(question.schema)}"
    picture = f"data:image/jpeg;base64,{base64.b64encode(question.picture).decode()}"
    image = {"type": "image_url", "image_url": {"url": picture}}
    return {
        "model": model,
        "messages": [{"role": "system", "content": told}, {"role": "user", "content": [image]}],
        "response_format": {"type": "json_schema", "json_schema": form},
        "max_tokens": question.most_tokens,
        "temperature": 0,
        "stream": False,
    }


def _decoded(body: bytes) -> Json:
    """The answer if it is a JSON object; anything else does not hold the model's words."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(answer: Json) -> tuple[Json, str]:
    """The first choice's message (empty where there is none), and why the model ended there."""
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        return {}, ""
    return first["message"], str(first.get("finish_reason"))


def _said(message: Json) -> str:
    """The text of a message, which may come in parts."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _translated(reply: Reply) -> Exception:
    """The error for a status: the picture is refused, it may pass, or the deployment is at fault."""
    text = reply.body[:300].decode("utf-8", "replace")
    said = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if reply.status in _VERDICTS:
        return RecogniserRefused(
            f"The model refused the picture ({reply.status}): {said}", code="endpoint-refused"
        )
    if reply.status in _PASSING or reply.status >= 500:
        wait = _retry_after(reply)
        code = THROTTLE if reply.status == 429 else None
        return Unavailable(f"The model at VISION_URL answered {reply.status}.", code=code, retry_after=wait)
    logger.error("the model does not serve this deployment: %d %s", reply.status, said)
    return Misconfigured(f"The model at VISION_URL answered {reply.status}: {said}")


def _retry_after(reply: Reply) -> float | None:
    try:
        seconds = float(reply.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT) if math.isfinite(seconds) and seconds > 0 else None
