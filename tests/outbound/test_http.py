"""Fetching and posting over real sockets, from partners good and bad.

Holds `chalicelib/outbound/http.py`, `chalicelib/outbound/response.py`, `chalicelib/outbound/sockets.py`.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from chalicelib.errors import DeliveryFailed, UnusableUrl
from chalicelib.outbound import Outbound, Reply
from chalicelib.outbound.url import CODE, SENTENCE
from tests.outbound.places import PUBLIC_V4, PUBLIC_V6, Dialler, Names
from tests.stubs.hostile_http import DRIP_SECONDS, SOON, HostileServer

LOCAL = Outbound(allow_private=True, allowed_ports=frozenset())


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


def get(url: str, *, max_bytes: int = 1000, deadline: float = 5) -> Reply:
    return LOCAL.get(url, max_bytes=max_bytes, deadline=deadline)


def post(url: str, *, deadline: float = 5, max_bytes: int = 65_536) -> Reply:
    return LOCAL.post(url, body=b"<x/>", headers={}, deadline=deadline, max_bytes=max_bytes)


def seconds_until_error(call: object, *, kind: type[Exception]) -> float:
    assert callable(call)
    started = time.monotonic()
    with pytest.raises(kind):
        call()
    return time.monotonic() - started


# ── what should work ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "path", ["/ok", "/chunked", "/no-length", "/interim", "/redirect/3", "/length-nonsense"]
)
def test_a_body_is_fetched_however_it_is_framed(server: HostileServer, path: str) -> None:
    assert get(server.url(path)).body == b"fine"


@pytest.mark.parametrize("status", [200, 204, 206, 304, 400, 401, 404, 410, 429, 500, 503])
def test_any_status_is_an_answer_to_both(server: HostileServer, status: int) -> None:
    assert get(server.url(f"/status/{status}")).status == status
    assert post(server.url(f"/status/{status}")).status == status


def test_bytes_beyond_the_declared_length_are_no_part_of_the_body(server: HostileServer) -> None:
    assert get(server.url("/too-long")).body == b"fine"


def test_a_body_of_exactly_the_limit_passes(server: HostileServer) -> None:
    assert len(get(server.url("/bytes/1000"), max_bytes=1000).body) == 1000


def test_headers_are_found_whatever_their_case(server: HostileServer) -> None:
    reply = post(server.url("/retry-after/120"))
    assert reply.headers["RETRY-after"] == reply.headers["retry-after"] == "120"
    assert "x-none" not in reply.headers


def test_a_post_carries_its_body_and_headers(server: HostileServer) -> None:
    body = "<é/>".encode() * 100_000
    headers = {"Content-Type": "application/xml", "webhook-id": "msg_1"}
    LOCAL.post(server.url("/ok?a=1"), body=body, headers=headers, deadline=5)
    request = server.requests[-1]
    assert (request.method, request.path, request.body) == ("POST", "/ok?a=1", body)
    assert request.headers["content-type"] == "application/xml"
    assert request.headers["webhook-id"] == "msg_1"


def test_requests_ask_for_an_unencoded_body_and_name_their_host(server: HostileServer) -> None:
    get(server.url())
    headers = server.requests[-1].headers
    assert headers["accept-encoding"] == "identity"
    assert headers["host"] == f"127.0.0.1:{server.port}"


def test_nothing_of_the_environment_is_used(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    with HostileServer() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
            monkeypatch.setenv(name.upper(), proxy.url(""))
        assert get(server.url()).body == b"fine"
        assert post(server.url()).status == 200
        assert proxy.requests == []
    assert not {"authorization", "cookie"} & set(server.requests[-1].headers)


def test_the_address_is_dialled_and_the_name_is_asked_for(server: HostileServer) -> None:
    names, dialler = Names({"images.example": [[PUBLIC_V4]]}), Dialler(server.port)
    outbound = Outbound(allow_private=False, allowed_ports=frozenset(), resolve=names, dial=dialler)
    assert outbound.get("http://images.example/ok", max_bytes=10, deadline=5).body == b"fine"
    assert (names.asked, dialler.dialled) == (["images.example"], [(PUBLIC_V4, 80)])
    assert server.requests[-1].headers["host"] == "images.example"


def test_the_second_address_is_tried_where_the_first_does_not_answer(server: HostileServer) -> None:
    dialler = Dialler(server.port)

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        if address == PUBLIC_V6:
            raise OSError("network is unreachable")
        return dialler(address, port, seconds)

    names = Names({"images.example": [[PUBLIC_V6, PUBLIC_V4]]})
    outbound = Outbound(allow_private=False, allowed_ports=frozenset(), resolve=names, dial=dial)
    assert outbound.get("http://images.example/ok", max_bytes=10, deadline=5).status == 200


def test_no_more_than_four_addresses_of_a_name_are_tried() -> None:
    tried: list[str] = []

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    addresses = [f"93.184.215.{last}" for last in range(1, 100)]
    outbound = Outbound(False, frozenset(), resolve=Names({"many.example": [addresses]}), dial=dial)
    with pytest.raises(DeliveryFailed, match="refused the connection"):
        outbound.post("http://many.example/", body=b"", headers={}, deadline=1)
    assert tried == addresses[:4]


def test_an_early_answer_counts_though_the_body_was_not_read() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n")
    theirs.close()
    outbound = Outbound(False, frozenset(), dial=lambda *_: ours)
    assert outbound.post(f"http://{PUBLIC_V4}/", body=bytes(10**6), headers={}, deadline=1).status == 413


def test_a_real_look_up_works_for_the_local_stage(server: HostileServer) -> None:
    assert get(f"http://localhost:{server.port}/ok").body == b"fine"


def test_ten_posts_at_once_share_one_outbound(server: HostileServer) -> None:
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(post(server.url()))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200] * 10


# ── redirects ────────────────────────────────────────────────────────────────────────────────
def test_a_fourth_redirect_is_not_followed(server: HostileServer) -> None:
    with pytest.raises(UnusableUrl):
        get(server.url("/redirect/4"))


def test_a_post_never_follows_a_redirect(server: HostileServer) -> None:
    before = len(server.requests)
    reply = post(server.url("/redirect/1"))
    assert (reply.status, reply.headers["location"]) == (302, "/ok")
    assert len(server.requests) == before + 1


def test_a_redirect_is_followed_without_waiting_for_its_body(server: HostileServer) -> None:
    assert get(server.url("/redirect-drip"), deadline=1).body == b"fine"


# ── bounds ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("path", ["/bytes/1001", "/endless", "/length-huge"])
def test_more_than_the_limit_is_refused_by_name(server: HostileServer, path: str) -> None:
    with pytest.raises(UnusableUrl) as caught:
        get(server.url(path), max_bytes=1000)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("path", ["/bytes/100000", "/endless", "/chunk-negative"])
def test_a_post_keeps_the_beginning_of_a_long_answer(server: HostileServer, path: str) -> None:
    assert post(server.url(path), max_bytes=1000).body == bytes(1000)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "deflate"])
def test_an_answer_that_was_compressed_unasked_is_read(server: HostileServer, coding: str) -> None:
    assert post(server.url(f"/compressed/{coding}")).body == b"fine"


def test_a_compressed_answer_is_read_no_further_than_it_is_wanted(server: HostileServer) -> None:
    assert post(server.url("/gzip-bomb"), max_bytes=1000).body == bytes(1000)
    assert bytes(range(200)) in post(server.url("/gzip-cut")).body


@pytest.mark.parametrize("path", ["/encoding/br", "/encoding/gzip", "/encoding/gzip, br"])
def test_an_answer_that_cannot_be_uncompressed_is_no_text(server: HostileServer, path: str) -> None:
    reply = post(server.url(path.replace(" ", "")))
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/gzip-bomb",
        "/encoding/br",
        "/encoding/deflate, identity",
        "/chunks-broken",
        "/chunks-unended",
        "/trailers-for-ever",
        "/endless-headers",
        "/endless-line",
        "/continue-for-ever",
        "/interim-for-ever",
        "/too-short",
        "/reset",
        "/reset-midway",
        "/hang-up",
        "/garbage",
    ],
)
def test_no_cause_of_a_failed_fetch_can_be_told_from_another(server: HostileServer, path: str) -> None:
    with pytest.raises(UnusableUrl) as caught:
        get(server.url(path.replace(" ", "%20").replace("%20", "")))
    assert (caught.value.code, caught.value.detail) == (CODE, SENTENCE)


class Counted(socket.socket):
    """A socket that knows how much it has received."""

    received = 0

    def recv_into(self, *args: object) -> int:
        count = super().recv_into(*args)
        self.received += count
        return count


@pytest.mark.parametrize(
    "path", ["/endless", "/chunk-negative", "/endless-headers", "/endless-line", "/gzip-bomb"]
)
def test_no_more_is_received_than_an_answer_can_need(server: HostileServer, path: str) -> None:
    socks: list[Counted] = []

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        socks.append(Counted(fileno=socket.create_connection((address, port), seconds).detach()))
        return socks[0]

    outbound = Outbound(allow_private=True, allowed_ports=frozenset(), dial=dial)
    with pytest.raises(UnusableUrl):
        outbound.get(server.url(path), max_bytes=100_000, deadline=5)
    assert 0 < socks[0].received < 65_536 + 2 * 100_000 + 65_536


@pytest.mark.parametrize("path", ["/drip-headers", "/silent"])
def test_the_deadline_ends_a_post_that_gets_no_answer(server: HostileServer, path: str) -> None:
    assert seconds_until_error(lambda: post(server.url(path), deadline=1), kind=DeliveryFailed) < SOON


@pytest.mark.parametrize("path", ["/drip-headers", "/drip-body", "/drip-chunks", "/silent"])
def test_the_deadline_ends_a_fetch_that_drips(server: HostileServer, path: str) -> None:
    assert 0.9 < seconds_until_error(lambda: get(server.url(path), deadline=1), kind=UnusableUrl) < SOON


def test_one_deadline_holds_for_all_redirects_together(server: HostileServer) -> None:
    seconds = seconds_until_error(lambda: get(server.url("/to/%2Fdrip-body"), deadline=1), kind=UnusableUrl)
    assert seconds < SOON


def test_a_given_status_counts_though_the_body_drips(server: HostileServer) -> None:
    started = time.monotonic()
    reply = post(server.url("/drip-body"), deadline=1)
    assert reply.status == 200
    assert reply.body.startswith(b"fine")
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize("at_a_time", [0, 5_000], ids=["not at all", "slowly"])
def test_the_deadline_holds_against_one_who_does_not_read(at_a_time: int) -> None:
    over = threading.Event()
    outbound = Outbound(allow_private=True, allowed_ports=frozenset(), dial=dial_with_small_buffer)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
        reader = threading.Thread(target=read_slowly, args=(listener, at_a_time, over))
        reader.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        seconds = seconds_until_error(
            lambda: outbound.post(url, body=bytes(1_000_000), headers={}, deadline=1), kind=DeliveryFailed
        )
        over.set()
        reader.join()
    assert seconds < SOON


def dial_with_small_buffer(address: str, port: int, seconds: float) -> socket.socket:
    sock = socket.create_connection((address, port), seconds)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    return sock


def read_slowly(listener: socket.socket, at_a_time: int, over: threading.Event) -> None:
    sock, _ = listener.accept()
    with sock:
        while not over.wait(DRIP_SECONDS):
            if at_a_time:
                sock.recv(at_a_time)


def test_the_deadline_holds_against_a_slow_look_up() -> None:
    awake = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        awake.wait(20)
        return [PUBLIC_V4]

    outbound = Outbound(allow_private=False, allowed_ports=frozenset(), resolve=resolve)
    for call, kind in (
        (lambda: outbound.get("http://slow.example/", max_bytes=1, deadline=0.3), UnusableUrl),
        (lambda: outbound.check("http://slow.example/", deadline=0.3), UnusableUrl),
        (lambda: outbound.post("http://slow.example/", body=b"", headers={}, deadline=0.3), DeliveryFailed),
    ):
        assert seconds_until_error(call, kind=kind) < SOON
    awake.set()


def test_the_deadline_holds_against_slow_connections_to_many_addresses() -> None:
    def dial(address: str, port: int, seconds: float) -> socket.socket:
        time.sleep(seconds)
        raise TimeoutError("timed out")

    names = Names({"slow.example": [[f"93.184.215.{last}" for last in range(1, 100)]]})
    outbound = Outbound(allow_private=False, allowed_ports=frozenset(), resolve=names, dial=dial)
    seconds = seconds_until_error(
        lambda: outbound.post("http://slow.example/", body=b"", headers={}, deadline=1), kind=DeliveryFailed
    )
    assert seconds < SOON


# ── what a destination's owner is told ───────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/reset", "The destination broke off the connection."),
        ("/hang-up", "The destination broke off the connection."),
        ("/garbage", "The destination did not answer in HTTP."),
        ("/continue-for-ever", "The destination could not be reached."),
    ],
)
def test_a_post_without_an_answer_says_what_happened(server: HostileServer, path: str, sentence: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        post(server.url(path))
    assert caught.value.detail == sentence


def test_a_closed_port_is_a_failed_delivery() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DeliveryFailed, match="refused the connection"):
        post(f"http://127.0.0.1:{port}/")


def test_a_name_that_is_not_known_fails_a_delivery_with_the_words_of_a_refused_one() -> None:
    outbound = Outbound(allow_private=False, allowed_ports=frozenset(), resolve=Names())
    with pytest.raises(DeliveryFailed) as caught:
        outbound.post("http://nowhere.example/", body=b"", headers={}, deadline=1)
    assert caught.value.detail == SENTENCE


def test_logs_never_hold_the_path_or_the_query(
    server: HostileServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="sightline"):
        for call in (get, post):
            with pytest.raises((UnusableUrl, DeliveryFailed)):
                call(server.url("/reset/token-in-path?signature=secret"))
    assert len(caplog.records) == 2
    assert not {word for word in ("token", "secret") if word in caplog.text}
