"""``Idempotency-Key`` over HTTP."""

from __future__ import annotations

import base64

import pytest

from chalicelib.access.idempotency_keys import KEPT_SECONDS
from chalicelib.api import openapi
from chalicelib.api.routes import ROUTES
from chalicelib.errors import Unavailable
from chalicelib.model import Label
from tests.api.client import Api
from tests.api.gated import gated_app
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
    keep = services.idempotency_keys.keep

    def broken(*_: object) -> None:
        raise Unavailable("DynamoDB did not answer.")

    services.idempotency_keys.keep = broken  # type: ignore[method-assign]
    assert api.post("/images", {}, idempotency_key="once").status_code == 503
    services.idempotency_keys.keep = keep  # type: ignore[method-assign]
    services.clock.forward(60)
    assert api.post("/images", {}, idempotency_key="once").status_code == 201
    assert count(api) == 1


CALLBACK = {"callback_url": "https://example.com/hook"}
MADE_BY = {  # every POST that takes a key: what to send, and where what it made is listed
    "/images": ({}, "/images"),
    "/blobs": (CALLBACK, "/images"),
    "/blobs/upload": (CALLBACK, "/images"),
    "/upload": (PHOTO, "/images"),
    "/subscriptions": ({"url": "https://example.com/hook"}, "/subscriptions"),
    "/export": ({}, None),
    "/relabel": ({"q": "cat"}, None),
    "/jobs": ({"kind": "label", "source": {"urls": ["https://example.com/cat.jpg"]}}, "/jobs"),
    "/jobs/{job_id}/pause": ({}, None),
    "/jobs/{job_id}/resume": ({}, None),
    "/jobs/{job_id}/cancel": ({}, None),
    "/images/delete": ({"q": "cat"}, None),
    "/images/restore": ({"q": "cat"}, None),
    "/images/{image_id}/restore": ({}, None),
    "/images/known": ({"sha256": ["0" * 64]}, None),
    "/images/labels": ({"q": "cat", "add": ["pet"]}, None),
    "/labels/{name}/rename": ({"to": "dog"}, "/renames"),
    "/images/{image_id}/relabel": ({}, None),
    "/signing-secret/rotate": ({}, None),
    "/subscriptions/{subscription_id}/signing-secret/rotate": ({}, None),
    "/subscriptions/{subscription_id}/test": ({}, None),
    "/subscriptions/{subscription_id}/confirm": ({}, None),
}
OF_DELIVERIES = {"/deliveries/retry", "/deliveries/{delivery_id}/retry"}  # make nothing, but take one


def test_every_post_takes_a_key_but_where_the_answer_is_kept_nowhere() -> None:
    assert {route.path for route in ROUTES if route.keyed} == MADE_BY.keys() | OF_DELIVERIES
    assert [route.path for route in ROUTES if route.method == "POST" and not route.keyed] == ["/tokens"]
    assert all(route.method == "POST" for route in ROUTES if route.keyed)


def test_the_description_asks_for_a_key_where_the_table_does() -> None:
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    for route in ROUTES:
        described = openapi.document("")["paths"][route.path][route.method.lower()]
        assert (key in described.get("parameters", [])) == route.keyed, route


@pytest.mark.parametrize("template", MADE_BY)
def test_whatever_is_made_is_made_once(api: Api, services: FakeServices, template: str) -> None:
    image = api.handed_in()
    services.label(image, Label("Cat", 90.0))
    subscription = api.post("/subscriptions", {"url": "https://example.com/first"}).json_body["id"]
    job = "" if "job_id" not in template else api.post("/relabel", {"q": "cat"}).json_body["id"]
    path = template.format(name="cat", image_id=image, subscription_id=subscription, job_id=job)
    body, listed = MADE_BY[template]
    answers = [api.post(path, body, idempotency_key="once") for _ in range(2)]
    assert answers[0].status_code in (200, 201, 202)
    assert answers[0].body == answers[1].body
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    if listed:
        before = 0 if listed in ("/renames", "/jobs") else 1
        (found,) = (value for value in api.get(listed).json_body.values() if isinstance(value, list))
        assert len(found) == before + 1


def test_a_job_that_a_crash_cut_off_is_not_begun_a_second_time(api: Api, services: FakeServices) -> None:
    keep = services.idempotency_keys.keep

    def broken(*_: object) -> None:
        raise Unavailable("DynamoDB did not answer.")

    services.idempotency_keys.keep = broken  # type: ignore[method-assign]
    assert api.post("/export", {"q": "cat"}, idempotency_key="once").status_code == 503
    services.idempotency_keys.keep = keep  # type: ignore[method-assign]
    services.clock.forward(60)
    assert api.post("/export", {"q": "cat"}, idempotency_key="once").status_code == 202
    assert len({message["job"]["id"] for message in services.jobs_queue.messages}) == 1


def test_a_key_stands_for_one_route(api: Api) -> None:
    api.post("/images", {}, idempotency_key="once")
    answer = api.post("/export", {}, idempotency_key="once")
    assert (answer.status_code, answer.json_body["code"]) == (422, "idempotency-key-reused")


def test_a_token_is_not_kept_to_be_shown_again() -> None:
    with gated_app() as gated:
        admin = gated.holder("admin")
        answer = admin.post("/tokens", {}, **{"Idempotency-Key": "once"})
        assert (answer.status_code, answer.json()["code"]) == (400, "no-idempotency-key-here")
        assert len(admin.get("/tokens").json()["tokens"]) == 1  # the one that asks
