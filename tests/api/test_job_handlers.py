"""Jobs that label, asked for over HTTP: what is refused at once, and how they are held and let go."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.mail import handle
from tests.fakes.services import FakeServices
from tests.fakes.world import CAT

PHOTO = "https://photos.example/cat.jpg"
OWN = "s3://test-bucket"


def ask(source: object, **rest: Any) -> dict[str, Any]:
    return {"kind": "label", "source": source, **rest}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "missing", "/kind"),
        ({"kind": "zip"}, "bad-value", "/kind"),
        ({"kind": "label"}, "missing", "/source"),
        (ask("s3://photos/"), "bad-value", "/source"),
        (ask({}), "bad-value", "/source"),
        (ask({"prefix": "s3://a/", "urls": []}), "bad-value", "/source"),
        (ask({"folder": "s3://a/"}), "unknown-field", "/source/folder"),
        (ask({"prefix": "photos/"}), "bad-uri", "/source/prefix"),
        (ask({"manifest": "s3://photos"}), "bad-uri", "/source/manifest"),
        (ask({"manifest": f"{OWN}/jobs/~bob/1/urls.jsonl"}), "own-folder", "/source/manifest"),
        (ask({"prefix": f"{OWN}/metadata/"}), "own-folder", "/source/prefix"),
        (ask({"prefix": f"{OWN}/uploads/~bob/"}), "access-denied", "/source/prefix"),
        (ask({"urls": [PHOTO] * 1001}), "bad-value", "/source/urls"),
        (ask({"urls": [5]}), "bad-value", "/source/urls/0"),
        (ask({"urls": [PHOTO]}, options={"min_confidence": 101}), "bad-value", "/options/min_confidence"),
        (ask({"urls": [PHOTO]}, options={"filename": "x"}), "unknown-field", "/options/filename"),
        (ask({"urls": [PHOTO]}, options=[]), "bad-value", "/options"),
        (ask({"urls": [PHOTO]}, max_cost=-1), "bad-value", "/max_cost"),
        (ask({"urls": [PHOTO]}, unchanged_since="yesterday"), "bad-value", "/unchanged_since"),
    ],
)
def test_what_cannot_be_a_job_is_refused_with_where_and_why(
    api: Api, body: object, code: str, pointer: str
) -> None:
    answer = api.post("/jobs", body)
    status = 422 if code in ("bad-uri", "own-folder", "access-denied") else 400
    assert (answer.status_code, answer.json_body["code"]) == (status, code)
    assert answer.json_body["pointer"] == pointer


def work(services: FakeServices) -> None:
    while message := services.next_message():
        handle(message, services)
        services.clock.forward(1)


def test_addresses_are_labelled_and_the_results_are_to_be_had(api: Api, services: FakeServices) -> None:
    services.outbound.pages = {PHOTO: CAT}
    begun = api.post("/jobs", ask({"urls": [PHOTO, "https://photos.example/none.jpg"]}))
    assert begun.status_code == 202
    work(services)
    job = api.get(f"/jobs/{begun.json_body['id']}").json_body
    assert (job["status"], job["outcomes"]) == ("done", {"labelled": 1, "refused": 1})
    assert job["codes"] == {"unusable-url": 1}
    assert set(job["links"]) == {"self", "results", "results_csv", "summary"}
    [listed] = api.get("/jobs?kind=label&status=done").json_body["jobs"]
    assert listed["id"] == job["id"]


def test_a_dry_run_says_what_it_would_cost_and_does_nothing(api: Api, services: FakeServices) -> None:
    services.with_settings(recogniser="rekognition")
    begun = api.post("/jobs", ask({"urls": [PHOTO, PHOTO + "?2"]}, dry_run=True)).json_body
    work(services)
    job = api.get(f"/jobs/{begun['id']}").json_body
    assert job["status"] == "done"
    assert (job["estimate"]["images"], job["estimate"]["cost"]) == (2, 0.002)
    assert api.get("/images").json_body["images"] == []


def test_what_a_query_finds_is_labelled_again_or_counted(api: Api, services: FakeServices) -> None:
    services.with_settings(recogniser="rekognition")
    for _ in range(3):
        services.label(api.handed_in(), Label("Cat", 90.0))
    dry = api.post("/jobs", ask({"q": "cat"}, dry_run=True)).json_body
    work(services)
    told = api.get(f"/jobs/{dry['id']}").json_body["estimate"]
    assert (told["images"], told["cost"]) == (3, 0.003)
    job = api.post("/jobs", ask({"q": "cat"}, options={"min_confidence": 20})).json_body
    assert (job["kind"], job["request"]["q"]) == ("relabel", "cat")
    assert job["request"]["asked"]["min_confidence"] == 20
    assert api.post("/jobs", ask({"q": "cat &"})).json_body["code"] == "bad-query"
    assert api.post("/jobs", ask({"q": "cat"}, max_cost=1)).json_body["pointer"] == "/max_cost"


@pytest.mark.parametrize("kind", ["label", "relabel", "rename", "correct"])
def test_a_job_rests_goes_on_and_ends_when_it_is_told_to(api: Api, services: FakeServices, kind: str) -> None:
    asked: dict[str, tuple[str, Any]] = {
        "label": ("/jobs", ask({"urls": [PHOTO]})),
        "relabel": ("/relabel", {"q": "cat"}),
        "rename": ("/labels/cat/rename", {"to": "puss"}),
        "correct": ("/images/labels", {"q": "cat", "add": ["pet"]}),
    }
    at = f"/jobs/{api.post(*asked[kind]).json_body['id']}"
    assert api.post(f"{at}/pause").json_body["status"] == "paused"
    assert api.post(f"{at}/pause").json_body["status"] == "paused"
    work(services)
    services.clock.forward(10_000)
    pipeline.sweep(services)  # type: ignore[arg-type]
    work(services)
    assert api.get(at).json_body["status"] == "paused"
    assert api.post(f"{at}/resume").json_body["status"] == "running"
    api.post(f"{at}/cancel")
    work(services)
    assert api.get(at).json_body["status"] == "cancelled"
    refused = api.post(f"{at}/resume")
    assert (refused.status_code, refused.json_body["code"]) == (409, "job-has-ended")


def test_a_paused_job_takes_no_place_of_the_ten_that_run(api: Api, services: FakeServices) -> None:
    jobs = [api.post("/jobs", ask({"urls": [PHOTO]})).json_body["id"] for _ in range(10)]
    assert api.post("/jobs", ask({"urls": [PHOTO]})).status_code == 429
    api.post(f"/jobs/{jobs[0]}/pause")
    assert api.post("/jobs", ask({"urls": [PHOTO]})).status_code == 202
    assert api.post(f"/jobs/{jobs[0]}/resume").status_code == 429
    assert api.get(f"/jobs/{jobs[0]}").json_body["status"] == "paused"
    assert api.post(f"/jobs/{jobs[0]}/cancel").json_body["stopping"]


def test_there_is_no_other_owners_job(api: Api, services: FakeServices) -> None:
    job = pipeline.start("bob", "rename", {"from": "a", "to": "b"}, services)  # type: ignore[arg-type]
    for act in ("pause", "resume", "cancel"):
        assert api.post(f"/jobs/{job.id}/{act}").status_code == 404
