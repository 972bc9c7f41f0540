"""Bytes that are here already are found by their SHA-256, and need not be sent again."""

from __future__ import annotations

import base64
import hashlib

import pytest

from chalicelib.api.upload_handlers import MOST_DIGESTS
from chalicelib.expressions import Key, Put
from chalicelib.library.index import IndexEntry, digest_term, partition
from chalicelib.model import Label
from tests.api.client import Api
from tests.api.gated import gated_app
from tests.fakes.services import FakeServices

PHOTO = b"some photo"
CONTENT = base64.b64encode(PHOTO).decode()
DIGEST = hashlib.sha256(PHOTO).hexdigest()
OTHER = "0" * 64


@pytest.fixture
def here(api: Api, services: FakeServices) -> str:
    """The id of an image that has the photo's bytes."""
    image_id = api.handed_in(content=CONTENT)
    services.label(image_id, Label("Cat", 90.0), sha256=DIGEST)
    return image_id


def count(api: Api) -> int:
    return len(api.get("/images").json_body["images"])


@pytest.mark.parametrize(
    "body",
    [
        {"sha256": DIGEST},
        {"content": CONTENT},
        {"content": CONTENT, "sha256": DIGEST},
        {"url": "https://a.example/", "sha256": DIGEST},
    ],
)
def test_who_wants_to_skip_gets_the_image_that_has_these_bytes(
    api: Api, here: str, body: dict[str, str]
) -> None:
    answer = api.post("/images", {**body, "if_known": "skip"})
    assert (answer.status_code, answer.json_body["id"]) == (200, here)
    assert answer.json_body["labels"][0]["name"] == "Cat"
    assert "upload" not in answer.json_body
    assert count(api) == 1


@pytest.mark.parametrize("body", [{}, {"if_known": "copy"}])
def test_otherwise_there_is_another_image(api: Api, here: str, body: dict[str, str]) -> None:
    answer = api.post("/images", {**body, "content": CONTENT, "sha256": DIGEST})
    assert answer.status_code == 201
    assert answer.json_body["id"] != here
    assert count(api) == 2


def test_bytes_that_are_not_here_are_waited_for(api: Api, here: str) -> None:
    answer = api.post("/images", {"sha256": OTHER, "if_known": "skip"})
    assert (answer.status_code, answer.json_body["status"]) == (201, "awaiting_upload")


def test_a_repeat_under_its_key_gets_the_same_image(api: Api, here: str) -> None:
    body = {"sha256": DIGEST, "if_known": "skip"}
    answers = [api.post("/images", body, idempotency_key="once") for _ in range(2)]
    assert answers[0].body == answers[1].body


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"if_known": "skip"}, "missing", "/sha256"),
        ({"if_known": "forget"}, "bad-value", "/if_known"),
        ({"sha256": "abc"}, "bad-value", "/sha256"),
        ({"sha256": DIGEST.upper()}, "bad-value", "/sha256"),
        ({"sha256": OTHER, "content": CONTENT}, "digest-mismatch", "/sha256"),
    ],
)
def test_what_cannot_be_meant_is_refused(api: Api, body: dict[str, str], code: str, pointer: str) -> None:
    answer = api.post("/images", body)
    assert (answer.status_code, answer.json_body["code"], answer.json_body["pointer"]) == (400, code, pointer)
    assert count(api) == 0


def test_many_are_asked_for_at_once(api: Api, here: str) -> None:
    found = api.post("/images/known", {"sha256": [OTHER, DIGEST, DIGEST]}).json_body["images"]
    assert [(one["sha256"], one["id"]) for one in found] == [(OTHER, None), (DIGEST, here), (DIGEST, here)]
    assert api.get(found[1]["links"]["self"]).status_code == 200
    assert found[0]["links"] is None


@pytest.mark.slow
def test_a_thousand_are_the_most(api: Api, here: str) -> None:
    many = [f"{number:064x}" for number in range(MOST_DIGESTS - 1)]
    found = api.post("/images/known", {"sha256": [*many, DIGEST]}).json_body["images"]
    assert [one["id"] for one in found if one["id"]] == [here]
    for wrong in ({"sha256": [*many, DIGEST, OTHER]}, {"sha256": ["x"]}, {}):
        assert api.post("/images/known", wrong).status_code == 400


def test_the_newest_of_several_is_told(api: Api, services: FakeServices, here: str) -> None:
    second = api.handed_in(content=CONTENT)
    services.label(second, sha256=DIGEST)
    assert api.post("/images/known", {"sha256": [DIGEST]}).json_body["images"][0]["id"] == second


def test_a_removed_image_is_known_no_more(api: Api, services: FakeServices, here: str) -> None:
    api.delete(f"/images/{here}")
    assert api.post("/images/known", {"sha256": [DIGEST]}).json_body["images"][0]["id"] is None


def test_an_entry_that_the_record_does_not_bear_out_is_not_believed(
    api: Api, services: FakeServices, here: str
) -> None:
    services.table.write(Put(Key(partition("default", digest_term(OTHER)), here), IndexEntry().to_item()))
    assert api.post("/images/known", {"sha256": [OTHER]}).json_body["images"][0]["id"] is None


def test_another_owners_bytes_are_not_known() -> None:
    with gated_app() as gated:
        owner, bert = gated.holder("write", owner="default"), gated.holder("write", owner="bert")
        image = owner.post("/images", {"content": CONTENT}).json()["id"]
        gated.services.label(image, sha256=DIGEST)
        found = [
            one.post("/images/known", {"sha256": [DIGEST]}).json()["images"][0]["id"] for one in (owner, bert)
        ]
        assert found == [image, None]
        mine = bert.post("/images", {"sha256": DIGEST, "if_known": "skip"})
        assert mine.status_code == 201
