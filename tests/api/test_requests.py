"""What a body may be: JSON by its type, a form on the older routes, or nothing."""

from __future__ import annotations

import pytest

from tests.api.client import Api
from tests.fakes.services import FakeServices

FORM = "application/x-www-form-urlencoded"
CALLBACK = "https://example.com/hook?a=1&b=2"
TYPES = ("text/plain", FORM, "multipart/form-data; boundary=x", "image/jpeg", "nonsense", "")


@pytest.mark.parametrize("content_type", TYPES)
def test_a_request_without_a_body_is_served_whatever_its_type(api: Api, content_type: str) -> None:
    image = api.handed_in()
    answers = [
        api.get("/images", content_type=content_type),
        api.post("/blobs", content_type=content_type),
        api.post("/export", content_type=content_type),
        api.post("/signing-secret/rotate", content_type=content_type),
        api.request("DELETE", f"/images/{image}", content_type=content_type),
    ]
    assert [answer.status_code for answer in answers] == [200, 201, 202, 200, 200]
    without = api.post("/images", content_type=content_type)
    assert (without.status_code, without.json_body["code"]) == (400, "bad-json")


@pytest.mark.parametrize("content_type", [one for one in TYPES if one])
def test_a_body_of_another_type_is_refused(api: Api, services: FakeServices, content_type: str) -> None:
    for route in ("/images", "/export", "/subscriptions"):
        answer = api.request("POST", route, raw=b"{}", content_type=content_type)
        assert (answer.status_code, answer.json_body["code"]) == (415, "unsupported-media-type")
    assert services.table.transactions == []


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_say_how_it_is_written(api: Api, content_type: str) -> None:
    assert api.request("POST", "/images", raw=b"{}", content_type=content_type).status_code == 201


@pytest.mark.parametrize("route", ["/blobs", "/blobs/upload"])
@pytest.mark.parametrize(
    "body",
    [
        b"callback_url=https%3A%2F%2Fexample.com%2Fhook%3Fa%3D1%26b%3D2",
        b'{"callback_url": "https://example.com/hook?a=1&b=2"}',
        b' \n{"callback_url": "https://example.com/hook?a=1&b=2"}',
    ],
)
def test_an_older_route_takes_what_curl_sends_by_default(api: Api, route: str, body: bytes) -> None:
    answer = api.request("POST", route, raw=body, content_type=FORM)
    assert (answer.status_code, answer.json_body["callback_url"]) == (201, CALLBACK)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"colour=red", "unknown-field"),
        (b"callback_url=https://a.example/&callback_url=https://b.example/", "repeated-field"),
        (b"callback_url=http://127.0.0.1/", "url-not-https"),
        (b"callback_url=%FF", "bad-form"),
        (b"\xff=1", "bad-form"),
        (b"&".join([b"a=1"] * 101), "bad-form"),
        (b"{", "bad-json"),
    ],
)
def test_a_form_is_read_as_strictly(api: Api, services: FakeServices, body: bytes, code: str) -> None:
    answer = api.request("POST", "/blobs", raw=body, content_type=FORM)
    assert answer.json_body["code"] == code
    assert services.table.transactions == []


@pytest.mark.parametrize(
    ("method", "route"), [("POST", "/images"), ("POST", "/export"), ("PUT", "/images/x/xmp")]
)
def test_a_body_above_lambdas_limit_is_refused_locally_too(
    api: Api, services: FakeServices, method: str, route: str
) -> None:
    answer = api.request(method, route, raw=b"{}" + b" " * (6 * 1024 * 1024))
    assert (answer.status_code, answer.json_body["code"]) == (413, "too-large")
    assert services.table.transactions == []
