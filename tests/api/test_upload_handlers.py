"""Images handed in over HTTP: announced, by a URL, in the body.

Which bytes are here already is in `tests/api/test_known.py`.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from chalicelib import pipeline
from tests.api.client import Api
from tests.fakes.services import BUCKET_URL, FakeServices
from tests.fakes.world import CAT

PHOTO = b"\x89PNG not a real one"
CONTENT = base64.b64encode(PHOTO).decode()


def test_an_empty_object_announces_an_upload(api: Api, services: FakeServices) -> None:
    answer = api.post("/images", {})
    image = answer.json_body
    assert answer.status_code == 201
    assert image["status"] == "awaiting_upload"
    assert image["upload"] == {
        "method": "PUT",
        "url": f"{BUCKET_URL}/uploads/~default/{image['id']}?X-Amz-Signature=put",
        "headers": {},
        "form": {
            "url": f"{BUCKET_URL}/",
            "fields": {"key": f"uploads/~default/{image['id']}", "policy": "at most 50000000"},
        },
        "max_bytes": 50_000_000,
        "size_bound_by": ["form"],
        "expires_in": 3600,
    }
    assert services.images.get("default", image["id"]).status == "awaiting_upload"


def test_an_announced_size_and_type_are_signed_and_shown_until_the_file_is_there(
    api: Api, services: FakeServices
) -> None:
    body = {"size": 1234, "content_type": "image/heic"}
    image = api.post("/images", body, idempotency_key="one").json_body
    upload = image["upload"]
    assert (image["size"], image["content_type"]) == (1234, "image/heic")
    assert upload["url"].endswith("?X-Amz-Signature=put&1234&image/heic")
    assert upload["headers"] == {"Content-Length": "1234", "Content-Type": "image/heic"}
    assert upload["form"]["fields"]["policy"] == "at most 1234"
    assert upload["size_bound_by"] == ["url", "form"]
    assert api.post("/images", body, idempotency_key="one").json_body["upload"] == upload
    pipeline.label_image(services.drop(f"uploads/~default/{image['id']}", CAT), services)  # type: ignore[arg-type]
    found = api.get(f"/images/{image['id']}").json_body
    assert (found["size"], found["content_type"]) == (len(CAT), "image/jpeg")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"size": 50_000_001}, 413, "too-large"),
        ({"size": 0}, 400, "bad-value"),
        ({"size": True}, 400, "bad-value"),
        ({"content_type": "image/jpeg; charset=x"}, 400, "bad-value"),
        ({"content_type": "image"}, 400, "bad-value"),
        ({"content": "/9j/4AAQ", "size": 7}, 400, "size-mismatch"),
        ({"url": "https://pages.example/a.jpg", "size": 7}, 422, "size-mismatch"),
    ],
)
def test_a_size_that_no_photo_may_have_and_a_type_that_is_none_are_refused(
    api: Api, services: FakeServices, body: Any, status: int, code: str
) -> None:
    services.outbound.pages["https://pages.example/a.jpg"] = b"six by"
    answer = api.post("/images", body)
    assert (answer.status_code, answer.json_body["code"]) == (status, code)
    assert not services.table.items_of_kind("record")


def test_the_location_of_a_new_image_leads_to_it(api: Api) -> None:
    created = api.post("/images", {"filename": "a.jpg"})
    assert api.get(created.headers["Location"]).json_body["filename"] == "a.jpg"


@pytest.mark.parametrize("content", [CONTENT, f"data:image/png;base64,{CONTENT}"])
def test_content_in_the_body_is_stored_and_labelled(api: Api, services: FakeServices, content: str) -> None:
    answer = api.post("/images", {"content": content})
    assert answer.status_code == 201
    assert answer.json_body["status"] == "labelling"
    assert "upload" not in answer.json_body
    assert services.objects.stored == {f"uploads/~default/{answer.json_body['id']}": PHOTO}


def test_a_url_is_fetched_and_stored(api: Api, services: FakeServices) -> None:
    services.outbound.pages["https://example.com/cat.png"] = PHOTO
    answer = api.post("/images", {"url": "https://example.com/cat.png"})
    assert answer.status_code == 201
    assert services.objects.stored == {f"uploads/~default/{answer.json_body['id']}": PHOTO}


def test_a_url_that_may_not_be_fetched_is_answered_422_and_leaves_nothing(
    api: Api, services: FakeServices
) -> None:
    answer = api.post("/images", {"url": "http://127.0.0.1/latest/meta-data"})
    assert (answer.status_code, answer.json_body["code"]) == (422, "unusable-url")
    assert answer.json_body["pointer"] == "/url"
    assert api.get("/images").json_body["images"] == []


def test_what_is_said_of_an_image_is_kept(api: Api) -> None:
    said = {
        "filename": "holiday/a b+c é&d.jpg",
        "callback_url": "https://example.com/hook",
        "metadata": {"album": "Ferien\n2026", "note": ""},
        "min_confidence": 70.5,
        "max_labels": 5,
    }
    image = api.get(f"/images/{api.handed_in(**said)}").json_body
    assert {name: image[name] for name in said} == said


def test_a_callback_to_a_private_address_is_refused_before_anything_is_made(api: Api) -> None:
    answer = api.post("/images", {"callback_url": "http://127.0.0.1/"})
    assert (answer.status_code, answer.json_body["pointer"]) == (422, "/callback_url")
    assert api.get("/images").json_body["images"] == []


def test_url_and_content_together_are_refused(api: Api) -> None:
    answer = api.post("/images", {"url": "https://example.com/", "content": CONTENT})
    assert (answer.status_code, answer.json_body["code"]) == (400, "two-sources")


def test_a_photo_too_large_for_base64_is_told_the_presigned_way(api: Api) -> None:
    answer = api.post("/images", {"content": "A" * 6_000_004})
    assert answer.status_code == 413
    assert "POST {} to /images" in answer.json_body["detail"]
