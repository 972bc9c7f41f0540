"""A person corrects; recognisers come and go."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import NotFound
from chalicelib.model import Asked, Image, Label, Model
from chalicelib.pipeline.curation import LabelEdit
from tests.fakes.mail import handle
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, ROCKET, World

KEY = "uploads/a.jpg"
FELINE = Label("Cat", 93.0, parents=("Animal",))
DOG = Label("Dog", 71.0, parents=("Animal",))


@pytest.fixture
def world() -> World:
    world = World()
    world.recogniser = FakeRecogniser(FELINE, DOG)
    return world


@pytest.fixture
def image(world: World) -> Image:
    pipeline.label_image(world.drop(KEY), world)
    return world.image_at(KEY)


def say(world: World, image: Image, *words: LabelEdit) -> Image:
    world.clock.forward(1)
    return pipeline.correct("default", image.id, words, world)[0]  # type: ignore[arg-type]


def names(image: Image) -> list[str]:
    return [label.name for label in image.labels]


def work_off(world: World) -> None:
    """Let the workers take what is on their queues, until there is nothing left."""
    while message := world.next_message():
        handle(message, world)


def test_a_correction_moves_index_counts_sidecar_and_history_and_is_told(world: World, image: Image) -> None:
    corrected = say(world, image, LabelEdit("dog", False), LabelEdit("Chelsea", True, parents=("cat",)))
    assert names(corrected) == ["Chelsea", "Cat"]
    assert world.counts() == {"animal": 1, "cat": 1, "chelsea": 1}
    assert [one["name"] for one in world.objects.sidecars["metadata/a.jpg.json"]["labels"]] == names(
        corrected
    )
    assert [event["type"] for event in world.topic.published] == [
        "sightline.image.labelled",
        "sightline.image.corrected",
    ]
    assert world.topic.published[1]["id"] == f"{image.id}.2"
    assert [(one.present, one.by) for one in corrected.corrections] == [(False, "default"), (True, "default")]
    assert [step.kind for step in world.history.of("default", image.id)] == ["corrected", "recognised"]


def test_what_was_said_holds_for_every_result_and_every_recogniser_after_it(
    world: World, image: Image
) -> None:
    say(world, image, LabelEdit("dog", False), LabelEdit("Chelsea", True))
    world.recogniser = FakeRecogniser(FELINE, Label("DOG", 99.0), Label("Sofa", 60.0), model=Model("b", "2"))
    pipeline.relabel("default", image.id, Asked(), world)  # type: ignore[arg-type]
    work_off(world)
    again = world.image_at(KEY)
    assert (names(again), again.model) == (["Chelsea", "Cat", "Sofa"], Model("b", "2"))
    assert world.counts() == {"animal": 1, "cat": 1, "chelsea": 1, "sofa": 1}
    assert again.corrected_at is None


def test_taking_it_back_brings_the_recognisers_word_again(world: World, image: Image) -> None:
    say(world, image, LabelEdit("dog", False), LabelEdit("Chelsea", True))
    back = say(world, image, LabelEdit("DOG", None), LabelEdit("chelsea", None))
    assert (back.labels, back.corrections) == (image.labels, ())
    assert world.counts() == {"animal": 1, "cat": 1, "dog": 1}


def test_adding_what_was_removed_brings_it_back_as_a_persons(world: World, image: Image) -> None:
    say(world, image, LabelEdit("dog", False))
    back = say(world, image, LabelEdit("dog", True))
    assert [(label.name, label.source) for label in back.labels] == [("Dog", "person"), ("Cat", "model")]
    assert back.labels[0].parents == ("Animal",)


def test_saying_a_thing_again_changes_nothing_and_tells_nobody(world: World, image: Image) -> None:
    first = say(world, image, LabelEdit("dog", False), LabelEdit("Chelsea", True, 90.0))
    assert say(world, image, LabelEdit("DOG", False), LabelEdit("Chelsea", True, 90.0)) == first
    assert len(world.topic.published) == 2


@pytest.mark.parametrize("word", [LabelEdit("horse", False), LabelEdit("cat", None)])
def test_what_is_not_there_cannot_be_taken_away_but_leniently(
    world: World, image: Image, word: LabelEdit
) -> None:
    with pytest.raises(NotFound):
        say(world, image, word)
    assert pipeline.correct("default", image.id, [word], world, lenient=True) == (image, False)  # type: ignore[arg-type]


def test_another_owner_cannot_correct_an_image(world: World, image: Image) -> None:
    with pytest.raises(NotFound):
        pipeline.correct("somebody", image.id, [LabelEdit("cat", False)], world)  # type: ignore[arg-type]


def test_a_word_said_while_the_image_is_recognised_is_not_lost_and_neither_is_the_result(
    world: World, image: Image
) -> None:
    def meanwhile() -> None:
        say(world, image, LabelEdit("sofa", True), LabelEdit("cat", False))

    world.recogniser = FakeRecogniser(FELINE, Label("Rocket", 88.0), before=meanwhile)
    pipeline.label_image(world.drop(KEY, ROCKET), world)
    assert names(world.image_at(KEY)) == ["sofa", "Rocket"]
    assert len(world.recogniser.photos) == 1
    assert world.counts() == {"rocket": 1, "sofa": 1}
    assert world.image_at(KEY).result == 2


def test_a_result_that_is_corrected_at_once_is_told_of_before_its_correction(world: World) -> None:
    pipeline.label_image(world.drop(KEY), world)  # type: ignore[arg-type]
    say(world, world.image_at(KEY), LabelEdit("dog", False))
    assert [event["type"] for event in world.topic.published] == [
        "sightline.image.labelled",
        "sightline.image.corrected",
    ]


class TestRenaming:
    def rename(self, world: World, old: str, new: str) -> None:
        world.renames.add("default", old, new)
        pipeline.start("default", "rename", {"from": old, "to": new}, world)  # type: ignore[arg-type]
        work_off(world)

    def test_every_image_and_every_result_to_come_has_the_new_name(self, world: World) -> None:
        for number in range(45):
            pipeline.label_image(world.drop(f"uploads/{number}.jpg", CAT + b"\xff\xd9" * number), world)  # type: ignore[arg-type]
        self.rename(world, "animal", "Creature")
        assert world.counts() == {"cat": 45, "creature": 45, "dog": 45}
        pipeline.label_image(world.drop("uploads/new.jpg", ROCKET), world)  # type: ignore[arg-type]
        assert world.counts() == {"cat": 46, "creature": 46, "dog": 46}

    def test_where_an_image_has_both_names_they_become_one(self, world: World, image: Image) -> None:
        self.rename(world, "dog", "cat")
        assert [(one.name, one.confidence) for one in world.image_at(KEY).labels] == [("Cat", 93.0)]
        assert world.counts() == {"animal": 1, "cat": 1}

    def test_renames_follow_each_other_and_never_go_round(self, world: World, image: Image) -> None:
        self.rename(world, "cat", "feline")
        self.rename(world, "feline", "pet")
        self.rename(world, "pet", "cat")
        assert sorted(names(world.image_at(KEY))) == ["Dog", "cat"]
        pipeline.label_image(world.drop(KEY, ROCKET), world)  # type: ignore[arg-type]
        assert sorted(names(world.image_at(KEY))) == ["Cat", "Dog"]

    def test_an_image_labelled_while_the_rename_is_made_gets_the_new_name_too(self, world: World) -> None:
        """The labeler has read the renames before this one was made, and stores its result after its job."""
        whole = world.images.finish

        def late(*arguments: Any) -> Any:
            world.images.finish = whole  # type: ignore[method-assign]
            self.rename(world, "dog", "hound")
            return whole(*arguments)

        world.images.finish = late  # type: ignore[method-assign]
        pipeline.label_image(world.drop(KEY), world)  # type: ignore[arg-type]
        assert world.counts() == {"animal": 1, "cat": 1, "hound": 1}
        assert [one["data"]["labels"][1]["name"] for one in world.topic.published] == ["Dog", "hound"]

    def test_what_a_person_said_stands_above_a_label_is_renamed_too(self, world: World, image: Image) -> None:
        say(world, image, LabelEdit("Rex", True, parents=("wolf", "habit")))
        self.rename(world, "wolf", "canine")
        assert world.image_at(KEY).labels[0].parents == ("canine", "habit")
        say(world, image, LabelEdit("Rex", True, parents=("Wolf",)))
        assert world.counts() == {"animal": 1, "canine": 1, "cat": 1, "dog": 1, "rex": 1}

    def test_a_persons_word_follows_the_rename(self, world: World, image: Image) -> None:
        say(world, image, LabelEdit("dog", False))
        self.rename(world, "dog", "hound")
        assert names(world.image_at(KEY)) == ["Cat"]
        say(world, image, LabelEdit("dog", True))
        assert sorted(names(world.image_at(KEY))) == ["Cat", "hound"]
