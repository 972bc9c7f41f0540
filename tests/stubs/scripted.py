"""A service on the loopback address that answers by a script first, and then as it usually does.

``with`` a subclass ``as stub`` serves at ``stub.url``. Requests first use up what was scripted, one each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Reply:
    """An answer in JSON."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class ScriptedServer:
    """Answers POST requests; a subclass says how, in :meth:`usual`."""

    def __init__(self, port: int = 0) -> None:
        self._script: deque[Callable[[], Reply | None]] = deque()
        self._stopping = threading.Event()
        handler = type("Call", (_Call,), {"stub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def replies(self, reply: Reply, *, times: int = 1) -> None:
        """The next calls get this."""
        self._script.extend([lambda: reply] * times)

    def hangs(self, *, times: int = 1) -> None:
        """The next calls get no answer for as long as the stub lives."""
        self._script.extend([lambda: self._stopping.wait() and None] * times)

    def hangs_up(self, *, times: int = 1) -> None:
        """The next calls' connections are closed without an answer."""
        self._script.extend([lambda: None] * times)

    def note(self, headers: Mapping[str, str], body: bytes) -> None:
        """Remember a request, whatever it will be answered."""

    def usual(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """What a request is answered to which nothing is scripted."""
        raise NotImplementedError

    def page(self, path: str) -> Reply:
        """What a GET is answered."""
        return Reply(404, b"{}")

    def wait(self) -> None:
        """Until the stub is told to stop."""
        self._stopping.wait()

    def answered(self, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """A reply, or None to hang up."""
        self.note(headers, body)
        return self._script.popleft()() if self._script else self.usual(headers, body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Call(BaseHTTPRequestHandler):
    stub: ScriptedServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply = self.stub.answered(dict(self.headers.items()), body)
        self._send(reply)

    def do_GET(self) -> None:
        self._send(self.stub.page(self.path))

    def _send(self, reply: Reply | None) -> None:
        if reply is None:
            return
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *_: object) -> None:
        """The tests' output is no place for an access log."""
