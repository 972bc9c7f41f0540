"""Clients of older services get their routes and their shapes, field by field (``older/``)."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.api import long_poll
from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.services import FakeServices

CONTENT = base64.b64encode(b"some photo").decode()
CAT = Label("Tabby Cat", 91.2, parents=("Cat", "Animal"))
ANIMAL = Label("Animal", 99.0)
HOOK = "https://client.example/blob-is-ready"
OLDER = Path(__file__).parent / "older"
STARTED = "2026-09-21T14:13:21.120Z"
COMPLETED = "2026-09-21T14:13:22.000Z"


def older(name: str) -> Any:
    return json.loads((OLDER / f"{name}.json").read_text("utf-8"))


def written(value: Any) -> Any:
    """How a value is written: its type; of a moment also its punctuation, of a list the case of its words."""
    if isinstance(value, dict):
        return {name: written(one) for name, one in value.items()}
    if isinstance(value, list):
        return [] if not value else "lower case" if all(one == one.lower() for one in value) else "as it is"
    if re.match(r"\d{4}-\d\d-\d\d", value):
        return re.sub(r"\d", "9", value)
    return "an address" if value.startswith("https://") else "text"


def assert_written_like(ours: Any, theirs: Any) -> None:
    """Everything that an older service says is said, and written, in the same way; more may be."""
    for name, value in theirs.items():
        assert name in ours, name
        assert written(ours[name]) == written(value), name


def labelled(api: Api, services: FakeServices, **body: str) -> str:
    blob_id = str(
        api.post("/blobs", body, host="api.example", x_forwarded_proto="https").json_body["blob_id"]
    )
    services.label(blob_id, CAT, ANIMAL, started_at=STARTED, completed_at=COMPLETED)
    return blob_id


def shown(api: Api, path: str) -> Any:
    return api.get(path, host="api.example", x_forwarded_proto="https").json_body


@pytest.mark.parametrize("path", ["/blobs", "/blobs/upload"])
def test_a_blob_is_announced_as_the_successor_does(api: Api, path: str) -> None:
    answer = api.post(path, {"callback_url": HOOK}, host="api.example", x_forwarded_proto="https")
    assert_written_like(answer.json_body, older("successor-created"))
    assert answer.json_body["invocation_status"] == "ACTION_REQUIRED"
    assert answer.json_body["blob_id"] in answer.json_body["upload_url"]
    assert "callback_url" not in api.post(path).json_body


def test_the_oldest_way_to_ask_has_labels_in_lower_case_and_a_plain_time(
    api: Api, services: FakeServices
) -> None:
    blob = shown(api, f"/blobs/get/{labelled(api, services, callback_url=HOOK)}")
    assert_written_like(blob, older("oldest-blob"))
    assert blob["labels"] == ["tabby cat", "animal"]
    assert blob["created_on"] == "2026-09-21 14:13:20.000000"


def test_the_successors_way_has_the_recognisers_case_and_every_time(api: Api, services: FakeServices) -> None:
    blob = shown(api, f"/blobs/{labelled(api, services, callback_url=HOOK)}")
    assert_written_like(blob, older("successor-completed"))
    assert blob["labels"] == ["Tabby Cat", "Animal"]
    assert [blob[name] for name in ("requested_on", "started_on", "completed_on")] == [
        "2026-09-21T14:13:20.000000+00:00",
        "2026-09-21T14:13:21.120000+00:00",
        "2026-09-21T14:13:22.000000+00:00",
    ]
    assert "failure_reason" not in blob


@pytest.mark.parametrize("prefix", ["/blobs", "/blobs/get"])
def test_a_time_is_absent_before_it_has_come(api: Api, services: FakeServices, prefix: str) -> None:
    blob_id = api.post("/blobs").json_body["blob_id"]
    assert {"started_on", "completed_on"}.isdisjoint(api.get(f"{prefix}/{blob_id}").json_body)
    record = services.images.find("default", blob_id)
    assert record
    services.images.claim(record, dataclasses.replace(record.image, status="labelling", started_at=STARTED))
    blob = shown(api, f"{prefix}/{blob_id}")
    assert_written_like(blob, older("successor-in-progress"))
    assert (blob["invocation_status"], "completed_on" in blob) == ("IN_PROGRESS", False)


def test_the_status_link_of_a_blob_leads_to_it(api: Api) -> None:
    blob = api.post("/blobs").json_body
    assert api.get(blob["_links"]["status"]).json_body["blob_id"] == blob["blob_id"]


def test_a_failed_blob_says_why(api: Api, services: FakeServices) -> None:
    blob_id = api.post("/blobs").json_body["blob_id"]
    services.fail(blob_id, "not-an-image", "The file is not an image.")
    blob = shown(api, f"/blobs/{blob_id}")
    theirs = older("successor-failed")
    assert_written_like(blob, {name: theirs[name] for name in theirs.keys() - {"started_on", "completed_on"}})
    assert (blob["invocation_status"], blob["failure_reason"]) == ("FAILED", "The file is not an image.")


def test_an_image_on_its_way_is_in_progress(api: Api) -> None:
    blob_id = api.handed_in(content=CONTENT)
    assert api.get(f"/blobs/{blob_id}").json_body["invocation_status"] == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/blobs/nothing", None, 404),
        ("GET", "/blobs/get/nothing", None, 404),
        ("GET", "/predict?filename=nobody.jpg", None, 404),
        ("GET", "/predict", None, 400),
        ("POST", "/blobs", {"callback_url": 1}, 400),
        ("POST", "/upload", {"filename": "a.jpg"}, 400),
    ],
)
def test_what_goes_wrong_has_a_message(api: Api, method: str, path: str, body: Any, status: int) -> None:
    answer = api.request(method, path) if body is None else api.request(method, path, body=body)
    assert answer.status_code == status
    assert_written_like(answer.json_body, older("error"))
    assert answer.json_body["message"] == answer.json_body["detail"]
    assert "message" not in api.get("/images/nothing").json_body


@pytest.mark.parametrize("name", ["content", "image", "body", "file"])
def test_an_uploaded_image_may_have_any_of_its_older_names(
    api: Api, services: FakeServices, name: str
) -> None:
    answer = api.post("/upload", {"filename": "tom.jpg", name: CONTENT}).json_body
    assert services.objects.stored[f"uploads/~default/{answer['image_id']}"] == b"some photo"


def test_an_image_is_given_once(api: Api) -> None:
    answer = api.post("/upload", {"filename": "tom.jpg", "image": CONTENT, "file": CONTENT})
    assert (answer.json_body["code"], answer.json_body["pointer"]) == ("two-sources", "/file")
    answer = api.post("/upload", {"filename": "tom.jpg", "file": "?"})
    assert (answer.json_body["code"], answer.json_body["pointer"]) == ("bad-base64", "/file")


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
    monkeypatch.setattr(long_poll, "LONGEST_SECONDS", 0)
    api.handed_in(filename="x.jpg", content=CONTENT)
    answer = api.get("/predict?filename=x.jpg")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not-labelled-yet")
