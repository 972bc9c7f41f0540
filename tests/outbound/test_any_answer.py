"""Whatever bytes come back, the outcome is an answer or one of our errors."""

from __future__ import annotations

import socket

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import DeliveryFailed, UnusableUrl
from chalicelib.outbound import Outbound
from tests.outbound.places import PUBLIC_V4
from tests.thorough import examples

LINES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.0 200",
    b"HTTP/1.1 302 Found",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 999999999999 X",
    b"HTTP/9 -1 \xff",
    b"ICY 200 OK",
    b"Location: \xff\xfe//[x",
    b"Location: https://[::1",
    b"Content-Length: 3",
    b"Content-Length: -3",
    b"Content-Length: " + b"9" * 5000,
    b"Transfer-Encoding: chunked",
    b"Content-Encoding: gzip",
    b"Content-Type: \xff; charset==?=?",
    b" folded",
    b": nameless",
    b"-1",
    b"0",
    b"4;ext",
    b"1_0",
    b"ffffffffffffffffffff",
    b"",
    b"abc",
]
ANSWERS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(LINES) | st.binary(max_size=20), max_size=12).map(b"\r\n".join),
    st.lists(st.sampled_from(LINES), max_size=10).map(lambda lines: LINES[0] + b"\r\n" + b"\r\n".join(lines)),
)


def outbound_answering(data: bytes) -> Outbound:
    def dial(address: str, port: int, seconds: float) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(data)
            theirs.shutdown(socket.SHUT_WR)
        return ours

    return Outbound(allow_private=False, allowed_ports=frozenset(), dial=dial)


@settings(max_examples=examples(500), deadline=None)
@given(ANSWERS)
def test_a_fetch_ends_in_an_answer_or_one_of_our_errors(data: bytes) -> None:
    try:
        reply = outbound_answering(data).get(f"http://{PUBLIC_V4}/", max_bytes=50, deadline=2)
    except UnusableUrl:
        return
    assert 200 <= reply.status <= 999
    assert len(reply.body) <= 50


@settings(max_examples=examples(500), deadline=None)
@given(ANSWERS)
def test_a_post_ends_in_an_answer_or_one_of_our_errors(data: bytes) -> None:
    try:
        reply = outbound_answering(data).post(
            f"http://{PUBLIC_V4}/", body=b"x", headers={}, deadline=2, max_bytes=50
        )
    except DeliveryFailed:
        return
    assert 200 <= reply.status <= 999
    assert len(reply.body) <= 50
