"""An HTTP server that misbehaves by request path, over real sockets on the loopback address.

``with HostileServer() as server`` serves; ``server.url("/drip-body")`` says where; ``server.requests``
is what was asked. What each path does stands in :data:`BEHAVIOURS`.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote

DRIP_SECONDS = 0.2
# Far below what a drip or a silence lasts, far above what a busy machine adds to a deadline of a second.
SOON = 8.0


@dataclass(frozen=True)
class Request:
    """One request as it came: ``headers`` by lower-case name."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Connection:
    """What a behaviour answers on. ``argument`` is what follows the behaviour's name in the path."""

    sock: socket.socket
    request: Request
    argument: str
    stopped: threading.Event

    def send(self, *parts: bytes) -> None:
        self.sock.sendall(b"".join(parts))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        fields = {"Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("utf-8"), body)

    def drip(self, data: bytes) -> None:
        """Byte by byte, until all is sent or the other side or the server is gone."""
        for position in range(len(data)):
            if self.stopped.wait(DRIP_SECONDS):
                return
            self.send(data[position : position + 1])

    def pour(self, data: bytes) -> None:
        while not self.stopped.is_set():
            self.send(data)

    def reset(self) -> None:
        """Close with a TCP reset instead of a goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def _redirect(c: Connection) -> None:
    hops = int(c.argument)
    c.answer(302, Location=f"/redirect/{hops - 1}" if hops > 1 else "/ok")


def _compressed(c: Connection) -> None:
    """``fine``, compressed as the argument says and called so."""
    packed = zlib.compress(b"fine") if c.argument == "deflate" else gzip.compress(b"fine")
    c.answer(200, packed, Content_Encoding=c.argument)


def _bomb(c: Connection) -> None:
    c.answer(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")


BEHAVIOURS: dict[str, Callable[[Connection], None]] = {
    "ok": lambda c: c.answer(200, b"fine"),
    "status": lambda c: c.answer(int(c.argument), b"status " + c.argument.encode()),
    "retry-after": lambda c: c.answer(503, Retry_After=c.argument),
    "bytes": lambda c: c.answer(200, bytes(int(c.argument))),
    "redirect": _redirect,
    "to": lambda c: c.answer(302, Location=unquote(c.argument)),
    "redirect-drip": lambda c: (c.send(b"HTTP/1.1 302 F\r\nLocation: /ok\r\n\r\n"), c.drip(bytes(100))),
    "interim": lambda c: c.send(
        b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 H\r\nLink: </x>\r\n\r\n", OK, b"\r\nfine"
    ),
    "interim-for-ever": lambda c: c.pour(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "continue-for-ever": lambda c: c.pour(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "no-length": lambda c: c.send(OK, b"\r\nfine"),
    "chunked": lambda c: c.send(CHUNKED, b"2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n"),
    "chunks-broken": lambda c: c.send(CHUNKED, b"4\r\nfine\r\nzz\r\n"),
    "chunks-unended": lambda c: c.send(CHUNKED, b"4\r\nfine\r\n"),
    "chunk-negative": lambda c: (c.send(CHUNKED, b"-1\r\n"), c.pour(bytes(65_536))),
    "trailers-for-ever": lambda c: (c.send(CHUNKED, b"0\r\n"), c.pour(b"X: y\r\n")),
    "endless": lambda c: (c.send(OK, b"\r\n"), c.pour(bytes(65_536))),
    "endless-headers": lambda c: (c.send(OK), c.pour(b"X: y\r\n")),
    "endless-line": lambda c: (c.send(OK, b"X: "), c.pour(b"y" * 1000)),
    "drip-headers": lambda c: (c.send(OK), c.drip(b"X: y\r\n" * 100)),
    "drip-body": lambda c: (c.send(OK, b"Content-Length: 600\r\n\r\nfine"), c.drip(bytes(596))),
    "drip-chunks": lambda c: (c.send(CHUNKED), c.drip(b"1\r\nx\r\n" * 100)),
    "too-short": lambda c: c.send(OK, b"Content-Length: 600\r\n\r\nfine"),
    "too-long": lambda c: c.send(OK, b"Content-Length: 4\r\n\r\nfine and more"),
    "length-nonsense": lambda c: c.send(OK, b"Content-Length: -5\r\n\r\nfine"),
    "length-huge": lambda c: c.send(OK, b"Content-Length: 99999999999999999999999\r\n\r\nfine"),
    "gzip-bomb": _bomb,
    "compressed": _compressed,
    "gzip-cut": lambda c: c.answer(200, gzip.compress(bytes(range(256)))[:-20], Content_Encoding="gzip"),
    "encoding": lambda c: c.answer(200, b"fine", Content_Encoding=c.argument),
    "reset": Connection.reset,
    "reset-midway": lambda c: (c.send(OK, b"Content-Length: 600\r\n\r\nfine"), c.reset()),
    "silent": lambda c: c.stopped.wait(),
    "hang-up": lambda c: None,
    "garbage": lambda c: c.send(b"\x00\xff\x16 not HTTP at all\r\n\r\n"),
}


@dataclass
class HostileServer:
    """Listens on ``127.0.0.1`` and a free port. With ``tls``, every connection begins with a handshake."""

    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def url(self, path: str = "/ok") -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    def _start(self, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                sock, _ = self._listener.accept()
                self._start(self._serve, sock)

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), self._secured(raw) as sock:
            sock.settimeout(10)
            for request in _read_request(sock):
                self.requests.append(request)
                name, _, argument = request.path[1:].partition("/")
                behave = BEHAVIOURS.get(name.partition("?")[0], lambda c: c.answer(404, b"no such behaviour"))
                behave(Connection(sock, request, argument, self._stopped))

    @contextlib.contextmanager
    def _secured(self, raw: socket.socket) -> Iterator[socket.socket]:
        with raw:
            if self.tls is None:
                yield raw
            else:
                with self.tls.wrap_socket(raw, server_side=True) as sock:
                    yield sock


def _read_request(sock: socket.socket) -> Iterator[Request]:
    """The request on this connection, if one comes."""
    with sock.makefile("rb") as stream:
        first = stream.readline().decode("latin-1").split()
        if len(first) != 3:
            return
        headers = {}
        while line := stream.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        yield Request(first[0], first[1], headers, stream.read(int(headers.get("content-length", "0"))))
