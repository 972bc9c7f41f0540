"""The API's gateway and the partner, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests
from chalice.app import Chalice, CORSConfig

from local import api
from local.aws import PortTaken
from local.config import stage_config
from local.partner import Partner, Received
from local.server import Server

ORIGIN = "https://photos.example"  # whose pages may see what is refused


def small_app() -> Chalice:
    app = Chalice("small")
    app.api.cors = CORSConfig(allow_origin=ORIGIN)
    both_inside = threading.Barrier(2)

    @app.route("/echo/{word}", methods=["GET", "POST"])
    def echo(word: str) -> dict[str, str]:
        if word.startswith("pair"):
            both_inside.wait(timeout=30)
        assert app.current_request is not None
        return {"word": app.current_request.uri_params["word"]}

    return app


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with api.serve(small_app(), stage_config("api_handler"), 0) as server:
        yield server.url


def test_a_route_answers(gateway: str) -> None:
    assert requests.get(f"{gateway}/echo/hello", timeout=30).json() == {"word": "hello"}


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
    reply = requests.post(f"{gateway}/echo/big", data=b"x" * (api.LARGEST_BODY + 1), timeout=20)

    assert reply.status_code == 413
    assert reply.json()["code"] == "too-large"
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST /images" in reply.json()["detail"]


def test_an_answer_to_head_has_no_body_and_the_connection_stays_usable(gateway: str) -> None:
    with requests.Session() as session:
        assert session.head(f"{gateway}/nowhere", timeout=30).status_code == 404
        assert session.get(f"{gateway}/echo/after", timeout=30).json() == {"word": "after"}


def test_a_taken_port_is_named() -> None:
    with (
        api.serve(small_app(), stage_config("api_handler"), 0) as first,
        pytest.raises(PortTaken, match=str(first.port)) as taken,
    ):
        api.serve(small_app(), stage_config("api_handler"), first.port)
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


def test_only_the_last_hundred_documents_are_kept(partner: Partner) -> None:
    for _ in range(101):
        partner.take(DOCUMENT)

    assert len(partner.received) == 100
    assert partner.received[0].reference == "P-00002"
