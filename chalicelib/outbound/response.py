"""An HTTP response, read no further than it is wanted."""

from __future__ import annotations

import contextlib
import socket
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse

from chalicelib.errors import UnusableUrl
from chalicelib.outbound.url import refused

PIECE_BYTES = 65_536
NETWORK_ERRORS = (OSError, HTTPException)
_DEFLATED = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # told apart by their first bytes


class Headers(Mapping[str, str]):
    """Header fields, found by name whatever the case; those sent several times are joined by commas."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in fields:
            earlier = self._values.get(name.lower())
            self._values[name.lower()] = value if earlier is None else f"{earlier}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer of any ``status``: ``body`` is at most the bytes asked for, no longer in gzip."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@contextlib.contextmanager
def final_response(sock: socket.socket, method: str) -> Iterator[HTTPResponse]:
    """Skip interim responses (RFC 9110 §15.2); :mod:`http.client` does so for 100 only."""
    while True:
        with contextlib.closing(HTTPResponse(sock, method=method)) as response:
            response.begin()
            if response.status >= 200:
                yield response
                return
            response.fp = None  # type: ignore[assignment] # not to be closed with this one: the next is in it


def whole_body(answer: HTTPResponse, max_bytes: int, origin: str) -> bytes:
    """The body as sent; :exc:`UnusableUrl` where it is compressed, cut off or over ``max_bytes``."""
    if answer.getheader("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise refused(origin, "its body is compressed")
    declared = answer.length
    if (declared or 0) > max_bytes or len(body := b"".join(_pieces(answer, max_bytes + 1))) > max_bytes:
        raise UnusableUrl(f"The file behind the URL has more than {max_bytes} bytes.", code="too-large")
    if declared is not None and len(body) < declared:
        raise refused(origin, "its body broke off")
    return body


def beginning(answer: HTTPResponse, max_bytes: int) -> bytes:
    """At most ``max_bytes`` of the body, as far as it came; empty for an unknown content coding.

    The status is known by now, so a body that is cut off or slow no longer decides anything. Some servers
    compress whatever they are asked: gzip and deflate are undone, no further than needed.
    """
    coding = answer.getheader("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", *_DEFLATED):
        return b""
    body = bytearray()
    with contextlib.suppress(*NETWORK_ERRORS):
        for piece in _pieces(answer, max_bytes):
            body += piece
    return _inflated(bytes(body), max_bytes) if coding in _DEFLATED else bytes(body)


def _inflated(body: bytes, max_bytes: int) -> bytes:
    """The content that gzip or deflate (RFC 9110 §8.4.1) packed into ``body``, as far as it can be read."""
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, max_bytes)
    return b""


def _pieces(answer: HTTPResponse, limit: int) -> Iterator[bytes]:
    rest = limit if answer.length is None else min(limit, answer.length)
    while rest > 0 and (piece := answer.read1(min(rest, PIECE_BYTES))):
        yield piece[:rest]  # a negative chunk size makes read1 generous
        rest -= len(piece)
