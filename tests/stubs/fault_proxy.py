"""A proxy before an AWS endpoint that loses, refuses, throttles, delays or repeats calls, over real HTTP.

``with FaultProxy(url) as proxy`` passes everything on to ``url``. ``proxy.inject("Publish", Fault.REFUSE)``
spoils the next call of that name, ``proxy.spoil_each_call(fault)`` the first try of every call there is.
``proxy.calls`` are the names of the calls that reached AWS, in order.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection, RemoteDisconnected
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Fault(Enum):
    """What becomes of a call."""

    LOSE_CALL = "it never reaches AWS, and the connection breaks"
    LOSE_ANSWER = "AWS carries it out, and the connection breaks before the answer"
    REFUSE = "a 503 instead"
    THROTTLE = "AWS asks for patience instead, each service in its own words"
    REPEAT = "AWS carries it out twice"
    DELAY = "it takes a while, and others overtake it"


DELAY_SECONDS = 0.02


@dataclass(frozen=True)
class Answer:
    """What a caller gets."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


REFUSED = Answer(503, (), b"")


def operation_of(method: str, headers: Mapping[str, str], body: bytes) -> str:
    """The call's name; for S3 its method."""
    if target := headers.get("X-Amz-Target"):
        return target.rpartition(".")[2]
    return next(iter(parse_qs(body.decode("latin-1")).get("Action", [])), method)


def throttled(method: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """How the service that was called says that it was called too often."""
    if headers.get("X-Amz-Target"):
        code = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
        return Answer(400, (("Content-Type", "application/x-amz-json-1.0"),), code)
    if operation_of(method, headers, body) == method:
        return Answer(503, (("Content-Type", "application/xml"),), b"<Error><Code>SlowDown</Code></Error>")
    code = b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"
    return Answer(400, (("Content-Type", "text/xml"),), code)


class FaultProxy:
    """Listens on a free port of the loopback address."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._injected: list[tuple[str, Fault]] = []
        self._each: Fault | None = None
        self._seen: Counter[bytes] = Counter()
        self.calls: list[str] = []
        self.spoilt: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: _Handler(self, *args))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def inject(self, operation: str, fault: Fault, times: int = 1) -> None:
        """Spoil the next ``times`` calls of ``operation`` (``UpdateItem``, ``Publish``, ``PUT`` for S3's)."""
        with self._lock:
            self._injected += [(operation, fault)] * times

    def spoil_each_call(self, fault: Fault) -> None:
        """Spoil the first try of every call from now on; a try is told by its body."""
        self._each = fault

    def heal(self) -> None:
        """Pass everything on from now on."""
        with self._lock:
            self._injected, self._each = [], None

    def fault_for(self, operation: str, body: bytes) -> Fault | None:
        """What is to become of this call."""
        with self._lock:
            self._seen[body] += 1
            fault = self._each if self._seen[body] == 1 else None
            if (match := next((one for one in self._injected if one[0] == operation), None)) is not None:
                self._injected.remove(match)
                fault = match[1]
            if fault:
                self.spoilt.append(operation)
            return fault

    def upstream_of(self, operation: str) -> str:
        """Whom a call is for."""
        return self._upstream

    def forward(
        self, operation: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer | None:
        """Carry a call out; None where it is hung up on."""
        with self._lock:
            self.calls.append(operation)
        connection = HTTPConnection(urlsplit(self.upstream_of(operation)).netloc, timeout=30)
        connection.request(method, path, body, headers)
        try:
            answer = connection.getresponse()
            content = answer.read()
        except RemoteDisconnected:
            return None
        finally:
            connection.close()
        return Answer(answer.status, answer.getheaders(), content)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece: two would meet the other side's delayed acknowledgement, 40 ms each time.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, proxy: FaultProxy, *args: Any) -> None:
        self._proxy = proxy
        super().__init__(*args)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = operation_of(self.command, self.headers, body)
        fault = self._proxy.fault_for(operation, body)
        if fault is Fault.REFUSE:
            self._answer(REFUSED)
            return
        if fault is Fault.THROTTLE:
            self._answer(throttled(self.command, self.headers, body))
            return
        if fault is Fault.DELAY:
            time.sleep(DELAY_SECONDS)
        call = (operation, self.command, self.path, dict(self.headers), body)
        if fault is Fault.REPEAT:
            self._proxy.forward(*call)
        answer = None if fault is Fault.LOSE_CALL else self._proxy.forward(*call)
        if answer is None or fault is Fault.LOSE_ANSWER:
            self.close_connection = True
            return
        self._answer(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the standard library's names

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def handle_expect_100(self) -> bool:
        expected = super().handle_expect_100()
        self.wfile.flush()  # who asks waits a second for this
        return expected

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the proxy keeps what there is to know."""
