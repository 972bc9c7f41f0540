"""Jobs: they end, however many images there are and whatever one of them does.

Holds `chalicelib/library/jobs.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Unavailable
from chalicelib.ids import new_id
from chalicelib.library.jobs import KEPT_SECONDS, NAMED_FAILURES, Job
from chalicelib.library.record import key_for
from chalicelib.model import Image, Label, Model
from chalicelib.pipeline import job_worker
from chalicelib.pipeline.job_worker import IMAGES_A_STEP, MOST_TRIES, PATIENCE, STEP_SECONDS, STEPS_A_MESSAGE
from tests.fakes.mail import handle, sqs_event
from tests.fakes.world import World
from tests.thorough import examples

MANY = examples(5_000)
CAT = Label("Cat", 93.0)


@pytest.fixture
def world() -> Any:
    return World()


def labelled(world: Any, number: int) -> list[str]:
    """So many images that have a cat; their ids."""
    ids = []
    for _ in range(number):
        image_id = new_id()
        image = Image(image_id, "default", key_for("default", image_id), "awaiting_upload", "", "2026-01-01")
        record = world.images.create(image)
        done: Any = {"status": "labelled", "completed_at": "2026-01-02", "result": 1}
        changed = dataclasses.replace(record.image, model=Model("fake", "1"), **done)
        world.images.change(
            record, dataclasses.replace(record, image=changed).with_labels((CAT,), ()), "recognised"
        )
        ids.append(image_id)
    return ids


def relabel_all(world: Any) -> str:
    wanted = {"q": "", "model_version_other_than": "2", "labelled_before": None, "asked": {}}
    return pipeline.start("default", "relabel", wanted, world).id


def correct_all(world: Any) -> str:
    return pipeline.start("default", "correct", {"q": "", "add": ["Pet"], "remove": []}, world).id


def work_off(world: Any) -> int:
    """Let the job's messages be handled, one after the other; how many there were."""
    handled = 0
    while world.jobs_queue.messages:
        assert handle(world.jobs_queue.messages.pop(0), world) == {"batchItemFailures": []}
        handled += 1
    return handled


def the(world: Any, job_id: str) -> Job:
    job: Job = world.jobs.get("default", job_id)
    return job


@pytest.mark.slow
def test_a_job_over_thousands_of_images_ends_in_few_messages_of_its_own_queue(world: Any) -> None:
    labelled(world, MANY)
    job_id = relabel_all(world)
    messages = work_off(world)
    job = the(world, job_id)
    assert (job.status, job.looked_at, job.changed, job.failed) == ("done", MANY, MANY, 0)
    assert len(world.uploads_queue.messages) == MANY
    assert messages <= MANY / (IMAGES_A_STEP * STEPS_A_MESSAGE) + 1


def test_a_job_stops_in_time_and_goes_on_with_the_next_message(world: Any) -> None:
    labelled(world, 3 * IMAGES_A_STEP)
    job_id = correct_all(world)
    left = iter([STEP_SECONDS + 5, STEP_SECONDS - 1])
    message = world.jobs_queue.messages.pop(0)
    pipeline.work_on_jobs(sqs_event([message]), world, lambda: next(left))
    assert (the(world, job_id).looked_at, the(world, job_id).status) == (2 * IMAGES_A_STEP, "running")
    assert work_off(world) == 1
    assert (the(world, job_id).changed, the(world, job_id).status) == (3 * IMAGES_A_STEP, "done")


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyError("x"), RecursionError()])
def test_no_image_stops_a_job_and_those_that_could_not_be_changed_are_named(
    world: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = labelled(world, 5)
    genuine = job_worker.correct

    def correct(owner: str, image_id: str, *rest: Any, **more: Any) -> Any:
        if image_id == ids[2]:
            raise error
        return genuine(owner, image_id, *rest, **more)

    monkeypatch.setattr(job_worker, "correct", correct)
    job_id = correct_all(world)
    work_off(world)
    job = the(world, job_id)
    assert (job.status, job.looked_at, job.changed, job.failed) == ("done", 5, 4, 1)
    assert [(one.image_id, one.code) for one in job.failures] == [(ids[2], "internal")]
    assert job.document()["failures"][0]["image_id"] == ids[2]


def test_an_outage_is_waited_for_and_an_image_that_always_meets_one_is_named(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    [image_id] = labelled(world, 1)

    def unavailable(*_: Any, **__: Any) -> Any:
        raise Unavailable("DynamoDB did not answer.")

    monkeypatch.setattr(job_worker, "correct", unavailable)
    job_id = correct_all(world)
    message = world.jobs_queue.messages.pop(0)
    for tries in range(1, PATIENCE):
        with pytest.raises(Unavailable):
            pipeline.work_on_jobs(sqs_event([message], tries), world)
        assert the(world, job_id).status == "running"
    pipeline.work_on_jobs(sqs_event([message], PATIENCE), world)
    assert [(one.image_id, one.code) for one in the(world, job_id).failures] == [(image_id, "unavailable")]
    assert the(world, job_id).status == "done"


@pytest.mark.parametrize("kind", ["correct", "label"])
def test_a_job_that_an_unexpected_error_stops_each_time_has_failed(
    world: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(job_worker, "_next_step", broken)
    monkeypatch.setattr(job_worker, "feed_further", broken)
    job = pipeline.start("default", kind, {"dry_run": False}, world)  # type: ignore[arg-type]
    message = world.jobs_queue.messages.pop(0)
    for tries in range(1, MOST_TRIES):
        with pytest.raises(RuntimeError):
            pipeline.work_on_jobs(sqs_event([message], tries), world)
        assert the(world, job.id).status == "running"
    assert pipeline.work_on_jobs(sqs_event([message], MOST_TRIES), world) == {"batchItemFailures": []}
    ended = the(world, job.id)
    assert (ended.status, ended.error and ended.error.code) == ("failed", "internal")
    assert pipeline.work_on_jobs(sqs_event([message], 1), world) == {"batchItemFailures": []}
    world.clock.forward(3_600)
    pipeline.sweep(world)
    assert not world.jobs_queue.messages


def test_of_very_many_failures_the_first_are_named_and_all_are_counted(world: Any) -> None:
    labelled(world, NAMED_FAILURES + 5)
    job_id = correct_all(world)
    world.images.find = lambda owner, image_id: None  # each was deleted meanwhile
    work_off(world)
    job = the(world, job_id)
    assert (job.failed, len(job.failures), job.failures[0].code) == (
        NAMED_FAILURES + 5,
        NAMED_FAILURES,
        "not-found",
    )


def test_the_row_of_a_job_that_is_done_expires(world: Any) -> None:
    job_id = correct_all(world)
    work_off(world)
    [row] = world.table.items_of_kind("job")
    assert (row["expires_at"], "due_at" in row) == (int(world.clock() + KEPT_SECONDS), False)
    assert the(world, job_id).status == "done"
