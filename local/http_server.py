"""An HTTP server in a thread, and how requests are read: what all offline servers have in common."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from local.loopback import HOST, listen

log = logging.getLogger("sightline.local")

HEADERS_SECONDS = 10.0  # for a request's line and headers, from their first byte
SILENT_SECONDS = 60.0  # for anything at all, between requests and in a body
LONGEST_LINE = 1000  # of those that frame chunks
PIECE = 65_536
MOST_READ = 10  # times what is taken


class BadBody(Exception):
    """A body that ends too soon, or whose length nobody can tell."""


class LargeBody(Exception):
    """A body with more bytes than are taken."""


class Patient(BaseHTTPRequestHandler):
    """Reads requests to their end, and no longer; refuses in problem documents what is no request."""

    protocol_version = "HTTP/1.1"
    _late = False
    _watch: threading.Timer | None = None

    def handle_one_request(self) -> None:
        """Wait for a request, then read and answer it."""
        self.connection.settimeout(SILENT_SECONDS)
        try:
            begun = self.rfile.peek(1)  # type: ignore[attr-defined]  # a BufferedReader
        except (TimeoutError, ConnectionError):
            begun = b""
        if not begun:
            self.close_connection = True
            return
        if b"\r\n\r\n" not in begun:
            self._watch = threading.Timer(HEADERS_SECONDS, self._give_up)
            self._watch.daemon = True
            self._watch.start()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Whether there is a request; of one that took too long its sender has been told."""
        try:
            read = super().parse_request()
        finally:
            if self._watch:
                self._watch.cancel()
                self._watch = None
        if self._late:
            self.send_error(HTTPStatus.REQUEST_TIMEOUT)
        return read and not self._late

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The ``Date`` of an answer, written once a second."""
        return _dated(int(time.time() if timestamp is None else timestamp))

    def _give_up(self) -> None:
        self._late = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def body(self, at_most: int) -> bytes:
        """The request's body, sent as a whole or in chunks.

        One that is too large is read all the same, within reason: a client that is still sending would not
        see the answer.

        :raises LargeBody: it has more than ``at_most`` bytes.
        :raises BadBody: it is framed wrongly, so this is the connection's last request.
        """
        found, size = bytearray(), 0
        try:
            for part in self._parts():
                size += len(part)
                if size <= at_most:
                    found += part
                if size > MOST_READ * at_most:
                    raise BadBody
        except BadBody:
            self.close_connection = True
            if size <= at_most:
                raise
        if size > at_most:
            raise LargeBody
        return bytes(found)

    def _parts(self) -> Iterator[bytes]:
        """The body in pieces (RFC 9112, sections 6 and 7.1); what follows the last chunk is not used.

        Two lengths are none: another server on the way may have taken the other one.
        """
        told = ",".join(self.headers.get_all("Content-Length", ["0"]))
        lengths = {one.strip() for one in told.split(",")}
        if len(lengths) > 1 or ("Content-Length" in self.headers and "Transfer-Encoding" in self.headers):
            raise BadBody
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := _size_in(self.rfile.readline(LONGEST_LINE)):
                yield from self._pieces(size)
                if self.rfile.readline(LONGEST_LINE) != b"\r\n":
                    raise BadBody
            while self.rfile.readline(LONGEST_LINE).strip():
                pass
            return
        (length,) = lengths
        if not (length.isascii() and length.isdecimal()):
            raise BadBody
        yield from self._pieces(int(length))

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self.rfile.read(min(size, PIECE))
            if not piece:
                raise BadBody
            size -= len(piece)
            yield piece

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in a problem document what is no request, or none that anybody here answers."""
        self.close_connection = True
        status = HTTPStatus(code)
        slug = status.phrase.lower().replace(" ", "-")
        detail = message or status.description or status.phrase
        content = json.dumps(
            {"type": "about:blank", "title": status.phrase, "status": code, "detail": detail, "code": slug}
        ).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _size_in(line: bytes) -> int:
    """How long the chunk is that follows this line."""
    digits = line.partition(b";")[0].strip()
    if not digits or set(digits.lower()) - set(b"0123456789abcdef"):
        raise BadBody
    return int(digits, 16)


@functools.lru_cache(maxsize=8)
def _dated(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


class Server:
    """Serves ``handler`` on ``port`` (0: any free one); a context manager.

    Raises :exc:`~local.loopback.PortTaken` when it is made.
    """

    def __init__(self, port: int, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._server = _Listening(port, handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self._serve, name=f"port-{self.port}", daemon=True)

    def _serve(self) -> None:
        # The interval bounds how long stopping takes.
        self._server.serve_forever(poll_interval=0.05)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        super().__init__((HOST, port), handler, bind_and_activate=False)
        self.socket.close()  # made by TCPServer in any case
        self.socket = listen(port)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event; anything else is ours and worth its traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            log.exception("a request from %r broke the server", client_address)
