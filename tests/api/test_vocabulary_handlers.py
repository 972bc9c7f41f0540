"""An owner's own terms, over HTTP: what any recogniser says is shown by them, and old results follow."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.model import Box, Instance, Label
from tests.api.client import Api
from tests.fakes.mail import handle
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeServices
from tests.fakes.world import CAT, ROCKET

THERE = Instance(90.0, Box(0.1, 0.1, 0.5, 0.5))
SEEN = (
    Label("Siamese", 91.0, parents=("Cat", "Animal"), instances=(THERE,)),
    Label("Domestic Cat", 93.0, parents=("Cat", "Animal"), aliases=("House Cat",)),
    Label("Couch", 80.0, parents=("Furniture",)),
    Label("Window", 70.0),
)
TERMS = ["Pet = cat", "Sofa = couch = settee", "Furniture", "Rocket"]


@pytest.fixture
def image(services: FakeServices) -> str:
    services.recogniser = FakeRecogniser(*SEEN)
    pipeline.label_image(services.drop("uploads/cat.jpg", CAT), services)
    services.project()
    return services.image_at("uploads/cat.jpg").id


def put(api: Api, services: FakeServices, *terms: str) -> Any:
    answer = api.request("PUT", "/vocabulary", body={"terms": list(terms)})
    assert answer.status_code == 202, answer.body
    while message := services.next_message():
        handle(message, services)
    return api.get(f"/jobs/{answer.json_body['id']}").json_body


def shown(api: Api, image: str) -> dict[str, tuple[float, list[str]]]:
    labels = api.get(f"/images/{image}").json_body["labels"]
    return {one["name"]: (one["confidence"], one["parents"]) for one in labels}


def test_old_results_and_new_ones_are_shown_by_the_terms_and_nobody_is_asked_again(
    api: Api, services: FakeServices, image: str
) -> None:
    job = put(api, services, *TERMS)
    assert (job["kind"], job["status"], job["looked_at"], job["changed"]) == ("vocabulary", "done", 1, 1)
    assert shown(api, image) == {"Pet": (93.0, []), "Sofa": (80.0, ["Furniture"])}
    assert api.get(f"/images/{image}").json_body["labels"][0]["instances"]  # of the other cat
    pipeline.label_image(services.drop("uploads/new.jpg", ROCKET), services)
    assert set(shown(api, services.image_at("uploads/new.jpg").id)) == {"Pet", "Sofa"}
    assert services.counts() == {"pet": 2, "sofa": 2, "furniture": 2}
    assert api.get("/vocabulary").json_body == {"terms": TERMS}

    put(api, services, "Window")
    assert shown(api, image) == {"Window": (70.0, [])}  # which was kept all the time
    put(api, services)
    assert list(shown(api, image)) == ["Domestic Cat", "Siamese", "Couch", "Window"]
    assert len(services.recogniser.photos) == 2


def test_what_has_no_term_is_known_to_why(api: Api, services: FakeServices, image: str) -> None:
    put(api, services, *TERMS)
    reason = api.get(f"/images/{image}/why?label=window").json_body
    assert (reason["verdict"], reason["confidence"]) == ("not-in-vocabulary", 70.0)


def test_a_persons_word_and_renames_stay_and_a_rename_keeps_the_vocabulary(
    api: Api, services: FakeServices, image: str
) -> None:
    put(api, services, *TERMS)
    api.request("PUT", f"/images/{image}/labels/Minka", body={})
    api.post("/labels/sofa/rename", {"to": "Furniture"})
    while message := services.next_message():
        handle(message, services)
    assert set(shown(api, image)) == {"Minka", "Pet", "Furniture"}
    assert api.get("/vocabulary").json_body == {"terms": TERMS}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing"),
        ({"terms": "cat"}, "bad-value"),
        ({"terms": ["cat", " = dog"]}, "bad-value"),
        ({"terms": ["cat", "x" * 129]}, "bad-value"),
        ({"terms": ["pet = cat", "feline = CAT"]}, "ambiguous-term"),
        ({"terms": ["a"] * 1001}, "bad-value"),
    ],
)
def test_what_is_no_vocabulary_is_refused(api: Api, body: Any, code: str) -> None:
    answer = api.request("PUT", "/vocabulary", body=body)
    assert (answer.status_code, answer.json_body["code"]) == (400, code)
