"""``Idempotency-Key`` over HTTP."""

from __future__ import annotations

import base64

import pytest

from chalicelib.access.repeats import KEPT_SECONDS
from chalicelib.errors import Unavailable
from tests.api.client import Api
from tests.fakes.services import FakeServices
from tests.fakes.world import CAT

PHOTO = {"filename": "cat.jpg", "content": base64.b64encode(CAT).decode()}


def count(api: Api) -> int:
    return len(api.get("/images").json_body["images"])


@pytest.mark.parametrize("body", [{}, {"filename": "cat.jpg"}, PHOTO])
def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(
    api: Api, body: dict[str, str]
) -> None:
    first = api.post("/images", body, idempotency_key="once")
    second = api.post("/images", body, idempotency_key="once")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.body == first.body
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert count(api) == 1


def test_a_repeat_gets_addresses_that_are_open_as_long_as_new_ones(api: Api, services: FakeServices) -> None:
    first = api.post("/images", {}, idempotency_key="once").json_body
    services.with_settings(max_image_bytes=7, upload_expires_seconds=7)  # what is signed now says so
    second = api.post("/images", {}, idempotency_key="once").json_body
    assert second["upload"]["expires_in"] == 7
    assert second["upload"]["form"]["fields"] == {
        "key": f"uploads/~default/{first['id']}",
        "policy": "at most 7",
    }
    assert {**second, "upload": first["upload"]} == first


@pytest.mark.parametrize("gone", [False, True])
def test_where_no_upload_is_waited_for_any_more_a_repeat_opens_none(
    api: Api, services: FakeServices, gone: bool
) -> None:
    first = api.post("/images", {}, idempotency_key="once").json_body
    if gone:
        api.delete(f"/images/{first['id']}")
    else:
        services.label(first["id"])
    services.with_settings(upload_expires_seconds=7)
    assert api.post("/images", {}, idempotency_key="once").json_body == first
    assert count(api) == 1 - gone


def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    api.post("/images", {"filename": "a"}, idempotency_key="once")
    answer = api.post("/images", {"filename": "b"}, idempotency_key="once")
    assert (answer.status_code, answer.json_body["code"]) == (422, "idempotency-key-reused")
    assert count(api) == 1


def test_another_key_is_another_image(api: Api) -> None:
    assert (
        api.post("/images", {}, idempotency_key="a").body != api.post("/images", {}, idempotency_key="b").body
    )
    assert count(api) == 2


def test_a_day_later_the_key_is_new(api: Api, services: FakeServices) -> None:
    api.post("/images", {}, idempotency_key="once")
    services.clock.forward(KEPT_SECONDS)
    api.post("/images", {}, idempotency_key="once")
    assert count(api) == 2


def test_a_refused_request_may_be_put_right_under_its_key(api: Api) -> None:
    assert api.post("/images", {"filename": 1}, idempotency_key="once").status_code == 400
    assert api.post("/images", {"filename": "1"}, idempotency_key="once").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "ä", "a b", "a" * 256])
def test_a_key_is_one_word_of_ascii(api: Api, key: str) -> None:
    answer = api.post("/images", {}, idempotency_key=key)
    assert (answer.status_code, answer.json_body["code"]) == (400, "bad-idempotency-key")
    assert count(api) == 0


def test_a_request_that_broke_halfway_is_finished_by_its_repeat(api: Api, services: FakeServices) -> None:
    put = services.objects.put

    def broken(*_: object, **__: object) -> None:
        raise Unavailable("S3 did not answer.")

    services.objects.put = broken  # type: ignore[method-assign]
    assert api.post("/images", PHOTO, idempotency_key="once").status_code == 503
    services.objects.put = put  # type: ignore[method-assign]
    answer = api.post("/images", PHOTO, idempotency_key="once")
    assert answer.status_code == 201
    assert count(api) == 1
    assert list(services.objects.stored) == [f"uploads/~default/{answer.json_body['id']}"]


def test_an_answer_that_could_not_be_kept_is_given_again_for_the_same_image(
    api: Api, services: FakeServices
) -> None:
    keep = services.repeats.keep

    def broken(*_: object) -> None:
        raise Unavailable("DynamoDB did not answer.")

    services.repeats.keep = broken  # type: ignore[method-assign]
    assert api.post("/images", {}, idempotency_key="once").status_code == 503
    services.repeats.keep = keep  # type: ignore[method-assign]
    services.clock.forward(60)
    assert api.post("/images", {}, idempotency_key="once").status_code == 201
    assert count(api) == 1
