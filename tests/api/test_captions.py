"""A person writes a caption over HTTP, and it holds against models, re-runs and other bytes."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.library.query import parse
from chalicelib.model import Asked, Caption, Label
from tests.api.client import Api
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeServices
from tests.fakes.world import CAT, ROCKET

KEY = "uploads/cat.jpg"
MODELS = {"text": "A cat.", "alt": "A cat", "source": "model", "language": "en"}


@pytest.fixture
def image(services: FakeServices) -> str:
    services.recogniser = FakeRecogniser(Label("Cat", 93.0), tells_version=False)
    services.recogniser.rest = {"caption": Caption("A cat.", "A cat", "model", "en")}
    pipeline.label_image(services.drop(KEY, CAT), services)
    return services.image_at(KEY).id


def caption(api: Api, image: str) -> Any:
    return api.get(f"/images/{image}").json_body["caption"]


def put(api: Api, image: str, body: Any, **headers: str) -> Any:
    return api.request("PUT", f"/images/{image}/caption", body=body, **headers)


def test_a_persons_words_hold_against_every_model_until_they_are_taken_back(
    api: Api, services: FakeServices, image: str
) -> None:
    assert caption(api, image) == MODELS
    answer = put(api, image, {"text": "Minka, asleep."})
    mine = {"text": "Minka, asleep.", "alt": "A cat", "source": "person", "language": "en"}
    assert (answer.status_code, answer.json_body["caption"], answer.json_body["result"]) == (200, mine, 2)
    assert services.objects.sidecars["metadata/cat.jpg.json"]["caption"] == mine
    pipeline.relabel("default", image, Asked(), services)
    pipeline.label_image(services.drop(KEY, CAT), services)
    assert caption(api, image) == mine
    pipeline.label_image(services.drop(KEY, ROCKET), services)
    assert caption(api, image) == mine
    assert len(services.search.page("default", parse("text:minka"), limit=5).images) == 1
    answer = api.delete(f"/images/{image}/caption")
    assert answer.json_body["caption"] == MODELS
    assert not services.search.page("default", parse("text:minka"), limit=5).images
    assert [one.kind for one in services.history.of("default", image)][::-1] == [
        "recognised",
        "corrected",
        "recognised",
        "recognised",
        "corrected",
    ]


def test_a_caption_may_be_written_before_there_is_a_result(api: Api, services: FakeServices) -> None:
    services.recogniser = FakeRecogniser(Label("Cat", 93.0))
    made = api.post("/images", {"filename": "later.jpg"}).json_body
    assert put(api, made["id"], {"alt": "Later"}).status_code == 200
    pipeline.label_image(services.drop(f"uploads/~default/{made['id']}", CAT), services)
    shown = {"text": "", "alt": "Later", "source": "person", "language": None}
    assert (caption(api, made["id"]), api.get(f"/images/{made['id']}").json_body["result"]) == (shown, 1)


def test_saying_it_again_changes_nothing(api: Api, image: str) -> None:
    for _ in range(2):
        answer = put(api, image, {"alt": "Minka"})
    assert answer.json_body["result"] == 2


def test_what_nobody_has_written_cannot_be_taken_back(api: Api, image: str) -> None:
    answer = api.delete(f"/images/{image}/caption")
    assert (answer.status_code, answer.json_body["code"]) == (404, "no-such-caption")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"text": ""}, "/text"),
        ({"text": "two\nlines"}, "/text"),
        ({"text": "x" * 501}, "/text"),
        ({"alt": "x" * 126}, "/alt"),
        ({"alt": 7}, "/alt"),
    ],
)
def test_what_is_no_caption_is_refused(api: Api, image: str, body: Any, pointer: str) -> None:
    answer = put(api, image, body)
    assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)


def test_a_caption_is_written_on_what_was_seen_and_not_in_the_bin(api: Api, image: str) -> None:
    stale = put(api, image, {"alt": "Minka"}, if_match='"another"')
    assert stale.status_code == 412
    api.delete(f"/images/{image}")
    assert put(api, image, {"alt": "Minka"}).status_code == 409


def test_a_caption_made_of_labels_follows_their_corrections(api: Api, services: FakeServices) -> None:
    services.recogniser = FakeRecogniser(Label("Cat", 93.0), Label("Sofa", 90.0))
    made = api.post("/images", {"filename": "b.jpg", "features": ["labels", "caption"]}).json_body
    pipeline.label_image(services.drop(f"uploads/~default/{made['id']}", CAT), services)
    assert caption(api, made["id"])["text"] == "A cat and a sofa"
    api.delete(f"/images/{made['id']}/labels/sofa")
    assert caption(api, made["id"]) == {
        "text": "A cat",
        "alt": "A cat",
        "source": "template",
        "language": "en",
    }
