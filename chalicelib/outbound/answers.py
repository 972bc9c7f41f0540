"""Reading an HTTP answer no further than it is wanted."""

from __future__ import annotations

import contextlib
import socket
import zlib
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse

from chalicelib.errors import UnusableUrl
from chalicelib.outbound.refusals import refused

PIECE_BYTES = 65_536
NETWORK_ERRORS = (OSError, HTTPException)
_DEFLATED = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # told apart by their first bytes


@contextlib.contextmanager
def final_answer(wire: socket.socket, method: str) -> Iterator[HTTPResponse]:
    """Interim answers (RFC 9110 §15.2) are passed over; :mod:`http.client` does so for 100 only."""
    while True:
        with contextlib.closing(HTTPResponse(wire, method=method)) as answer:
            answer.begin()
            if answer.status >= 200:
                yield answer
                return
            answer.fp = None  # type: ignore[assignment] # not to be closed with this answer: the next is in it


def whole_body(answer: HTTPResponse, max_bytes: int, origin: str) -> bytes:
    """The body as sent; :exc:`UnusableUrl` where it is compressed, broken off or over ``max_bytes``."""
    if answer.getheader("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise refused(origin, "its body is compressed")
    declared = answer.length
    if (declared or 0) > max_bytes or len(body := b"".join(_pieces(answer, max_bytes + 1))) > max_bytes:
        raise UnusableUrl(f"The file behind the URL has more than {max_bytes} bytes.", code="too-large")
    if declared is not None and len(body) < declared:
        raise refused(origin, "its body broke off")
    return body


def beginning(answer: HTTPResponse, max_bytes: int) -> bytes:
    """At most ``max_bytes`` of the body, or what could be had of it; nothing of a coding unknown here.

    The status was given, so a body that breaks off or drips no longer decides anything. Some servers
    compress whatever they are asked: gzip and deflate are undone, no further than it is wanted.
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
    """What gzip or deflate (RFC 9110 §8.4.1) made ``body`` of, as far as it can be read."""
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, max_bytes)
    return b""


def _pieces(answer: HTTPResponse, limit: int) -> Iterator[bytes]:
    rest = limit if answer.length is None else min(limit, answer.length)
    while rest > 0 and (piece := answer.read1(min(rest, PIECE_BYTES))):
        yield piece[:rest]  # a negative chunk size makes read1 generous
        rest -= len(piece)
