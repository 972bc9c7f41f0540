"""Reading an HTTP answer no further than it is wanted."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse

from chalicelib.errors import UnusableUrl
from chalicelib.outbound.refusals import refused

PIECE_BYTES = 65_536
NETWORK_ERRORS = (OSError, HTTPException)


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
    """At most ``max_bytes`` of the body, or what could be had of it.

    The status was given, so a body that breaks off or drips no longer decides anything.
    """
    body = bytearray()
    with contextlib.suppress(*NETWORK_ERRORS):
        for piece in _pieces(answer, max_bytes):
            body += piece
    return bytes(body)


def _pieces(answer: HTTPResponse, limit: int) -> Iterator[bytes]:
    rest = limit if answer.length is None else min(limit, answer.length)
    while rest > 0 and (piece := answer.read1(min(rest, PIECE_BYTES))):
        yield piece[:rest]  # a negative chunk size makes read1 generous
        rest -= len(piece)
