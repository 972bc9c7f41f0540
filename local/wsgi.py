"""The servers in front of moto: one for HTTP, and a channel for who runs in a process of the stack.

On HTTP requests follow each other on a connection. werkzeug's own server closes it after one answer: with a
connection, and a thread, for each call an AWS client is a third slower.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import sys
import threading
from http import HTTPStatus
from multiprocessing.connection import Connection, Listener
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.core.request import environ_key_for_header
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from local.aws_channel import send
from local.http_server import BadBody, LargeBody, Patient
from local.loopback import BACKLOG, WsgiApp

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
        self._answer(*answered(self.server.app, environ))

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


class Channel:
    """Answers with ``app`` what :mod:`local.aws_channel` brings to ``address``; a context manager.

    At its end nobody gets in any more, and who is in goes with this process.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._listener = Listener(backlog=BACKLOG)  # in a folder that nobody else may enter
        self.address = str(self._listener.address)
        self._thread = threading.Thread(target=self._accept, name="aws-channel", daemon=True)

    def __enter__(self) -> Channel:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                connection = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), name="aws", daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with connection, contextlib.suppress(EOFError, ConnectionError):
            while True:
                status, headers, body = answered(self._app, _environ(*connection.recv()))
                send(connection, (int(status.partition(" ")[0]), headers, body))


def answered(app: WsgiApp, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body of an application's answer; a 500 if it raises."""
    try:
        parts, status, headers = run_wsgi_app(app, environ, buffered=True)
    except Exception:
        log.exception("%s %r broke the server", environ["REQUEST_METHOD"], environ["REQUEST_URI"])
        return "500 Internal Server Error", [], b""
    return status, list(headers), b"".join(parts)


def _environ(method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """What werkzeug makes of a request (PEP 3333), but for what says who sent it."""
    to = urlsplit(url)
    path = to.path or "/"
    target = f"{path}?{to.query}" if to.query else path
    return {
        **{environ_key_for_header(name): value for name, value in headers if "_" not in name},
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path).encode().decode("latin-1"),
        "QUERY_STRING": to.query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "SERVER_NAME": to.hostname,
        "SERVER_PORT": str(to.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": to.netloc,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": to.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
