"""The originals of a query as one ZIP file: asked for over HTTP, packed step by step, whatever goes wrong.

Holds `chalicelib/export/archives.py`.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib import pipeline
from chalicelib.errors import Unavailable
from chalicelib.export import archives
from chalicelib.expressions import Update
from chalicelib.library import record
from chalicelib.library.record import record_key
from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.services import FakeServices

DOG = Label("Dog", 91.0)


@pytest.fixture
def dogs(api: Api, services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Eleven dogs, by their names in an archive; a step holds about three of them."""
    monkeypatch.setattr(archives, "PART_BYTES", 2500)
    monkeypatch.setattr(archives, "SMALLEST_PART", 2000)
    monkeypatch.setattr(archives, "IMAGES_AT_ONCE", 2)
    monkeypatch.setattr(archives, "JOINED_AT_ONCE", 2)
    services.multipart_uploads.smallest_part = 2000
    chance = random.Random(1)  # noqa: S311 - chance, not a secret
    expected = {}
    for number in range(11):
        image_id = api.handed_in(filename=r"..\..\rex.jpg" if number % 2 else "../é/rex.jpg")
        image = services.label(image_id, DOG)
        content = chance.randbytes(chance.randrange(300, 1200))
        services.objects.put(image.key, content)
        expected[f"{image.id}-rex.jpg"] = content
    services.label(api.handed_in(), Label("Cat", 90.0))
    services.label(api.handed_in(), DOG)  # whose object has gone
    return expected


def packed(services: FakeServices, url: str) -> dict[str, bytes]:
    content = services.objects.stored[urlsplit(url).path.removeprefix("/")]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist() if name != archives.MISSING_FILE}


def listed_as_missing(services: FakeServices, url: str) -> Any:
    with zipfile.ZipFile(io.BytesIO(services.objects.stored[urlsplit(url).path[1:]])) as archive:
        return json.loads(archive.read(archives.MISSING_FILE))


def work(services: FakeServices, times: int = 1) -> int:
    """Let the worker take every message on the queue so many times; how many there were."""
    worked = 0
    queue = services.jobs_queue
    while queue.messages:
        message = {"Records": [{"body": json.dumps(queue.messages.pop(0))}]}
        for _ in range(times):
            pipeline.work_on_jobs(message, services)  # type: ignore[arg-type]
        worked += 1
    return worked


def begun(api: Api, services: FakeServices, **body: str) -> str:
    services.jobs_queue.messages.clear()
    answer = api.post("/export", body)
    assert answer.status_code == 202
    return f"/jobs/{answer.json_body['id']}"


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ('a/b<c>:"d|e?f*g.jpg', "b_c___d_e_f_g.jpg"),
        ("nul\u00ad.jpg", "nul_.jpg"),
        ("gpj\u202e.exe\u2066\u200f", "gpj_.exe__"),
        ("CON", "CON"),
        ("dots. . .", "dots"),
        ("猫 &=é.jpg", "猫 &=é.jpg"),
        ("...", ".jpeg"),
    ],
)
def test_names_are_such_as_windows_can_write(
    api: Api, services: FakeServices, filename: str, name: str
) -> None:
    image = services.label(api.handed_in(filename=filename), DOG)
    services.objects.put(image.key, b"rex")
    job = begun(api, services, q="dog")
    work(services)
    (packed_name,) = packed(services, api.get(job).json_body["links"]["archive"])
    assert packed_name == (image.id + name if name == ".jpeg" else f"{image.id}-{name}")


@pytest.mark.parametrize("times", [1, 2])
def test_the_archive_holds_the_originals_once_each_even_where_every_message_comes_twice(
    api: Api, services: FakeServices, dogs: dict[str, bytes], times: int
) -> None:
    job = begun(api, services, q="dog")
    assert "archive" not in api.get(job).json_body["links"]
    assert work(services, times) > 4
    done = api.get(job).json_body
    assert (done["status"], done["looked_at"], done["changed"]) == ("done", 12, 11)
    assert packed(services, done["links"]["archive"]) == dogs


def test_what_is_not_in_the_bucket_is_named_in_the_answer_and_in_the_archive(
    api: Api, services: FakeServices, dogs: dict[str, bytes]
) -> None:
    job = begun(api, services, q="dog")
    work(services)
    done = api.get(job).json_body
    [gone] = done["missing"]
    assert gone not in {name.partition("-")[0] for name in dogs}
    assert done["complete"] is False
    assert listed_as_missing(services, done["links"]["archive"]) == {"missing": [gone], "total": 1}
    api.delete(f"/images/{gone}?permanent=true")
    job = begun(api, services, q="dog")
    work(services)
    done = api.get(job).json_body
    assert (done["missing"], done["complete"]) == ([], True)


def test_a_step_that_has_little_time_leaves_a_part_that_the_next_one_fills(
    api: Api, services: FakeServices, dogs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SECONDS", 0.0)
    monkeypatch.setattr(archives, "IMAGES_AT_ONCE", 1)
    job = begun(api, services, q="dog")
    work(services)
    assert packed(services, api.get(job).json_body["links"]["archive"]) == dogs


@pytest.mark.parametrize("broken", ["object", "record"])
def test_an_original_that_cannot_be_packed_is_named_and_stops_nothing(
    api: Api, services: FakeServices, dogs: dict[str, bytes], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = sorted(dogs)[4]
    image = services.images.get("default", spoilt.partition("-")[0])
    genuine = services.objects.read

    def read(key: str, *, max_bytes: int) -> Any:
        if key == image.key:
            raise RuntimeError("a bug")
        return genuine(key, max_bytes=max_bytes)

    job = begun(api, services, q="dog")
    if broken == "object":
        monkeypatch.setattr(services.objects, "read", read)
    else:
        document = services.images.stored("default", image.id).document
        del document["corrections"]
        services.table.write(Update(record_key("default", image.id), set={"body": record.packed(document)}))
    work(services)
    done = api.get(job).json_body
    assert (done["status"], done["changed"], done["failed"]) == ("done", 10, 1)
    assert [one["image_id"] for one in done["failures"]] == [image.id]
    del dogs[spoilt]
    assert packed(services, done["links"]["archive"]) == dogs


def test_an_archive_of_nothing_is_empty(api: Api, services: FakeServices) -> None:
    job = begun(api, services)
    work(services)
    assert packed(services, api.get(job).json_body["links"]["archive"]) == {}


@pytest.mark.parametrize("seed", range(10))
def test_a_worker_that_dies_anywhere_costs_time_only(
    api: Api, services: FakeServices, dogs: dict[str, bytes], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # noqa: S311

    def mortal(call: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        def may_die(*args: Any, **kwargs: Any) -> Any:
            answer = call(*args, **kwargs) if after else None
            if chance.random() < 0.1:
                raise Unavailable("The worker is gone.")
            return answer if after else call(*args, **kwargs)

        return may_die

    job = begun(api, services, q="dog")
    message = services.jobs_queue.messages[0]
    for place, name in (
        (services.objects, "put"),
        (services.jobs, "save"),
        (services.multipart_uploads, "add"),
        (services.multipart_uploads, "finish"),
        (services.objects, "delete_original"),
    ):
        monkeypatch.setattr(place, name, mortal(getattr(place, name), after=chance.random() < 0.5))
    for _ in range(200):
        services.jobs_queue.messages[:] = [message]  # the queue brings it again
        try:
            work(services)
        except Unavailable:
            continue
        break
    done = api.get(job).json_body
    assert done["status"] == "done"
    assert packed(services, done["links"]["archive"]) == dogs


def exported(services: FakeServices) -> set[str]:
    """The kinds of files that there are below ``exports/``."""
    keys = [key for key in services.objects.stored if key.startswith("exports/")]
    return {key.rpartition(".")[2] for key in keys}


def test_parts_go_when_they_are_merged_and_when_the_archive_is_whole(
    api: Api, services: FakeServices, dogs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SECONDS", 0.0)
    monkeypatch.setattr(archives, "IMAGES_AT_ONCE", 1)
    job = begun(api, services, q="dog")
    while api.get(job).json_body["status"] == "running":
        message = {"Records": [{"body": json.dumps(services.jobs_queue.messages.pop(0))}]}
        pipeline.work_on_jobs(message, services)  # type: ignore[arg-type]
        state = services.jobs.get("default", job.rpartition("/")[2]).state
        known = {*(key for key, _ in state["parts"]), *state["merged"]}
        there = {key for key in services.objects.stored if key.endswith(".part")}
        assert there <= known
        assert len(there) <= len(state["parts"]) + 1
    assert exported(services) == {"zip", "directory"}
    assert packed(services, api.get(job).json_body["links"]["archive"]) == dogs


@pytest.mark.parametrize("before", ["merged parts are removed", "the step is saved"])
def test_nothing_is_left_of_what_is_withdrawn_between_two_steps(
    api: Api, services: FakeServices, dogs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    monkeypatch.setattr(archives, "SECONDS", 0.0)
    monkeypatch.setattr(archives, "IMAGES_AT_ONCE", 1)
    erased, save = max(dogs).partition("-")[0], services.jobs.save

    def erase(job: Any) -> Any:
        if not job.state["merged"] or job.state["entries"] < 2:
            return save(job)
        services.jobs.save = save  # type: ignore[method-assign]
        saved = save(job) if before == "merged parts are removed" else None
        api.delete(f"/images/{erased}?permanent=true")
        services.project()
        return saved or save(job)

    services.jobs.save = erase  # type: ignore[method-assign]
    job = begun(api, services, q="dog")
    work(services)
    assert api.get(job).json_body["status"] == "done"
    assert exported(services) == set()


def test_of_two_workers_at_the_same_step_one_leaves_nothing(
    api: Api, services: FakeServices, dogs: dict[str, bytes]
) -> None:
    job = begun(api, services, q="dog")
    message = services.jobs_queue.messages[0]
    save = services.jobs.save

    def meeting(one: Any) -> Any:
        services.jobs.save = save  # type: ignore[method-assign]
        pipeline.work_on_jobs({"Records": [{"body": json.dumps(message)}]}, services)  # type: ignore[arg-type]
        return save(one)

    services.jobs.save = meeting  # type: ignore[method-assign]
    work(services)
    done = api.get(job).json_body
    assert packed(services, done["links"]["archive"]) == dogs
    state = services.jobs.get("default", done["id"]).state
    kept = {*state["directories"], f"exports/~default/{done['id']}/images.zip"}
    assert {key for key in services.objects.stored if key.startswith("exports/")} == kept


def test_an_archive_that_has_become_too_large_ends_and_says_so(
    api: Api, services: FakeServices, dogs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_PARTS", 2)
    job = begun(api, services, q="dog")
    work(services)
    done = api.get(job).json_body
    assert done["complete"] is False
    part = packed(services, done["links"]["archive"])
    assert 0 < len(part) < len(dogs)
    assert part.items() <= dogs.items()


@pytest.mark.parametrize("body", [{"q": "("}, {"q": ""}, {"query": "dog"}, {"q": 1}])
def test_an_archive_of_what_makes_no_sense_is_refused(api: Api, body: dict[str, object]) -> None:
    assert api.post("/export", body).status_code == 400
