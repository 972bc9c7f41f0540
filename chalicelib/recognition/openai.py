"""Any endpoint that speaks OpenAI's chat completions and sees pictures: Ollama, llama.cpp, vLLM, a service.

(OpenAI API reference, "Create chat completion"; the answer's form is asked for by a JSON schema.)
"""

from __future__ import annotations

import base64
import functools
import json
import logging
import math
from collections.abc import Callable
from typing import Any

from chalicelib.aws import THROTTLE, Patience, TimeLeft, unhurried
from chalicelib.errors import DeliveryFailed, Misconfigured, RecogniserRefused, Unavailable, UnusableUrl
from chalicelib.model import Json, Model, Photo, Recognition, RecognitionOptions
from chalicelib.outbound import Outbound, Reply
from chalicelib.recognition import bands, choice, statement
from chalicelib.recognition.pixels import scaled
from chalicelib.recognition.prompt import MOST_TOKENS, TOOL, Prompt

logger = logging.getLogger("sightline.recognition.openai")

NAME = "openai"
LONGEST_SIDE = 1568  # pixels: what multimodal models look at, more is scaled down there and paid for
MOST_BYTES_SENT = 3_750_000
MOST_BYTES_BACK = 1_000_000
LONGEST_CALL = 50.0  # seconds
LONGEST_WAIT = 900.0  # seconds, which a queue can hold a message back
_VERDICTS = frozenset({400, 413, 415, 422})
_PASSING = frozenset({408, 409, 425, 429})


class OpenAiRecogniser:
    """Asks ``model`` at ``url`` (which ends before ``/chat/completions``) through the one door for HTTP.

    ``key()`` is the bearer token, or empty; ``prompt()`` is what is asked.
    """

    reads_bucket = False

    def __init__(
        self,
        door: Outbound,
        url: str,
        model: str,
        key: Callable[[], str],
        prompt: Callable[[], Prompt],
        patience: Patience,
    ) -> None:
        self._door = door
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._model = model
        self._key = key
        self._prompt = prompt
        self._patience = patience

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        prompt = self._prompt()
        model = Model(bands.named(NAME, self._model), prompt.fingerprint)
        if not {"labels", "caption"} & set(options.features):
            return choice.answer((), model, options)
        picture = base64.b64encode(scaled(photo, LONGEST_SIDE, MOST_BYTES_SENT)).decode()
        question = _question(self._model, prompt, options, picture)
        answer = self._patience.call(
            "The model", functools.partial(self._asked, question, time_left), time_left
        )
        calls = {NAME: 1, **_tokens(answer)}
        message, ended = _message(answer, calls)
        if ended == "content_filter" or message.get("refusal"):
            raise statement.refused(calls)
        labels, caption = statement.understood(
            _said(message), prompt.terms, prompt.language, cut_off=ended == "length", calls=calls
        )
        wanted = caption if "caption" in options.features else None
        return choice.answer(labels, model, options, caption=wanted, calls=calls)

    @property
    def model(self) -> Model:
        """What stands behind a model's name can be exchanged at any time, so there is no version."""
        return Model(f"{bands.named(NAME, self._model)} {self._prompt().fingerprint}", "")

    def _asked(self, question: Json, time_left: TimeLeft) -> Json:
        reply = self._posted(question, time_left)
        if reply.status == 400:  # some servers know no schema; the prompt asks for the form as well
            reply = self._posted(
                {name: one for name, one in question.items() if name != "response_format"}, time_left
            )
        if reply.status == 200:
            return _decoded(reply.body)
        raise _translated(reply)

    def _posted(self, question: Json, time_left: TimeLeft) -> Reply:
        seconds = min(LONGEST_CALL, time_left() - self._patience.RESERVE)
        if seconds <= 0:
            raise Unavailable("Too little time is left to ask the model.")
        key = self._key()
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        body = json.dumps(question).encode()
        try:
            return self._door.post(
                self._url, body=body, headers=headers, deadline=seconds, max_bytes=MOST_BYTES_BACK
            )
        except UnusableUrl as error:
            logger.error("VISION_URL may not be used: %s", error.detail)
            raise Misconfigured(f"VISION_URL: {error.detail}") from error
        except DeliveryFailed as error:
            raise Unavailable(f"The model at VISION_URL did not answer: {error.detail}") from error


def _question(model: str, prompt: Prompt, options: RecognitionOptions, picture: str) -> Json:
    schema = prompt.schema(options)
    form = {"type": "json_schema", "json_schema": {"name": TOOL, "strict": True, "schema": schema}}
    told = f"{prompt.instructions(options)}\nAnswer in JSON by this schema: {json.dumps(schema)}"
    image = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}}
    return {
        "model": model,
        "messages": [{"role": "system", "content": told}, {"role": "user", "content": [image]}],
        "response_format": form,
        "max_tokens": MOST_TOKENS,
        "temperature": 0,
        "stream": False,
    }


def _decoded(body: bytes) -> Json:
    """The answer as far as it is JSON; whatever else it is, the model's words are not in it."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(answer: Json, calls: Json) -> tuple[Json, str]:
    """The first choice's message, and why the model ended there."""
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(message, dict):
        raise RecogniserRefused(
            "The model's answer is not in the form that was asked for; have it labelled again.",
            code="answer-unreadable",
            calls=calls,
        )
    return message, str(first.get("finish_reason")) if isinstance(first, dict) else ""


def _said(message: Json) -> str:
    """The text of a message, which may come in parts."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _tokens(answer: Json) -> dict[str, int]:
    usage = answer.get("usage")
    told: dict[str, Any] = usage if isinstance(usage, dict) else {}
    counted = {"input_tokens": told.get("prompt_tokens"), "output_tokens": told.get("completion_tokens")}
    return {
        f"{NAME}:{name}": number
        for name, number in counted.items()
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 10_000_000
    }


def _translated(reply: Reply) -> Exception:
    """What a status means: a verdict on the picture, "not now", or a fault of the deployment."""
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
