"""An image is bounded in bytes: what people add is refused in time, and nothing after it meets a limit."""

from __future__ import annotations

import random
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import TooMuch
from chalicelib.library.bounds import MAX_USER_DATA_BYTES, user_data_bytes
from chalicelib.model import Asked, Label, NewImage
from chalicelib.pipeline.curation import LabelEdit
from tests.fakes.mail import handle
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World

KEY = "uploads/a.jpg"
ALPHABETS = {"ascii": range(0x61, 0x7B), "of four bytes": range(0x20000, 0x2A6D0)}


@pytest.fixture
def world() -> World:
    world = World()
    world.recogniser = FakeRecogniser(*(Label(f"Thing {n}", 90.0, parents=("Object",)) for n in range(50)))
    return world


def name(chance: random.Random, letters: range) -> str:
    return "".join(chr(chance.choice(letters)) for _ in range(128))


def filled(world: Any, letters: range) -> list[str]:
    """Say as much of the image as is taken; the names of the labels."""
    chance = random.Random(1)  # noqa: S311 - chance, not a secret
    image = world.image_at(KEY)
    names: list[str] = []
    for parents in (20, 0):
        while True:
            word = LabelEdit(
                name(chance, letters), True, 50.0, tuple(name(chance, letters) for _ in range(parents))
            )
            try:
                pipeline.correct("default", image.id, [word], world)
            except TooMuch as refused:
                said = (refused.code, refused.data["most"], "take corrections back" in refused.detail)
                break
            names.append(word.name)
        assert said == ("too-much", MAX_USER_DATA_BYTES, True)
    assert MAX_USER_DATA_BYTES - 1000 < user_data_bytes(world.image_at(KEY)) <= MAX_USER_DATA_BYTES
    return names


def work_off(world: Any) -> None:
    while message := world.next_message():
        handle(message, world)
    world.project()


@pytest.mark.slow
@pytest.mark.parametrize("letters", ALPHABETS.values(), ids=list(ALPHABETS))
def test_nothing_that_follows_meets_a_limit_where_people_have_added_all_they_may(
    world: Any, letters: range
) -> None:
    pipeline.label_image(world.drop(KEY), world)
    names = filled(world, letters)
    image_id = world.image_at(KEY).id
    world.project()  # entries, counts, history and the topic's message

    pipeline.relabel("default", image_id, Asked(min_confidence=10.5), world)
    work_off(world)
    assert len(world.image_at(KEY).labels) == 50 + len(names)
    pipeline.correct("default", image_id, [LabelEdit(names[0], None)], world)
    pipeline.correct("default", image_id, [LabelEdit("Thing 1", False)], world)
    job = pipeline.start("default", "correct", {"q": "", "add": ["Pet"], "remove": [names[1]]}, world)
    work_off(world)
    done = world.jobs.get("default", job.id)
    assert (done.status, done.changed, done.failed) == ("done", 1, 0)

    world.erase(world.image_at(KEY))
    world.project()
    assert world.counts() == {}


def test_what_makes_it_less_is_taken_however_much_there_is(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.label_image(world.drop(KEY), world)
    image = world.image_at(KEY)
    for number in range(5):
        pipeline.correct("default", image.id, [LabelEdit(f"Mine {number}", True)], world)
    monkeypatch.setattr("chalicelib.library.bounds.MAX_USER_DATA_BYTES", 100)
    with pytest.raises(TooMuch):
        pipeline.correct("default", image.id, [LabelEdit("More", True)], world)
    pipeline.correct("default", image.id, [LabelEdit("Mine 1", None)], world)


@pytest.mark.slow
def test_a_job_names_the_image_that_has_no_room_and_goes_on(world: Any) -> None:
    for key in (KEY, "uploads/b.jpg"):
        pipeline.label_image(world.drop(key), world)
    filled(world, ALPHABETS["ascii"])
    job = pipeline.start("default", "correct", {"q": "", "add": ["x" * 128], "remove": []}, world)
    work_off(world)
    done = world.jobs.get("default", job.id)
    assert (done.status, done.changed, done.failed) == ("done", 1, 1)
    assert [(one.image_id, one.code) for one in done.failures] == [(world.image_at(KEY).id, "too-much")]


def test_an_image_cannot_begin_with_more(world: Any) -> None:
    long = tuple("\U00020000" * 127 + chr(0x20000 + number) for number in range(100))
    with pytest.raises(TooMuch):
        pipeline.take_in(CAT, NewImage(include_labels=long, exclude_labels=long), "anna", world)
    assert not world.objects.stored


def test_a_recognition_that_has_no_room_is_a_failure_that_says_so(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1)  # noqa: S311 - chance, not a secret
    world.recogniser = FakeRecogniser(*(Label(name(chance, range(0x61, 0x7B)), 90.0) for _ in range(50)))
    monkeypatch.setattr("chalicelib.library.bounds.MAX_ITEM_BYTES", 4_000)
    pipeline.label_image(world.drop(KEY), world)
    image = world.image_at(KEY)
    assert (image.status, image.error.code) == ("failed", "too-much")
    with pytest.raises(TooMuch):
        pipeline.correct(
            "default", image.id, [LabelEdit(name(chance, range(0x61, 0x7B)), True) for _ in range(50)], world
        )


@pytest.mark.slow
def test_renames_are_bounded_in_bytes(world: Any) -> None:
    chance = random.Random(1)  # noqa: S311 - chance, not a secret
    names = iter(lambda: name(chance, ALPHABETS["of four bytes"]), "")
    for _ in range(97):
        world.renames.add("anna", next(names), next(names))
    with pytest.raises(TooMuch):
        world.renames.add("anna", next(names), next(names))
