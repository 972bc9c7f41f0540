"""The bin over HTTP (chalicelib/api: bin, responses): into it, and out of it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.intake.objects import sidecar_key
from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.services import FakeServices

PHOTO = b"\x89PNG not a real one"
CONTENT = base64.b64encode(PHOTO).decode()
CAT = Label("Cat", 97.3, parents=("Animal",))
DAY = 86_400


@pytest.fixture
def image(api: Api, services: FakeServices) -> str:
    """A labelled and corrected image, by its id."""
    image_id = api.handed_in(content=CONTENT, filename="cat.jpg")
    etag = services.objects.etag(f"uploads/~default/{image_id}")
    services.label(image_id, CAT, sha256="ab" * 32, etag=etag)
    api.request("PUT", f"/images/{image_id}/labels/tabby")
    return image_id


def listed(api: Api, query: str = "") -> list[str]:
    return [one["id"] for one in api.get(f"/images?{query}").json_body["images"]]


def sqs(message: Any) -> Any:
    return {"Records": [{"messageId": "1", "receiptHandle": "r", "body": json.dumps(message)}]}


def work(services: FakeServices) -> None:
    """Let the jobs that wait be done."""
    while message := services.next_message():
        services.project()
        pipeline.work_on_jobs(sqs(message), services)  # type: ignore[arg-type]


def test_a_deleted_image_is_in_the_bin_and_nowhere_else(api: Api, services: FakeServices, image: str) -> None:
    answer = api.delete(f"/images/{image}")
    binned = answer.json_body
    assert (answer.status_code, binned["status"], binned["missing"]) == (200, "binned", False)
    assert (binned["binned_at"], binned["erases_at"]) != (None, None)
    assert api.get(f"/images/{image}").json_body == binned
    assert listed(api, "status=binned") == [image]
    for query in ("", "label=cat", "filename=cat", "status=labelled", "q=!dog", "q=cat | status:binned"):
        assert listed(api, query) == [], query
    assert api.get("/labels").json_body["labels"] == []
    [known] = api.post("/images/known", {"sha256": ["ab" * 32]}).json_body["images"]
    assert known["id"] is None
    assert api.get("/export?format=jsonl").json_body["images"] == 0


def test_what_it_was_stays_in_the_bin_but_for_its_sidecar(
    api: Api, services: FakeServices, image: str
) -> None:
    key = services.images.get("default", image).key
    api.delete(f"/images/{image}")
    binned = api.get(f"/images/{image}").json_body
    assert [label["name"] for label in binned["labels"]] == ["tabby", "Cat"]
    assert services.objects.stored[key] == PHOTO
    assert sidecar_key(key) not in services.objects.sidecars
    assert api.get(f"/images/{image}/thumbnail").status_code == 302
    assert api.get(f"/images/{image}/content").status_code == 302
    assert api.get("/images?status=binned&with=thumbnail_url").json_body["images"][0]["thumbnail_url"]
    kinds = [step["kind"] for step in api.get(f"/images/{image}/history").json_body["history"]]
    assert kinds == ["binned", "corrected", "recognised"]


def test_the_bin_can_be_searched(api: Api, services: FakeServices, image: str) -> None:
    api.delete(f"/images/{image}")
    for query in ("q=cat", "q=animal %26 tabby", "filename=cat", "q=after:2020-01-01"):
        assert listed(api, f"{query}&status=binned") == [image], query
    for query in ("q=dog", "q=before:2020-01-01", "status=labelled"):
        assert listed(api, f"{query} %26 status:binned".replace("status=labelled", "q=status:labelled")) == []


def test_restoring_brings_it_back_as_it_was(api: Api, services: FakeServices, image: str) -> None:
    before = api.get(f"/images/{image}").json_body
    api.delete(f"/images/{image}")
    services.project()
    answer = api.post(f"/images/{image}/restore")
    after = answer.json_body
    changed = ("result", "restored_at")
    assert {**after, **{name: before[name] for name in changed}} == before
    assert after["restored_at"]
    assert answer.headers["ETag"] == api.get(f"/images/{image}").headers["ETag"]
    assert listed(api, "label=tabby") == [image]
    assert listed(api, "status=binned") == []
    assert sidecar_key(f"uploads/~default/{image}") in services.objects.sidecars
    assert api.post(f"/images/{image}/restore").json_body == after


def test_deleting_twice_is_deleting_once_and_permanently_leaves_nothing(
    api: Api, services: FakeServices, image: str
) -> None:
    first = api.delete(f"/images/{image}")
    services.clock.forward(DAY)
    assert api.delete(f"/images/{image}").body == first.body
    assert api.delete(f"/images/{image}?permanent=true").status_code == 204
    assert api.get(f"/images/{image}").status_code == 404
    assert api.post(f"/images/{image}/restore").status_code == 404
    assert listed(api, "status=binned") == []
    assert services.objects.stored == {}


def test_without_a_bin_it_is_erased_at_once(api: Api, services: FakeServices, image: str) -> None:
    services.with_settings(bin_days=0)
    assert api.delete(f"/images/{image}").status_code == 204
    assert api.get(f"/images/{image}").status_code == 404
    assert services.objects.stored == {}


def test_nothing_is_done_to_an_image_in_the_bin(api: Api, image: str) -> None:
    api.delete(f"/images/{image}")
    for answer in (
        api.request("PUT", f"/images/{image}/labels/dog"),
        api.delete(f"/images/{image}/labels/cat"),
        api.delete(f"/images/{image}/corrections/tabby"),
        api.post(f"/images/{image}/relabel", {}),
        api.get(f"/images/{image}/metadata"),
    ):
        assert (answer.status_code, answer.json_body["code"]) == (409, "binned")
    [outcome] = api.post("/images/labels", {"ids": [image], "add": ["dog"]}).json_body["images"]
    assert (outcome["outcome"], outcome["code"]) == ("refused", "binned")


def test_an_image_whose_file_has_gone_is_not_restored(api: Api, services: FakeServices, image: str) -> None:
    api.delete(f"/images/{image}")
    services.objects.stored.clear()
    answer = api.post(f"/images/{image}/restore")
    assert (answer.status_code, answer.json_body["code"]) == (409, "object-missing")


def test_an_announced_upload_can_be_deleted_and_restored(api: Api, services: FakeServices) -> None:
    image = api.handed_in()
    api.delete(f"/images/{image}")
    assert api.post(f"/images/{image}/restore").json_body["status"] == "awaiting_upload"
    api.delete(f"/images/{image}")
    services.objects.put(f"uploads/~default/{image}", PHOTO)
    assert api.post(f"/images/{image}/restore").json_body["status"] == "labelling"
    assert services.uploads_queue.messages[-1]["Records"][0]["s3"]["object"]["key"].endswith(image)


def test_many_go_and_come_at_once(api: Api, services: FakeServices, image: str) -> None:
    other = api.handed_in(content=CONTENT)
    nobody = "01JD3Y7V4M8B5WZ0QX6T2K9RCA"
    answer = api.post("/images/delete", {"ids": [image, other, nobody]})
    assert [one["outcome"] for one in answer.json_body["images"]] == ["binned", "binned", "not-found"]
    answer = api.post("/images/restore", {"ids": [image, nobody]})
    assert [one["outcome"] for one in answer.json_body["images"]] == ["restored", "not-found"]
    answer = api.post("/images/restore", {"ids": [image]})
    assert [one["outcome"] for one in answer.json_body["images"]] == ["unchanged"]
    answer = api.post("/images/delete", {"ids": [image, other], "permanent": True})
    assert [one["outcome"] for one in answer.json_body["images"]] == ["erased", "erased"]
    assert services.objects.stored == {}


def test_what_a_query_finds_goes_and_comes_as_a_job(api: Api, services: FakeServices) -> None:
    cats = [api.handed_in(content=CONTENT) for _ in range(25)]
    dog = api.handed_in(content=CONTENT)
    for one in cats:
        services.label(one, CAT, etag=services.objects.etag(f"uploads/~default/{one}"))
    services.label(dog, Label("Dog", 90.0))
    job = api.post("/images/delete", {"q": "cat"})
    work(services)
    done = api.get(f"/jobs/{job.json_body['id']}").json_body
    assert (job.status_code, done["status"], done["changed"]) == (202, "done", 25)
    assert listed(api) == [dog]
    job = api.post("/images/restore", {"q": "cat"})
    work(services)
    assert api.get(f"/jobs/{job.json_body['id']}").json_body["changed"] == 25
    assert sorted(listed(api, "label=cat")) == sorted(cats)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, ""), ({"ids": [], "q": "cat"}, ""), ({"q": "cat", "permanent": 1}, "/permanent")],
)
def test_a_mistaken_deletion_of_many_is_refused(api: Api, body: Any, pointer: str) -> None:
    answer = api.post("/images/delete", body)
    assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)


CHANGES = (
    ("PUT", "/labels/dog"),
    ("DELETE", "/labels/cat"),
    ("DELETE", "/corrections/tabby"),
    ("DELETE", ""),
    ("DELETE", "?permanent=true"),
)


@pytest.mark.parametrize(("method", "what"), CHANGES)
def test_a_change_of_what_has_changed_is_refused(api: Api, image: str, method: str, what: str) -> None:
    seen = api.get(f"/images/{image}").headers["ETag"]
    api.request("PUT", f"/images/{image}/labels/striped")
    now = api.get(f"/images/{image}")
    answer = api.request(method, f"/images/{image}{what}", if_match=seen)
    assert (answer.status_code, answer.json_body["code"]) == (412, "stale")
    assert api.get(f"/images/{image}").body == now.body
    tag = now.headers["ETag"]
    assert api.request(method, f"/images/{image}{what}", if_match=f'"other", {tag}').status_code < 300


def test_a_tag_is_strong_and_a_star_is_any(api: Api, image: str) -> None:
    weak = f"W/{api.get(f'/images/{image}').headers['ETag']}"
    assert api.delete(f"/images/{image}", if_match=weak).status_code == 412
    answer = api.request("PUT", f"/images/{image}/labels/dog", if_match="*")
    assert answer.headers["ETag"] == api.get(f"/images/{image}").headers["ETag"]
    assert api.delete(f"/images/{image}", if_match=answer.headers["ETag"]).status_code == 200


def test_a_change_that_comes_between_is_not_overlooked(
    api: Api, services: FakeServices, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody corrects the image after its tag was compared and before it is written."""
    seen, change = api.get(f"/images/{image}").headers["ETag"], services.images.change

    def late(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(services.images, "change", change)
        pipeline.correct("default", image, pipeline.label_edits(["late"], []), services)  # type: ignore[arg-type]
        return change(*args, **more)

    monkeypatch.setattr(services.images, "change", late)
    assert api.delete(f"/images/{image}", if_match=seen).status_code == 412
    assert api.get(f"/images/{image}").json_body["status"] == "labelled"
