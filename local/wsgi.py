"""The server in front of moto: requests follow each other on a connection.

werkzeug's own closes every connection after one answer: with a connection, and a thread, for each call
an AWS client is a third slower.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import threading
from http import HTTPStatus
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from local.http_server import BadBody, LargeBody, Patient

log = logging.getLogger("sightline.local")

LARGEST_BODY = 5 * 1024**3  # Amazon S3, "PutObject"


class MotoHandler(Patient, WSGIRequestHandler):
    """Reads a whole request, and writes a whole answer, before the next one on its connection."""

    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of an answer go out together

    def handle(self) -> None:
        """Answer until either side has had enough."""
        with self.server.open(self.connection), contextlib.suppress(ConnectionError):  # type: ignore[attr-defined]
            super().handle()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nobody reads a line for each request."""

    def run_wsgi(self) -> None:
        """Answer one request, with a 500 if the application raises."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        try:
            body = self.body(LARGEST_BODY)
        except (BadBody, LargeBody):
            self.send_error(HTTPStatus.BAD_REQUEST, "The body is too large, or framed wrongly.")
            return
        # To the application it came as a whole.
        environ = {**self.make_environ(), "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        self._answer(*self._asked(environ))

    def _asked(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        try:
            parts, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        except Exception:
            log.exception("%s %r broke the server", self.command, self.path)
            return "500 Internal Server Error", [], b""
        return status, list(headers), b"".join(parts)

    def _answer(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        bodiless = self.command == "HEAD" or code in ("204", "304")
        for name, value in headers:
            if bodiless or name.lower() != "content-length":
                self.send_header(name, value)
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(body)
        self.wfile.flush()


class WsgiServer(ThreadedWSGIServer):
    """Serves ``app`` on a listening socket, each connection in a thread."""

    def __init__(self, listener: socket.socket, app: Any) -> None:
        host, port = listener.getsockname()
        self._open: set[socket.socket] = set()
        self._counting = threading.Lock()
        super().__init__(host, port, app, MotoHandler, fd=listener.fileno())

    @contextlib.contextmanager
    def open(self, connection: socket.socket) -> Any:
        """Know of a connection while it lasts."""
        with self._counting:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._counting:
                self._open.discard(connection)

    def end(self) -> None:
        """Stop serving, also on connections that are open; what is being answered is cut off."""
        self.shutdown()
        with self._counting:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
