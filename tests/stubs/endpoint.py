"""A SageMaker runtime on the loopback address that answers by a script.

``with EndpointStub() as stub`` serves at ``stub.url``; ``stub.bodies`` and ``stub.content_types`` are what
was sent. It sees a cat until told otherwise.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

A_CAT = {"classes": ["cat", "toaster"], "scores": [0.9, 0.1]}
MODEL = {"name": "stub", "version": "1"}


class EndpointStub:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.content_types: list[str] = []
        self.answer: bytes = _answer(A_CAT)
        self._script: deque[Callable[[_Call], None]] = deque()
        self._stopping = threading.Event()
        handler = type("Call", (_Call,), {"stub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answers(self, answer: dict[str, Any] | bytes) -> None:
        """From now on: these bytes; or this object, with the name of the model."""
        self.answer = answer if isinstance(answer, bytes) else _answer(answer)

    def fails(self, code: str, status: int, *, times: int = 1, **body: Any) -> None:
        content = json.dumps({"Message": code, **body}).encode()
        self._script.extend([lambda call: call.reply(status, content, code)] * times)

    def hangs(self, *, times: int = 1) -> None:
        self._script.extend([lambda call: self._stopping.wait() and None] * times)

    def act(self, call: _Call) -> None:
        self.content_types.append(call.headers["Content-Type"])
        self.bodies.append(call.rfile.read(int(call.headers["Content-Length"])))
        if self._script:
            self._script.popleft()(call)
        else:
            call.reply(200, self.answer)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Call(BaseHTTPRequestHandler):
    stub: EndpointStub

    def do_POST(self) -> None:
        self.stub.act(self)

    def reply(self, status: int, content: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("x-amzn-ErrorType", code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The tests' output is no place for an access log."""


def _answer(data: dict[str, Any]) -> bytes:
    return json.dumps({"model": MODEL, **data}).encode()
