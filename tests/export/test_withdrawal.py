"""An image that is erased is in no file that can be downloaded.

Holds `chalicelib/library/manifests.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Conflict
from chalicelib.export.archives import archive_link
from chalicelib.export.listings import write_listing
from chalicelib.library.query import Query, parse
from chalicelib.model import Json, Label, NewImage
from tests.fakes.services import FakeServices
from tests.fakes.world import CAT, ROCKET

DOG = Label("Dog", 91.0)


@pytest.fixture
def services() -> Any:
    return FakeServices()


def two_images(services: Any) -> list[str]:
    """The ids of a dog and of something else, newest first."""
    made = [pipeline.take_in(content, NewImage(), "default", services).id for content in (CAT, ROCKET)]
    services.label(made[0], DOG)
    services.label(made[1], Label("Rocket", 90.0))
    return made[::-1]


def erase(services: Any, image_id: str) -> None:
    pipeline.delete_image("default", image_id, services, permanent=True)
    services.project()


def files(services: Any) -> set[str]:
    return {key for key in services.objects.stored if key.startswith("exports/")}


def work_off(services: Any, after: Any = lambda: None) -> Json:
    """Bring the job to its end, and do something after its first message; its row at last."""
    while services.jobs_queue.messages:
        body = services.jobs_queue.messages.pop(0)
        if "job" in body:
            pipeline.work_on_jobs({"Records": [{"body": json.dumps(body)}]}, services)
            after()
            after = lambda: None  # noqa: E731
            found: Json = services.jobs.get(body["job"]["owner"], body["job"]["id"])
    return found


def archive(services: Any, q: str = "") -> Any:
    return pipeline.start("default", "zip", {"q": q}, services)


def test_each_owners_files_lie_in_a_folder_of_their_own(services: Any) -> None:
    for owner in ("anna", "bert"):
        before = files(services)
        write_listing(owner, Query(), "csv", services)
        pipeline.start(owner, "zip", {"q": ""}, services)
        work_off(services)
        made = files(services) - before
        assert len(made) > 2
        assert all(key.startswith(f"exports/~{owner}/") for key in made), made


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_goes_with_the_image_that_is_in_it_and_others_stay(services: Any, form: Any) -> None:
    other, dog = two_images(services)
    write_listing("default", Query(), form, services)
    without = files(services)
    write_listing("default", parse("dog"), form, services)
    erase(services, other)
    assert files(services).isdisjoint(without)
    assert len(files(services)) == 2  # the dog's, and its list of ids
    pipeline.delete_image("default", dog, services)  # into the bin: it may come back
    services.project()
    assert len(files(services)) == 2
    erase(services, dog)
    assert files(services) == set()


@pytest.mark.parametrize("moment", ["while it is read", "before its list is written", "before it is shown"])
def test_an_image_that_is_erased_while_a_file_is_written_is_in_none(services: Any, moment: str) -> None:
    _, dog = two_images(services)
    put, page = services.objects.put, services._search.page

    def erasing_put(key: str, *rest: Any) -> None:
        if moment == "before its list is written" and key.endswith(".ids"):
            erase(services, dog)
        put(key, *rest)
        if moment == "before it is shown" and key.endswith(".csv"):
            erase(services, dog)

    def erasing_page(*given: Any, **more: Any) -> Any:
        found = page(*given, **more)
        if moment == "while it is read":
            services._search.page = page
            erase(services, dog)
        return found

    services.objects.put, services._search.page = erasing_put, erasing_page
    with pytest.raises(Conflict) as refused:
        write_listing("default", Query(), "csv", services)
    assert refused.value.code == "export-withdrawn"
    assert files(services) == set()


def test_an_archive_and_all_its_parts_go_with_an_image_that_is_in_it(services: Any) -> None:
    other, dog = two_images(services)
    whole, dogs = archive(services), archive(services, "dog")
    work_off(services)
    assert all(archive_link(one, services) for one in (whole, dogs))
    erase(services, other)
    assert archive_link(whole, services) is None
    assert archive_link(dogs, services)
    assert not [key for key in files(services) if whole.id in key]
    erase(services, dog)
    assert files(services) == set()


@pytest.mark.parametrize("moment", ["after a step", "within a step", "at the end"])
def test_an_archive_is_withdrawn_where_an_image_is_erased_while_it_is_packed(
    services: Any, moment: str
) -> None:
    _, dog = two_images(services)
    job = archive(services)
    put, finish = services.objects.put, services.multipart_uploads.finish

    def erasing_put(key: str, *rest: Any) -> None:
        put(key, *rest)
        if moment == "within a step" and key.endswith(".directory"):
            erase(services, dog)

    def erasing_finish(*given: Any) -> None:
        if moment == "at the end":
            erase(services, dog)
        finish(*given)

    services.objects.put, services.multipart_uploads.finish = erasing_put, erasing_finish
    work_off(services, after=lambda: erase(services, dog) if moment == "after a step" else None)
    done = services.jobs.get("default", job.id)
    assert (done.status, archive_link(done, services)) == ("done", None)
    assert not [key for key in files(services) if key.endswith((".zip", ".part"))]


def test_an_archive_has_no_link_once_its_file_has_been_cleared_away(services: Any) -> None:
    two_images(services)
    job = archive(services)
    work_off(services)
    services.clock.forward(2 * 24 * 3600 + 1)
    assert archive_link(services.jobs.get("default", job.id), services) is None
