"""Images are recognised again, and nothing is lost by it.

Holds `chalicelib/library/history.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Conflict, RecogniserRefused, Superseded, Unavailable
from chalicelib.library.history import KEPT
from chalicelib.library.images import LEASE_SECONDS
from chalicelib.library.jobs import QUIET_SECONDS, SHARDS
from chalicelib.model import Asked, Label, Model, NewImage
from tests.fakes.mail import handle
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World

KEY = "uploads/a.jpg"
FELINE = Label("Cat", 93.0, parents=("Animal",))


@pytest.fixture
def world() -> Any:
    world = World()
    world.recogniser = FakeRecogniser(FELINE)
    return world


def newer(*labels: Label, **more: Any) -> FakeRecogniser:
    return FakeRecogniser(*labels, model=Model("fake", "2"), **more)


def work_off(world: Any) -> None:
    while message := world.next_message():
        handle(message, world)


def relabel(world: Any, key: str = KEY, **asked: Any) -> None:
    world.clock.forward(1)
    pipeline.relabel("default", world.image_at(key).id, Asked(**asked), world)


def test_labels_stay_findable_until_the_new_ones_are_there(world: Any) -> None:
    pipeline.label_image(world.drop(KEY), world)
    world.recogniser = newer(Label("Kitten", 95.0))
    relabel(world, max_labels=5)
    waiting = world.image_at(KEY)
    assert (waiting.status, waiting.labels, waiting.max_labels) == ("labelling", (FELINE,), 5)
    assert world.counts() == {"animal": 1, "cat": 1}
    work_off(world)
    done = world.image_at(KEY)
    assert (done.status, [one.name for one in done.labels], done.result) == ("labelled", ["Kitten"], 2)
    assert world.counts() == {"kitten": 1}
    assert [event["id"] for event in world.topic.published] == [f"{done.id}.1", f"{done.id}.2"]


def test_a_late_or_repeated_event_does_not_recognise_a_third_time(world: Any) -> None:
    uploaded = world.drop(KEY)
    pipeline.label_image(uploaded, world)
    world.recogniser = newer(FELINE)
    relabel(world)
    (message,) = world.uploads_queue.messages
    for _ in range(3):
        handle(message, world)
        pipeline.label_image(uploaded, world)
    assert (world.image_at(KEY).result, len(world.recogniser.photos)) == (2, 1)


def test_a_wish_whose_message_was_lost_is_fulfilled_by_the_sweep(world: Any) -> None:
    pipeline.label_image(world.drop(KEY), world)
    world.recogniser = newer(FELINE)
    relabel(world)
    world.uploads_queue.messages.clear()
    world.clock.forward(LEASE_SECONDS + 1)
    pipeline.sweep(world)
    work_off(world)
    assert world.image_at(KEY).model == Model("fake", "2")


def test_what_is_not_labelled_yet_cannot_be_labelled_again(world: Any) -> None:
    image = pipeline.await_upload(NewImage(), "default", world)
    with pytest.raises(Conflict):
        pipeline.relabel("default", image.id, Asked(), world)


@pytest.mark.parametrize("kind", ["refused", "gone"])
def test_if_nothing_comes_of_it_the_labels_that_were_there_stay(world: Any, kind: str) -> None:
    pipeline.label_image(world.drop(KEY), world)
    world.recogniser = newer(raises=[RecogniserRefused("It will not.", code="refused")])
    relabel(world)
    if kind == "gone":
        world.objects.delete(KEY)
    work_off(world)
    image = world.image_at(KEY)
    assert (image.status, image.labels, image.error) == ("labelled", (FELINE,), None)
    assert world.counts() == {"animal": 1, "cat": 1}
    last, first = world.history.of("default", image.id)
    assert (last.kind, last.error.code, first.kind) == (
        "failed",
        "refused" if kind == "refused" else "object-missing",
        "recognised",
    )


def test_a_failed_image_gets_another_chance(world: Any) -> None:
    world.recogniser = FakeRecogniser(FELINE, raises=[RecogniserRefused("It will not.")])
    pipeline.label_image(world.drop(KEY), world)
    assert world.image_at(KEY).status == "failed"
    relabel(world)
    work_off(world)
    assert (world.image_at(KEY).status, world.image_at(KEY).error) == ("labelled", None)


def test_history_keeps_the_last_results_and_deleting_leaves_none(world: Any) -> None:
    pipeline.label_image(world.drop(KEY), world)
    image = world.image_at(KEY)
    for version in range(KEPT + 5):
        world.recogniser = FakeRecogniser(FELINE, model=Model("fake", f"v{version}"))
        relabel(world)
        work_off(world)
    steps = world.history.of("default", image.id)
    assert [step.result for step in steps] == list(range(KEPT + 6, 6, -1))
    assert steps[0].model == Model("fake", f"v{KEPT + 4}")
    world.erase(world.image_at(KEY))
    assert world.history.of("default", image.id) == []


@pytest.mark.slow
class TestManyAtOnce:
    def library(self, world: Any, count: int = 45) -> list[str]:
        keys = [f"uploads/{number}.jpg" for number in range(count)]
        for number, key in enumerate(keys):
            world.recogniser = FakeRecogniser(FELINE if number % 3 else Label("Dog", 90.0))
            pipeline.label_image(world.drop(key, CAT + b"\xff\xd9" * number), world)
        world.clock.forward(1)
        world.recogniser = newer(Label("Pet", 90.0))
        return keys

    def start(self, world: Any, q: str = "", other: str | None = None, before: str | None = None) -> str:
        wanted = {"q": q, "model_version_other_than": other, "labelled_before": before, "asked": {}}
        return str(pipeline.start("default", "relabel", wanted, world).id)

    def test_a_filter_relabels_what_it_finds_and_nothing_else(self, world: Any) -> None:
        self.library(world)
        job_id = self.start(world, q="dog")
        work_off(world)
        assert world.counts() == {"animal": 30, "cat": 30, "pet": 15}
        job = world.jobs.get("default", job_id)
        assert (job.status, job.looked_at, job.changed) == ("done", 15, 15)

    def test_only_what_another_version_labelled_is_labelled_again(self, world: Any) -> None:
        keys = self.library(world)
        relabel(world, keys[0])
        work_off(world)
        world.clock.forward(1)
        self.start(world, other="2")
        work_off(world)
        assert len(world.recogniser.photos) == 45
        assert {world.image_at(key).result for key in keys} == {2}

    def test_only_what_is_older_is_labelled_again(self, world: Any) -> None:
        self.library(world, 3)
        self.start(world, before="2000-01-01T00:00:00.000Z")
        work_off(world)
        assert world.recogniser.photos == []

    def test_a_job_that_was_interrupted_labels_no_image_twice(self, world: Any) -> None:
        keys = self.library(world)
        self.start(world, before="2100-01-01T00:00:00.000Z")
        whole = world.jobs.save
        world.jobs.save = lambda job: (_ for _ in ()).throw(Unavailable("Gone."))
        first = world.jobs_queue.messages.pop(0)
        with pytest.raises(Unavailable):
            handle(first, world)
        world.jobs.save = whole
        work_off(world)
        handle(first, world)
        work_off(world)
        assert {world.image_at(key).result for key in keys} == {2}

    def test_of_two_workers_with_one_job_the_slower_does_not_set_it_back(self, world: Any) -> None:
        job = world.jobs.create("default", "relabel", {})
        further = world.jobs.save(dataclasses.replace(job, looked_at=20))
        with pytest.raises(Superseded):
            world.jobs.save(dataclasses.replace(job, looked_at=3))
        assert world.jobs.get("default", job.id) == further

    @pytest.mark.parametrize("fault", ["twice", "lost", "killed"])
    def test_a_job_is_done_once_whatever_happens_to_its_messages(self, world: Any, fault: str) -> None:
        self.library(world)
        job_id = self.start(world, other="2")
        first = world.jobs_queue.messages.pop(0)
        if fault == "twice":
            handle(first, world)
            handle(first, world)
        elif fault == "killed":
            whole = world.jobs.save
            world.jobs.save = lambda job: (_ for _ in ()).throw(Unavailable("Gone."))
            with pytest.raises(Unavailable):
                handle(first, world)
            world.jobs.save = whole
        world.clock.forward(QUIET_SECONDS + 1)
        pipeline.sweep(world)
        work_off(world)
        assert world.jobs.get("default", job_id).status == "done"
        assert world.counts() == {"pet": 45}
        assert len(world.recogniser.photos) == 45
        assert list(world.due.keys(SHARDS)) == []
