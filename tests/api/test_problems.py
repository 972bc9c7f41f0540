"""What goes wrong, as clients see it.

Holds `chalicelib/errors.py`.
"""

from __future__ import annotations

import logging

import pytest
import requests

from chalicelib.api import problems
from chalicelib.errors import (
    BadSetting,
    Busy,
    Permanent,
    SightlineError,
    TooManyRequests,
    Transient,
    Unavailable,
)
from tests.api.client import Api
from tests.api.gated import gated_app
from tests.fakes.services import FakeServices

PROBLEM = "application/problem+json"


def breaking(services: FakeServices, error: Exception) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    services.images.stored = broken  # type: ignore[assignment,method-assign]


def test_a_problem_has_a_type_that_a_program_can_compare(api: Api) -> None:
    answer = api.get("/images/nothing")
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json_body == {
        "type": "urn:sightline:problem:not-found",
        "title": "There is no such thing",
        "status": 404,
        "detail": "There is no image nothing.",
        "code": "not-found",
    }


@pytest.mark.parametrize(
    ("error", "seconds"), [(Unavailable("Not now."), "1"), (Busy("Busy.", retry_after=2.1), "3")]
)
def test_a_passing_fault_says_when_to_come_back(
    api: Api, services: FakeServices, error: Transient, seconds: str
) -> None:
    breaking(services, error)
    answer = api.get("/images/x")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, seconds)
    assert answer.json_body["code"] == error.code


@pytest.mark.parametrize("error", [RuntimeError("secret"), BadSetting("secret"), KeyError("secret")])
def test_a_fault_of_ours_is_logged_and_tells_nothing(
    api: Api, services: FakeServices, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    breaking(services, error)
    with caplog.at_level(logging.ERROR, "sightline.api"):
        answer = api.get("/images/x")
    assert (answer.status_code, answer.json_body["code"]) == (500, "internal-error")
    assert b"secret" not in answer.body
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is error


def test_a_method_that_does_not_fit_is_a_problem_that_names_those_that_do(api: Api) -> None:
    answer = api.request("PUT", "/images")
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, PROBLEM)
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "GET", "HEAD"}
    assert answer.json_body["code"] == "method-not-allowed"


def test_a_body_that_is_not_json_by_its_type_is_a_problem(api: Api) -> None:
    answer = api.request("POST", "/images", raw=b"a=b", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json_body["code"]) == (415, "unsupported-media-type")
    assert answer.json_body["detail"].endswith("Send Content-Type: application/json.")


def test_a_refused_method_can_be_read_by_pages_of_the_chosen_origin() -> None:
    with gated_app(CORS_ORIGIN="https://photos.example") as gated:
        answer = requests.put(f"{gated.url}/health", timeout=10)
    assert answer.status_code == 405
    assert answer.headers["Access-Control-Allow-Origin"] == "https://photos.example"
    assert answer.headers["Allow"] == "GET, HEAD"


def test_a_fault_outside_of_every_handler_is_a_problem_too(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("chalicelib.wiring.services", broken)
    answer = api.get("/health")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    assert b"secret" not in answer.body


def classes_below(cls: type[SightlineError]) -> list[type[SightlineError]]:
    return [cls, *(deeper for below in cls.__subclasses__() for deeper in classes_below(below))]


@pytest.mark.parametrize("cls", classes_below(Transient))
def test_whatever_may_pass_is_answered_503_or_429(cls: type[Transient]) -> None:
    assert problems.type_of(cls.__new__(cls)).status == (429 if cls is TooManyRequests else 503)


def test_what_no_client_can_have_caused_is_our_own_fault() -> None:
    assert problems.type_of(Permanent("?")) is problems.INTERNAL_ERROR


@pytest.mark.parametrize(
    "path", ["/images", "/images/nothing", "/labels", "/health", "/openapi.json", "/", "/usage?x=1"]
)
def test_no_answer_is_taken_for_another_type_than_it_says(api: Api, path: str) -> None:
    assert api.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_neither_is_what_the_framework_or_the_gateway_refuses(api: Api) -> None:
    assert api.request("PATCH", "/images").headers["X-Content-Type-Options"] == "nosniff"
    with gated_app() as gated:
        assert gated.stranger().get("/images").headers["X-Content-Type-Options"] == "nosniff"
