"""The same bytes are paid for once, whoever hands them in, and when.

Holds `chalicelib/library/recognition_cache.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Unavailable
from chalicelib.library.recognition_cache import LEASE_SECONDS
from chalicelib.model import Asked, Image, Label, Model, NewImage, ObjectUploaded
from chalicelib.pipeline.description import MOST_ATTEMPTS
from tests.fakes.mail import handle
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World, s3_event

FELINE = Label("Cat", 93.0, parents=("Animal",))
FIRST, SECOND = "uploads/a.jpg", "uploads/b.jpg"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def world() -> Any:
    world = World()
    world.recogniser = FakeRecogniser(FELINE)
    return world


def work_off(world: Any) -> None:
    while world.uploads_queue.messages:
        body = json.dumps(world.uploads_queue.messages.pop(0))
        pipeline.label_messages({"Records": [{"body": body}]}, world)


def answer_of(world: Any, key: str) -> str:
    record = world.images.find_by_key(key)
    return str(record.recognition)


def taken_in(world: Any, owner: str, **asked: Any) -> Image:
    image = pipeline.take_in(CAT, NewImage(**asked), owner, world)
    pipeline.label_image(ObjectUploaded(image.key), world)
    found: Image = world.images.get(owner, image.id)
    return found


def test_a_second_upload_of_a_file_asks_nobody_and_says_where_it_was_copied_from(world: Any) -> None:
    for key in (FIRST, SECOND):
        pipeline.label_image(world.drop(key), world)
    first, second = world.image_at(FIRST), world.image_at(SECOND)
    assert len(world.recogniser.photos) == 1
    assert (second.labels, second.model, second.status) == (first.labels, first.model, "labelled")
    assert (first.copied_from, second.copied_from) == (None, first.id)
    assert world.objects.sidecars["metadata/b.jpg.json"]["copied_from"] == first.id
    assert [step.kind for step in world.history.of("default", second.id)] == ["copied"]
    assert world.counts() == {"animal": 2, "cat": 2}


def test_a_file_is_paid_for_again_by_another_owner_or_under_another_question(world: Any) -> None:
    images = [
        taken_in(world, "me"),
        taken_in(world, "you"),
        taken_in(world, "me", min_confidence=10.0),
        taken_in(world, "me"),
    ]
    assert [one.copied_from is None for one in images] == [True, True, True, False]
    assert len(world.recogniser.photos) == 3


def test_another_model_is_asked_again(world: Any) -> None:
    pipeline.label_image(world.drop(FIRST), world)
    world.recogniser = FakeRecogniser(FELINE, model=Model("fake", "2"))
    pipeline.label_image(world.drop(SECOND), world)
    assert len(world.recogniser.photos) == 1
    assert world.image_at(SECOND).copied_from is None


def test_of_two_that_are_handed_in_at_once_one_waits_for_the_answer_of_the_other(world: Any) -> None:
    second = world.drop(SECOND)
    world.recogniser = FakeRecogniser(FELINE, before=lambda: pipeline.label_or_leave(s3_event(second), world))
    pipeline.label_image(world.drop(FIRST), world)
    assert world.uploads_queue.delays == [3.0]
    work_off(world)
    assert len(world.recogniser.photos) == 1
    assert world.image_at(SECOND).copied_from == world.image_at(FIRST).id


def test_waiting_for_another_is_no_failed_attempt(world: Any) -> None:
    second = world.drop(SECOND)

    def wait_long() -> None:
        pipeline.label_or_leave(s3_event(second), world)
        for _ in range(2 * MOST_ATTEMPTS):
            answer = handle(world.uploads_queue.messages[0], world)
            assert answer["batchItemFailures"], "it is to come again"

    world.recogniser = FakeRecogniser(FELINE, before=wait_long)
    pipeline.label_image(world.drop(FIRST), world)
    work_off(world)
    assert (world.image_at(SECOND).status, len(world.recogniser.photos)) == ("labelled", 1)


def test_an_asker_that_died_holds_the_others_up_only_until_its_lease_ends(world: Any) -> None:
    def die() -> None:
        raise Killed

    world.recogniser = FakeRecogniser(FELINE, before=die)
    with pytest.raises(Killed):
        pipeline.label_image(world.drop(FIRST), world)
    world.recogniser = FakeRecogniser(FELINE)
    pipeline.label_or_leave(s3_event(world.drop(SECOND)), world)
    assert len(world.recogniser.photos) == 0
    world.clock.forward(LEASE_SECONDS + 1)
    work_off(world)
    assert (world.image_at(SECOND).status, len(world.recogniser.photos)) == ("labelled", 1)


def test_an_answer_outlives_the_worker_that_could_not_store_its_result(world: Any) -> None:
    whole = world.images.finish

    def die(*arguments: Any) -> None:
        world.images.finish = whole
        raise Killed

    world.images.finish = die
    uploaded = world.drop(FIRST)
    with pytest.raises(Killed):
        pipeline.label_image(uploaded, world)
    world.clock.forward(LEASE_SECONDS + 1)
    pipeline.label_image(uploaded, world)
    assert len(world.recogniser.photos) == 1
    assert (world.image_at(FIRST).status, world.image_at(FIRST).copied_from) == ("labelled", None)


def test_a_recogniser_that_fails_leaves_the_turn_to_the_next(world: Any) -> None:
    world.recogniser = FakeRecogniser(FELINE, raises=[Unavailable("Throttled.")])
    pipeline.label_or_leave(s3_event(world.drop(FIRST)), world)
    pipeline.label_image(world.drop(SECOND), world)
    work_off(world)
    assert world.image_at(FIRST).copied_from == world.image_at(SECOND).id


def test_deleting_the_original_breaks_no_copy_and_the_answer_still_serves(world: Any) -> None:
    for key in (FIRST, SECOND):
        pipeline.label_image(world.drop(key), world)
    original = world.image_at(FIRST)
    world.erase(original)
    pipeline.label_image(world.drop("uploads/c.jpg"), world)
    assert len(world.recogniser.photos) == 1
    assert world.image_at(SECOND).labels == world.image_at("uploads/c.jpg").labels
    assert world.image_at("uploads/c.jpg").copied_from is None  # there is no such image to look at


def test_when_the_last_image_goes_the_answer_goes_too(world: Any) -> None:
    for key in (FIRST, SECOND):
        pipeline.label_image(world.drop(key), world)
    name = answer_of(world, FIRST)
    world.erase(world.image_at(FIRST))
    world.project()
    assert world.recognition_cache.find("default", name) is not None
    world.erase(world.image_at(SECOND))
    world.project()
    assert world.recognition_cache.find("default", name) is None
    assert world.history.of("default", name) == []


def test_an_answer_for_bytes_that_changed_meanwhile_is_not_kept(world: Any) -> None:
    """A recogniser that reads the bucket itself may have been shown the newer object."""
    world.recogniser = FakeRecogniser(FELINE, before=lambda: world.objects.put(FIRST, b"other"))
    pipeline.label_image(world.drop(FIRST), world)
    pipeline.label_image(world.drop(SECOND), world)
    assert len(world.recogniser.photos) == 2


class TestAgainOnPurpose:
    def again(self, world: Any, key: str, **asked: Any) -> Image:
        world.clock.forward(1)
        pipeline.relabel("default", world.image_at(key).id, Asked(**asked), world)
        work_off(world)
        found: Image = world.image_at(key)
        return found

    def test_a_model_that_is_known_to_be_the_same_is_not_asked_the_same_again(self, world: Any) -> None:
        pipeline.label_image(world.drop(FIRST), world)
        assert self.again(world, FIRST).result == 2
        assert len(world.recogniser.photos) == 1

    def test_a_model_that_only_its_answer_tells_is_asked_again_once_for_all_copies(self, world: Any) -> None:
        world.recogniser = FakeRecogniser(FELINE, tells_version=False)
        for key in (FIRST, SECOND):
            pipeline.label_image(world.drop(key), world)
        world.recogniser = FakeRecogniser(FELINE, model=Model("fake", "2"), tells_version=False)
        world.clock.forward(1)
        for key in (FIRST, SECOND):
            pipeline.relabel("default", world.image_at(key).id, Asked(), world)
        work_off(world)
        assert [world.image_at(key).model for key in (FIRST, SECOND)] == [Model("fake", "2")] * 2
        assert len(world.recogniser.photos) == 1

    def test_another_threshold_is_another_question_and_the_old_answer_stays_with_the_bytes(
        self, world: Any
    ) -> None:
        pipeline.label_image(world.drop(FIRST), world)
        before = answer_of(world, FIRST)
        assert self.again(world, FIRST, min_confidence=95.0).labels == ()
        assert world.recognition_cache.find("default", before) is not None
        assert self.again(world, FIRST, min_confidence=55.0).labels != ()
        assert len(world.recogniser.photos) == 2
