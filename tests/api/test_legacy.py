"""Clients of older services get their routes and their shapes."""

from __future__ import annotations

import base64

import pytest

from chalicelib.api import waiting
from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.services import FakeServices

CONTENT = base64.b64encode(b"some photo").decode()
CAT = Label("Tabby Cat", 91.2, parents=("Cat", "Animal"))
ANIMAL = Label("Animal", 99.0)


@pytest.mark.parametrize("path", ["/blobs", "/blobs/upload"])
def test_a_blob_is_announced_without_a_body(api: Api, path: str) -> None:
    blob = api.post(path).json_body
    assert set(blob) == {"blob_id", "invocation_status", "requested_on", "upload_url", "_links"}
    assert blob["invocation_status"] == "ACTION_REQUIRED"
    assert blob["blob_id"] in blob["upload_url"]


def test_a_blob_remembers_its_callback(api: Api) -> None:
    blob = api.post("/blobs", {"callback_url": "https://example.com/hook"}).json_body
    assert blob["callback_url"] == "https://example.com/hook"
    assert api.get(f"/blobs/{blob['blob_id']}").json_body["callback_url"] == "https://example.com/hook"


@pytest.mark.parametrize("prefix", ["/blobs", "/blobs/get"])
def test_a_finished_blob_has_its_labels_in_lower_case(api: Api, services: FakeServices, prefix: str) -> None:
    blob_id = api.post("/blobs", {}).json_body["blob_id"]
    services.label(blob_id, CAT, ANIMAL)
    blob = api.get(f"{prefix}/{blob_id}").json_body
    assert blob["invocation_status"] == "COMPLETED"
    assert blob["labels"] == ["tabby cat", "animal"]
    assert "failure_reason" not in blob


def test_the_status_link_of_a_blob_leads_to_it(api: Api) -> None:
    blob = api.post("/blobs").json_body
    assert api.get(blob["_links"]["status"]["href"]).json_body["blob_id"] == blob["blob_id"]


def test_a_failed_blob_says_why(api: Api, services: FakeServices) -> None:
    blob_id = api.post("/blobs").json_body["blob_id"]
    services.fail(blob_id, "not-an-image", "The file is not an image.")
    blob = api.get(f"/blobs/{blob_id}").json_body
    assert (blob["invocation_status"], blob["failure_reason"]) == ("FAILED", "The file is not an image.")
    assert blob["labels"] == []


def test_an_image_on_its_way_is_in_progress(api: Api) -> None:
    blob_id = api.handed_in(content=CONTENT)
    assert api.get(f"/blobs/{blob_id}").json_body["invocation_status"] == "IN_PROGRESS"


def test_an_unknown_blob_is_not_found(api: Api) -> None:
    assert api.get("/blobs/nothing").status_code == 404


def test_a_prediction_is_the_most_certain_label_that_is_no_parent(api: Api, services: FakeServices) -> None:
    uploaded = api.post("/upload", {"filename": "pets/tom.jpg", "content": CONTENT})
    services.label(uploaded.json_body["image_id"], ANIMAL, CAT)
    prediction = api.get("/predict?filename=pets/tom.jpg").json_body
    assert (prediction["filename"], prediction["label"], prediction["confidence"]) == (
        "pets/tom.jpg",
        "Tabby Cat",
        91.2,
    )
    assert [label["name"] for label in prediction["labels"]] == ["Animal", "Tabby Cat"]


def test_the_latest_image_of_a_name_is_predicted(api: Api, services: FakeServices) -> None:
    for label in (CAT, Label("Dog", 70.0)):
        image = api.post("/upload", {"filename": "tom.jpg", "content": CONTENT}).json_body
        services.label(image["image_id"], label)
    assert api.get("/predict?filename=tom.jpg").json_body["label"] == "Dog"


def test_an_image_with_nothing_on_it_predicts_nothing(api: Api, services: FakeServices) -> None:
    services.label(api.handed_in(filename="fog.jpg", content=CONTENT))
    prediction = api.get("/predict?filename=fog.jpg").json_body
    assert (prediction["label"], prediction["confidence"], prediction["labels"]) == (None, None, [])


def test_a_name_that_nobody_uploaded_is_not_found(api: Api) -> None:
    assert api.get("/predict?filename=nobody.jpg").status_code == 404


@pytest.mark.parametrize("query", ["", "?filename=", "?filename=" + "x" * 256, "?file=a.jpg"])
def test_a_prediction_needs_a_file_name(api: Api, query: str) -> None:
    assert api.get(f"/predict{query}").status_code == 400


def test_a_failed_image_predicts_its_failure(api: Api, services: FakeServices) -> None:
    services.fail(api.handed_in(filename="x.jpg", content=CONTENT), "not-an-image", "It is no image.")
    answer = api.get("/predict?filename=x.jpg")
    assert (answer.status_code, answer.json_body["code"]) == (422, "not-an-image")


def test_an_announced_image_predicts_nothing_yet(api: Api) -> None:
    api.handed_in(filename="x.jpg")
    answer = api.get("/predict?filename=x.jpg")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not-uploaded-yet")


def test_a_prediction_does_not_wait_for_ever(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 0)
    api.handed_in(filename="x.jpg", content=CONTENT)
    answer = api.get("/predict?filename=x.jpg")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not-labelled-yet")
