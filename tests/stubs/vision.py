"""Two services with a multimodal model: OpenAI's chat completions, and Bedrock's Converse.

Until told otherwise the model says :data:`A_CAT`. ``stub.questions`` is what was asked, ``stub.pictures`` are
the bytes it was shown. ``python -m tests.stubs.vision`` serves the first on a port, for ``make run
RECOGNISER=openai``; then it says which colour a picture has.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image

from tests.stubs.scripted import Reply, ScriptedServer

A_CAT: dict[str, Any] = {
    "labels": [
        {"name": "animal", "confidence": "likely"},
        {"name": "cat", "confidence": "certain"},
        {"name": "dining table", "confidence": "possible"},
    ],
    "caption": "A tabby cat looks at the camera.",
    "alt": "Image of a tabby cat that looks at you",
}
TOKENS_IN, TOKENS_OUT = 1567, 89
_COLOURS = {"red": (200, 60, 50), "green": (70, 150, 60), "blue": (60, 90, 190), "white": (230,) * 3}
_COLOURS |= {"black": (25,) * 3, "grey": (128,) * 3, "brown": (120, 80, 50), "yellow": (220, 200, 60)}


class VisionStub(ScriptedServer):
    """What both have: questions, pictures and an answer."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.questions: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        self.keys: list[str] = []
        self.answer: Any = A_CAT
        self.ended = ""

    def says(self, answer: Any, ended: str = "") -> None:
        """From now on: an object, or the text that the model says in its stead; and why it stopped."""
        self.answer, self.ended = answer, ended

    def note(self, headers: Mapping[str, str], body: bytes) -> None:
        question = json.loads(body)
        self.questions.append(question)
        self.pictures.append(self.picture_in(question))
        self.keys.append(headers.get("Authorization", ""))

    def picture_in(self, question: dict[str, Any]) -> bytes:
        raise NotImplementedError

    @property
    def text(self) -> str:
        return self.answer if isinstance(self.answer, str) else json.dumps(self.answer)


class OpenAiStub(VisionStub):
    """``POST /v1/chat/completions``; ``GET /v1/models`` names one."""

    def picture_in(self, question: dict[str, Any]) -> bytes:
        url = question["messages"][1]["content"][0]["image_url"]["url"]
        return base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))

    def usual(self, headers: Mapping[str, str], body: bytes) -> Reply:
        message = {"role": "assistant", "content": self.text}
        return self.completion(message)

    def completion(self, message: Any) -> Reply:
        usage = {"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT}
        choices = [{"index": 0, "message": message, "finish_reason": self.ended or "stop"}]
        return Reply(200, json.dumps({"model": "stub", "choices": choices, "usage": usage}).encode())

    def page(self, path: str) -> Reply:
        return Reply(200, b'{"data": [{"id": "stub"}]}') if path == "/v1/models" else super().page(path)


class BedrockStub(VisionStub):
    """``POST /model/{id}/converse``; an object is given to the tool, a text is said."""

    def picture_in(self, question: dict[str, Any]) -> bytes:
        return base64.b64decode(question["messages"][0]["content"][0]["image"]["source"]["bytes"])

    def usual(self, headers: Mapping[str, str], body: bytes) -> Reply:
        used = isinstance(self.answer, dict)
        tool = {"toolUse": {"toolUseId": "t1", "name": "describe_picture", "input": self.answer}}
        message = {"role": "assistant", "content": [tool if used else {"text": self.text}]}
        answer = {
            "output": {"message": message},
            "stopReason": self.ended or ("tool_use" if used else "end_turn"),
            "usage": {
                "inputTokens": TOKENS_IN,
                "outputTokens": TOKENS_OUT,
                "totalTokens": TOKENS_IN + TOKENS_OUT,
            },
            "metrics": {"latencyMs": 7},
        }
        return Reply(200, json.dumps(answer).encode())

    def fails(self, code: str, status: int, message: str = "Not now.", *, times: int = 1) -> None:
        content = json.dumps({"message": message}).encode()
        self.replies(Reply(status, content, {"x-amzn-ErrorType": code}), times=times)


class _Colours(OpenAiStub):
    def usual(self, headers: Mapping[str, str], body: bytes) -> Reply:
        with Image.open(BytesIO(self.pictures.pop())) as picture:
            mean = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))
        assert isinstance(mean, tuple)
        colour = min(_COLOURS, key=lambda one: math.dist(mean, _COLOURS[one]))
        self.questions.clear()
        self.says(
            {
                "labels": [{"name": f"{colour} picture", "confidence": "certain"}],
                "caption": f"A picture whose prevailing colour is {colour}.",
                "alt": f"Something {colour}",
            }
        )
        return super().usual(headers, body)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=11434)
    with _Colours(parser.parse_args().port) as stub:
        print(f"A stub of a multimodal model: {stub.url}/v1, model stub. Ctrl-C stops it.", flush=True)
        try:
            stub.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
