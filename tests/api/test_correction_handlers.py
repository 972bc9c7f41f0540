"""Corrections, renames, labelling again, history and reasons, over HTTP.

Holds `chalicelib/api/history_handlers.py`, `chalicelib/api/label_names.py`.
"""

from __future__ import annotations

import base64
import dataclasses
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib import pipeline
from chalicelib.library import bounds, jobs
from chalicelib.library.jobs import KINDS, Job, JobKind
from chalicelib.model import Label, ObjectUploaded
from tests.api.client import Api
from tests.fakes.mail import handle
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeServices
from tests.fakes.world import ROCKET

FELINE = Label("Cat", 93.0, parents=("Animal",))
DOG = Label("Dog", 71.0, parents=("Animal",))
NOBODY = "01JD3Y7V4M8B5WZ0QX6T2K9RCA"


@pytest.fixture
def image(api: Api, services: FakeServices) -> str:
    """The id of an image with a cat and a dog."""
    return handed_in(api, services)


def handed_in(api: Api, services: FakeServices) -> str:
    image_id = api.handed_in()
    services.label(image_id, FELINE, DOG)
    return image_id


def work_off(services: Any) -> None:
    while message := services.next_message():
        handle(message, services)


class TestOneImage:
    def test_a_label_is_added_removed_and_taken_back(
        self, api: Api, services: FakeServices, image: str
    ) -> None:
        put = api.request("PUT", f"/images/{image}/labels/Rex", body={"confidence": 80, "parents": ["dog"]})
        assert put.json_body["labels"][1] == {
            "name": "Rex",
            "confidence": 80,
            "parents": ["dog"],
            "aliases": [],
            "categories": [],
            "instances": [],
            "source": "person",
        }
        gone = api.delete(f"/images/{image}/labels/CAT").json_body
        assert [one["name"] for one in gone["labels"]] == ["Rex", "Dog"]
        assert [(one["name"], one["present"], one["by"]) for one in gone["corrections"]] == [
            ("Rex", True, "default"),
            ("Cat", False, "default"),
        ]
        assert api.get("/images?q=cat").json_body["images"] == []
        assert [one["id"] for one in api.get("/images?q=rex").json_body["images"]] == [image]
        back = api.delete(f"/images/{image}/corrections/cat").json_body
        assert [one["name"] for one in back["labels"]] == ["Cat", "Rex", "Dog"]
        assert services.counts() == {"animal": 1, "cat": 1, "dog": 1, "rex": 1}

    def test_a_put_needs_no_body(self, api: Api, image: str) -> None:
        shown = api.request("PUT", f"/images/{image}/labels/sofa").json_body
        assert shown["labels"][0]["name"] == "sofa"
        assert shown["labels"][0]["confidence"] == 100

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("tabby cat", "tabby cat"),
            ("  Tabby \u00a0 cat ", "Tabby cat"),
            ("Größe/Maß 100%", "Größe/Maß 100%"),
            ("猫", "猫"),
            ("a?b#c&d=e+f", "a?b#c&d=e+f"),
            ("x" * 128, "x" * 128),
        ],
    )
    def test_any_name_can_be_given_in_the_path(self, api: Api, image: str, name: str, shown: str) -> None:
        path = f"/images/{image}/labels/{quote(name, safe='')}"
        assert api.request("PUT", path).json_body["labels"][0]["name"] == shown
        assert api.delete(path).status_code == 200

    @pytest.mark.parametrize("raw", ["%FF", "%20", "a%00b", "a%0Ab", "x" * 129, "%EF%B7%BA" * 128])
    @pytest.mark.parametrize("where", ["labels", "corrections"])
    def test_what_can_be_no_name_is_refused(self, api: Api, image: str, raw: str, where: str) -> None:
        answer = api.delete(f"/images/{image}/{where}/{raw}")
        assert (answer.status_code, answer.json_body["pointer"]) == (400, "{name}")

    @pytest.mark.parametrize(
        "body",
        [
            {"confidence": 101},
            {"confidence": "high"},
            {"parents": "animal"},
            {"parents": [" "]},
            {"parents": ["p"] * 21},
            {"name": "cat"},
            [],
        ],
    )
    def test_what_is_said_of_a_label_is_checked(self, api: Api, image: str, body: Any) -> None:
        answer = api.request("PUT", f"/images/{image}/labels/cat", body=body)
        assert answer.status_code == 400
        assert api.get(f"/images/{image}").json_body["corrections"] == []

    def test_what_is_not_there_cannot_be_taken_away(self, api: Api, image: str) -> None:
        codes = [
            api.delete(path).json_body["code"]
            for path in (
                f"/images/{image}/labels/horse",
                f"/images/{image}/corrections/cat",
                f"/images/{NOBODY}/labels/cat",
                "/images/none/labels/cat",
            )
        ]
        assert codes == ["no-such-label", "no-such-correction", "not-found", "not-found"]

    def test_the_entity_tag_follows_a_correction(self, api: Api, image: str) -> None:
        before = api.get(f"/images/{image}").headers["ETag"]
        api.delete(f"/images/{image}/labels/cat")
        assert api.get(f"/images/{image}", if_none_match=str(before)).status_code == 200

    def test_an_image_that_is_not_there_yet_keeps_what_was_said(
        self, api: Api, services: FakeServices
    ) -> None:
        image = api.handed_in()
        assert api.request("PUT", f"/images/{image}/labels/holiday").json_body["result"] == 0
        services.label(image, FELINE)
        shown = api.get(f"/images/{image}").json_body
        assert [one["name"] for one in shown["labels"]] == ["holiday", "Cat"]


class TestManyImages:
    def test_given_ids_are_corrected_at_once(self, api: Api, services: FakeServices, image: str) -> None:
        other = handed_in(api, services)
        body = {"ids": [image, other, image, NOBODY], "add": ["Pet"], "remove": ["dog", "horse"]}
        assert api.post("/images/labels", body).json_body["images"] == [
            {"id": image, "outcome": "changed"},
            {"id": other, "outcome": "changed"},
            {"id": NOBODY, "outcome": "not-found"},
        ]
        assert services.counts() == {"animal": 2, "cat": 2, "pet": 2}
        again = api.post("/images/labels", body).json_body["images"]
        assert [one["outcome"] for one in again] == ["unchanged", "unchanged", "not-found"]

    def test_one_that_has_no_room_does_not_keep_the_others(
        self, api: Api, services: FakeServices, image: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = handed_in(api, services)
        api.request("PUT", f"/images/{image}/labels/rex", body={"parents": ["x" * 100]})
        monkeypatch.setattr(bounds, "MAX_USER_DATA_BYTES", 300)
        outcomes = api.post("/images/labels", {"ids": [image, other], "add": ["Pet"]}).json_body["images"]
        assert [(one["outcome"], one.get("code")) for one in outcomes] == [
            ("refused", "too-much"),
            ("changed", None),
        ]
        refused = api.request("PUT", f"/images/{image}/labels/pet")
        assert (refused.status_code, refused.json_body["code"]) == (422, "too-much")
        assert refused.json_body["bytes"] > refused.json_body["most"] == 300

    def test_a_query_is_worked_through_as_a_job(self, api: Api, services: FakeServices) -> None:
        for _ in range(23):
            handed_in(api, services)
        begun = api.post("/images/labels", {"q": "cat & dog", "add": ["Pet"], "remove": ["dog"]})
        assert (begun.status_code, begun.json_body["status"]) == (202, "running")
        work_off(services)
        done = api.get(f"/jobs/{begun.json_body['id']}").json_body
        assert begun.headers["Location"] == done["links"]["self"]
        assert (done["status"], done["looked_at"], done["changed"]) == ("done", 23, 23)
        assert services.counts() == {"animal": 23, "cat": 23, "pet": 23}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"add": ["a"]}, "ids-or-q"),
            ({"ids": [], "q": "a", "add": ["a"]}, "ids-or-q"),
            ({"ids": [NOBODY]}, "nothing-to-do"),
            ({"ids": [NOBODY], "add": ["Cat"], "remove": ["cat "]}, "added-and-removed"),
            ({"ids": [NOBODY] * 101, "add": ["a"]}, "bad-value"),
            ({"q": "cat &", "add": ["a"]}, "bad-query"),
            ({"q": "", "add": ["a"]}, "bad-value"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, api: Api, body: Any, code: str) -> None:
        answer = api.post("/images/labels", body)
        assert (answer.status_code, answer.json_body["code"]) == (400, code)

    def test_a_label_is_renamed_everywhere_and_the_rename_can_end(
        self, api: Api, services: FakeServices, image: str
    ) -> None:
        begun = api.post("/labels/ANIMAL/rename", {"to": "Living  thing"})
        assert begun.status_code == 202
        work_off(services)
        assert api.get(f"/jobs/{begun.json_body['id']}").json_body["status"] == "done"
        assert services.counts() == {"cat": 1, "dog": 1, "living thing": 1}
        (rename,) = api.get("/renames").json_body["renames"]
        assert (rename["from"], rename["to"]) == ("animal", "Living thing")
        assert api.delete("/labels/animal/rename").status_code == 204
        assert api.get("/renames").json_body == {"renames": []}
        assert api.delete("/labels/animal/rename").status_code == 404

    @pytest.mark.parametrize("body", [{}, {"to": " cat "}, {"to": 5}, {"to": ""}, {"into": "dog"}])
    def test_a_rename_says_to_what(self, api: Api, body: Any) -> None:
        assert api.post("/labels/cat/rename", body).status_code == 400

    def test_another_owners_job_is_not_shown(self, api: Api, services: Any) -> None:
        job = pipeline.start("somebody", "rename", {"from": "a", "to": "b"}, services)
        assert api.get(f"/jobs/{job.id}").status_code == 404
        assert api.get("/jobs/none").status_code == 404


class TestJobs:
    def test_jobs_of_every_kind_are_listed_as_each_is_shown(
        self, api: Api, services: FakeServices, image: str
    ) -> None:
        begun = [
            api.post(path, body).json_body["id"]
            for path, body in (
                ("/jobs", {"kind": "label", "source": {"urls": []}}),
                ("/relabel", {"q": "cat"}),
                ("/labels/animal/rename", {"to": "beast"}),
                ("/images/labels", {"q": "dog", "add": ["pet"]}),
                ("/images/delete", {"q": "cat"}),
                ("/images/restore", {"q": "cat"}),
                ("/export", {"q": "cat"}),
            )
        ]
        begun.append(api.request("PUT", "/vocabulary", body={"terms": ["beast"]}).json_body["id"])
        work_off(services)
        pipeline.start("somebody", "rename", {"from": "a", "to": "b"}, services)
        listed = api.get("/jobs").json_body
        assert listed == {"jobs": [api.get(f"/jobs/{one}").json_body for one in reversed(begun)]} | {
            "next_cursor": None
        }
        assert [one["kind"] for one in listed["jobs"]] == [*reversed(KINDS)]

    def test_a_page_leads_to_the_next_one(self, api: Api, services: FakeServices) -> None:
        jobs = [start(services, "rename" if number % 2 else "correct") for number in range(7)]
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = api.get(f"/jobs?limit=2&kind=correct{cursor and '&cursor=' + cursor}").json_body
            seen += [one["id"] for one in page["jobs"]]
            cursor = page["next_cursor"]
        assert seen == [job.id for job in reversed(jobs[::2])]
        assert api.get("/jobs?limit=2&cursor=AAAA").json_body["code"] == "bad-cursor"

    def test_those_that_run_are_told_from_those_that_are_done(self, api: Api, services: FakeServices) -> None:
        done, running = start(services, "correct"), start(services, "correct")
        services.jobs.save(dataclasses.replace(done, status="done"))
        for status, expected in (("done", [done]), ("running", [running]), ("any", [running, done])):
            shown = api.get(f"/jobs?status={status}").json_body["jobs"]
            assert [one["id"] for one in shown] == [job.id for job in expected]

    def test_a_page_ends_where_an_answer_would_be_too_long(
        self, api: Api, services: FakeServices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        older, newer = start(services, "correct"), start(services, "correct")
        monkeypatch.setattr(jobs, "PAGE_BYTES", 1)
        first = api.get("/jobs").json_body
        assert [one["id"] for one in first["jobs"]] == [newer.id]
        second = api.get(f"/jobs?cursor={first['next_cursor']}").json_body
        assert ([one["id"] for one in second["jobs"]], second["next_cursor"]) == ([older.id], None)

    def test_a_page_looks_through_so_many_jobs_and_no_more(
        self, api: Api, services: FakeServices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wanted = start(services, "rename")
        for _ in range(3):
            start(services, "correct")
        monkeypatch.setattr(jobs, "MOST_ENTRIES", 3)
        first = api.get("/jobs?kind=rename").json_body
        assert first["jobs"] == []
        second = api.get(f"/jobs?kind=rename&cursor={first['next_cursor']}").json_body
        assert [one["id"] for one in second["jobs"]] == [wanted.id]


def start(services: Any, kind: JobKind) -> Job:
    return pipeline.start("default", kind, {"q": "nothing", "add": ["a"], "remove": []}, services)


class TestAgain:
    def test_an_image_is_labelled_again_under_another_threshold(self, api: Api, services: Any) -> None:
        services.recogniser = FakeRecogniser(FELINE, DOG)
        image = api.handed_in(content="data:image/jpeg;base64," + small_jpeg())
        pipeline.label_image(uploaded(services, image), services)
        begun = api.post(f"/images/{image}/relabel", {"min_confidence": 80})
        assert (begun.status_code, begun.json_body["status"]) == (202, "labelling")
        assert api.post(f"/images/{image}/relabel", {}).status_code == 409
        work_off(services)
        shown = api.get(f"/images/{image}").json_body
        assert [one["name"] for one in shown["labels"]] == ["Cat"]
        history = api.get(f"/images/{image}/history").json_body["history"]
        assert [(one["result"], one["kind"]) for one in history] == [(2, "recognised"), (1, "recognised")]
        assert history[0]["changes"] == {"added": [], "removed": ["Dog"], "confidence": []}
        assert history[1]["changes"] is None
        reason = api.get(f"/images/{image}/why?label=dog").json_body
        assert (reason["verdict"], reason["confidence"], reason["threshold"]) == ("below-threshold", 71, 80)

    def test_a_filter_labels_again_as_a_job(self, api: Api, services: Any) -> None:
        body = {"q": "cat", "labelled_before": "2030-01-01", "max_labels": 7}
        begun = api.post("/relabel", body)
        assert (begun.status_code, begun.json_body["kind"]) == (202, "relabel")
        assert begun.json_body["request"]["asked"]["max_labels"] == 7

    @pytest.mark.parametrize(
        "body",
        [{}, {"min_confidence": 5}, {"q": "(", "max_labels": 1}, {"labelled_before": "soon"}, {"ids": []}],
    )
    def test_a_filter_must_be_one(self, api: Api, body: Any) -> None:
        assert api.post("/relabel", body).status_code == 400

    def test_what_is_not_there_has_no_history_and_no_reason(self, api: Api) -> None:
        assert api.get(f"/images/{NOBODY}/history").status_code == 404
        assert api.get(f"/images/{NOBODY}/why?label=cat").status_code == 404
        assert api.post(f"/images/{NOBODY}/relabel", {}).status_code == 404

    def test_a_reason_is_given_for_a_label(self, api: Api, image: str) -> None:
        assert api.get(f"/images/{image}/why").json_body["pointer"] == "?label"

    def test_history_says_how_sure_it_became(self, api: Api, image: str) -> None:
        api.request("PUT", f"/images/{image}/labels/dog", body={"confidence": 99.5})
        newest = api.get(f"/images/{image}/history").json_body["history"][0]
        assert (newest["kind"], newest["changes"]["confidence"]) == (
            "corrected",
            [{"name": "Dog", "before": 71, "after": 99.5}],
        )


def uploaded(services: Any, image_id: str) -> Any:
    return ObjectUploaded(services.images.get("default", image_id).key)


def small_jpeg() -> str:
    return base64.b64encode(ROCKET).decode()
