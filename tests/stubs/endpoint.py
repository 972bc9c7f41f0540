"""A SageMaker runtime that sees a cat until told otherwise: see :mod:`tests.stubs.scripted`.

``stub.bodies`` and ``stub.content_types`` are what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.stubs.scripted import Reply, ScriptedServer

A_CAT = {"classes": ["cat", "toaster"], "scores": [0.9, 0.1]}
MODEL = {"name": "stub", "version": "1"}


class EndpointStub(ScriptedServer):
    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []
        self.content_types: list[str] = []
        self.answers(A_CAT)

    def answers(self, answer: dict[str, Any] | bytes) -> None:
        """From now on: these bytes; or this object, with the name of the model."""
        named = answer if isinstance(answer, bytes) else json.dumps({"model": MODEL, **answer}).encode()
        self._answer = named

    def fails(self, code: str, status: int, *, times: int = 1, **body: Any) -> None:
        content = json.dumps({"Message": code, **body}).encode()
        self.replies(Reply(status, content, {"x-amzn-ErrorType": code}), times=times)

    def note(self, headers: Mapping[str, str], body: bytes) -> None:
        self.content_types.append(headers["Content-Type"])
        self.bodies.append(body)

    def usual(self, headers: Mapping[str, str], body: bytes) -> Reply:
        return Reply(200, self._answer)
