"""The API's gateway and the partner, over HTTP.

Holds `local/http_server.py`, `local/api_server.py`, `local/partner.py`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from chalice.app import Chalice, CORSConfig

from local import api_server, http_server
from local.config import stage_config
from local.http_server import Server
from local.loopback import PortTaken
from local.moto_server import LocalAws
from local.partner import Partner, Received

ORIGIN = "https://photos.example"  # whose pages may see what is refused


def small_app() -> Chalice:
    app = Chalice("small")
    app.api.cors = CORSConfig(allow_origin=ORIGIN)
    both_inside = threading.Barrier(2)

    @app.route("/echo/{word}", methods=["GET", "POST"])
    def echo(word: str) -> dict[str, Any]:
        if word.startswith("pair"):
            both_inside.wait(timeout=30)
        assert app.current_request is not None
        return {
            "word": app.current_request.uri_params["word"],
            "bytes": len(app.current_request.raw_body or b""),
        }

    return app


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with api_server.serve(small_app(), stage_config("api_handler"), 0) as serving:
        yield serving.url


def test_a_route_answers(gateway: str) -> None:
    assert requests.get(f"{gateway}/echo/hello", timeout=30).json()["word"] == "hello"


def test_a_large_answer_goes_in_gzip_to_who_takes_that(gateway: str) -> None:
    for word, coding, wanted in (
        ("w" * 2000, "gzip", "gzip"),
        ("w" * 2000, "identity", None),
        ("w", "gzip", None),
    ):
        answer = requests.get(f"{gateway}/echo/{word}", headers={"Accept-Encoding": coding}, timeout=30)
        assert answer.headers.get("Content-Encoding") == wanted
        assert answer.json()["word"] == word


def test_requests_at_the_same_time_do_not_see_each_other(gateway: str) -> None:
    words: dict[str, str] = {}

    def ask(word: str) -> None:
        words[word] = requests.get(f"{gateway}/echo/{word}", timeout=30).json()["word"]

    threads = [threading.Thread(target=ask, args=(f"pair-{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert words == {"pair-0": "pair-0", "pair-1": "pair-1"}


@pytest.mark.parametrize("token", [None, b"Bearer x", "Bearer ä".encode("latin-1"), "ä".encode()])
def test_a_route_there_is_not_is_a_problem_with_404_that_the_chosen_origins_pages_may_read(
    gateway: str, token: bytes | None
) -> None:
    headers = {"Authorization": token} if token else {}
    reply = requests.get(f"{gateway}/nowhere?a=1", headers=headers, timeout=30)

    assert reply.status_code == 404
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json()["code"] == "not-found"
    assert reply.json()["detail"] == "No route answers /nowhere."
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_body_larger_than_the_gateway_takes_is_a_problem_with_413(gateway: str) -> None:
    reply = requests.post(f"{gateway}/echo/big", data=b"x" * (api_server.LARGEST_BODY + 1), timeout=20)

    assert reply.status_code == 413
    assert reply.json()["code"] == "too-large"
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST /images" in reply.json()["detail"]


def test_an_answer_to_head_has_no_body_and_the_connection_stays_usable(gateway: str) -> None:
    with requests.Session() as session:
        assert session.head(f"{gateway}/nowhere", timeout=30).status_code == 404
        assert session.get(f"{gateway}/echo/after", timeout=30).json()["word"] == "after"


def pieces(size: int) -> Iterator[bytes]:
    while size > 0:
        yield b"x" * min(size, 700_000)
        size -= 700_000


def test_a_body_in_chunks_is_read(gateway: str) -> None:
    with requests.Session() as session:
        for size in (0, 1, 5_000_000):
            reply = session.post(f"{gateway}/echo/chunks", data=pieces(size), timeout=30)
            assert reply.json()["bytes"] == size
        large = session.post(f"{gateway}/echo/chunks", data=pieces(api_server.LARGEST_BODY + 1), timeout=30)
        assert (large.status_code, large.json()["code"]) == (413, "too-large")
        assert session.get(f"{gateway}/echo/after", timeout=30).json()["word"] == "after"


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: -1",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 2",
        "Content-Length: 4, 2",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_body_that_is_framed_wrongly_is_a_problem_with_400(gateway: str, framing: str) -> None:
    answer = raw(gateway, f"POST /echo/x HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\nzz\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_length_that_is_told_twice_is_one_length(gateway: str) -> None:
    twice = b"Content-Length: 4\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
    head = b"POST /echo/x HTTP/1.1\r\nHost: x\r\n" + twice
    assert raw(gateway, head + b"zz\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "DELETE"])
def test_a_method_that_a_route_has_not_is_a_problem(gateway: str, method: str) -> None:
    reply = requests.request(method, f"{gateway}/echo/x", timeout=30)

    assert reply.status_code == 405
    assert requests.request(method, f"{gateway}/nowhere", timeout=30).json()["code"] == "not-found"


@pytest.mark.parametrize("line", ["GET / HTTP/9.9", "nonsense", f"GET /{'x' * 70_000} HTTP/1.1"])
def test_what_is_no_request_is_a_problem(gateway: str, office: Server, line: str) -> None:
    for url in (gateway, office.url):
        answer = raw(url, f"{line}\r\nHost: x\r\n\r\n".encode())

        assert b'"code": "' in answer
        assert b"<html" not in answer.lower()


def test_headers_have_their_time_and_what_came_of_them_is_not_answered(
    gateway: str, office: Server, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "HEADERS_SECONDS", 0.3)
    for url in (gateway, office.url, aws.url):
        answer = raw(url, b"GET / HTTP/1.1\r\nHost: x\r\nX-Never-Ends: ", then=b"x")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert answer.count(b"HTTP/1.1") == 1


def test_who_says_nothing_is_not_waited_for(gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "SILENT_SECONDS", 0.1)
    assert raw(gateway, b"") == b""


def raw(url: str, request: bytes, *, then: bytes = b"") -> bytes:
    """The answer to these very bytes, until the other side closes; ``then`` is sent on and on meanwhile."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        connection.settimeout(0.1 if then else 30)
        answer = b""
        while True:
            try:
                part = connection.recv(65_536)
            except TimeoutError:
                connection.sendall(then)
                continue
            except ConnectionError:
                return answer
            if not part:
                return answer
            answer += part


def test_a_taken_port_is_named() -> None:
    with (
        api_server.serve(small_app(), stage_config("api_handler"), 0) as first,
        pytest.raises(PortTaken, match=str(first.port)) as taken,
    ):
        api_server.serve(small_app(), stage_config("api_handler"), first.port)
    assert taken.value.port == first.port


# ── the partner ──────────────────────────────────────────────────────────────────────────────
DOCUMENT = "<image xmlns='urn:x' filename='é &amp; b.jpg'/>".encode()


@pytest.fixture
def partner() -> Partner:
    return Partner()


@pytest.fixture
def office(partner: Partner) -> Iterator[Server]:
    with partner.serve(0) as server:
        yield server


def post(office: Server, body: bytes, path: str = "/labels") -> requests.Response:
    return requests.post(office.url + path, data=body, timeout=30)


def test_a_document_gets_a_receipt_with_a_reference(office: Server) -> None:
    first, second = post(office, DOCUMENT), post(office, DOCUMENT)

    assert first.status_code == 200
    assert "<receipt><reference>P-00001</reference></receipt>" in first.text
    assert "P-00002" in second.text


def test_what_came_is_shown_as_json_and_as_a_page(office: Server) -> None:
    post(office, DOCUMENT)

    [kept] = requests.get(f"{office.url}/received", timeout=30).json()["received"]
    page = requests.get(office.url, timeout=30).text

    assert (kept["filename"], kept["xml"]) == ("é & b.jpg", DOCUMENT.decode())
    assert "é &amp; b.jpg" in page
    assert "&lt;image xmlns=" in page


def test_everybody_concerned_is_told_of_a_document() -> None:
    told: list[Received] = []
    with Partner(told.append).serve(0) as office:
        post(office, DOCUMENT)

    assert [one.filename for one in told] == ["é & b.jpg"]


@pytest.mark.parametrize("body", [b"no xml", b"", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_what_is_no_document_is_refused(office: Server, partner: Partner, body: bytes) -> None:
    assert post(office, body).status_code == 400
    assert partner.received == []


def test_a_webhook_of_any_kind_is_taken(office: Server, partner: Partner) -> None:
    sent = {"webhook-id": "msg_1", "content-type": "application/json"}
    answer = requests.post(f"{office.url}/hook", data=b'{"a": 1}', headers=sent, timeout=10)
    assert answer.status_code == 200
    kept = [{"webhook_id": "msg_1", "content_type": "application/json", "body": '{"a": 1}'}]
    assert requests.get(f"{office.url}/hooks", timeout=10).json() == {"hooks": kept}
    assert partner.received == []


def test_a_partner_can_be_told_to_refuse_for_a_while(office: Server, partner: Partner) -> None:
    partner.refuse(503, 500)

    statuses = [post(office, DOCUMENT).status_code for _ in range(3)]

    assert statuses == [503, 500, 200]
    assert len(partner.received) == 1


def test_other_addresses_say_what_there_is(office: Server) -> None:
    assert post(office, DOCUMENT, "/elsewhere").status_code == 404
    assert requests.get(f"{office.url}/elsewhere", timeout=30).status_code == 404


def test_documents_in_chunks_and_head_are_understood(office: Server) -> None:
    assert requests.post(f"{office.url}/labels", data=iter([DOCUMENT]), timeout=30).status_code == 200
    for path, status in (("/", 200), ("/received", 200), ("/elsewhere", 404)):
        head, get = (requests.request(method, office.url + path, timeout=30) for method in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (status, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_a_method_the_partner_has_not_is_a_problem(office: Server) -> None:
    reply = requests.put(office.url, timeout=30)
    assert (reply.status_code, reply.json()["code"]) == (501, "not-implemented")


@pytest.mark.parametrize("body", [iter([b"x" * 1_100_000]), b"x" * 1_100_000])
def test_a_document_that_is_too_large_is_refused(office: Server, body: Any) -> None:
    assert requests.post(f"{office.url}/labels", data=body, timeout=30).status_code == 413


def test_only_the_last_hundred_documents_are_kept(partner: Partner) -> None:
    for _ in range(101):
        partner.take(DOCUMENT)

    assert len(partner.received) == 100
    assert partner.received[0].reference == "P-00002"
