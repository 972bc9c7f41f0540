"""Why, and why not."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import NotFound, RecogniserRefused
from chalicelib.model import Label, NewImage, ObjectUploaded
from chalicelib.pipeline.curation import LabelEdit
from chalicelib.pipeline.explanation import Reason
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, ROCKET, World

SEEN = (
    Label("Feline", 91.0, parents=("Animal",), aliases=("Felid",)),
    Label("Sofa", 88.0, categories=("Furniture",)),
    Label("Cat", 65.31, parents=("Feline",), aliases=("House Cat",)),
    Label("Tabby", 40.0, parents=("Tiger",)),
    Label("Window", 30.0),
)


@pytest.fixture
def world() -> Any:
    world = World()
    world.recogniser = FakeRecogniser(*SEEN)
    return world


def labelled(world: Any, content: bytes = CAT, **asked: Any) -> str:
    image = pipeline.take_in(content, NewImage(**{"min_confidence": 70.0, **asked}), "default", world)
    pipeline.label_image(ObjectUploaded(image.key), world)
    return image.id


def why(world: Any, image_id: str, label: str) -> Reason:
    return pipeline.why("default", image_id, label, world)


def test_what_is_there_is_there_because_it_was_seen_or_said(world: Any) -> None:
    image_id = labelled(world)
    assert why(world, image_id, "FELINE") == Reason("present", "It was seen with 91.0.", 91.0)
    pipeline.correct("default", image_id, [LabelEdit("Rex", True)], world)
    assert why(world, image_id, "rex") == Reason("present", "A person says so.", 100.0)


def test_what_is_found_by_its_kind_or_by_another_name_is_there(world: Any) -> None:
    image_id = labelled(world)
    for label in ("animal", "felid"):
        reason = why(world, image_id, label)
        assert (reason.verdict, reason.confidence, reason.related) == ("present", 91.0, ("Feline",))


@pytest.mark.parametrize("label", ["cat", "House cat"])
def test_what_was_not_sure_enough_says_how_sure(world: Any, label: str) -> None:
    assert why(world, labelled(world), label) == Reason(
        "below-threshold", "Cat was seen with 65.3, below the threshold of 70.", 65.31, 70.0
    )


def test_a_kind_of_it_that_was_not_sure_enough_is_named(world: Any) -> None:
    reason = why(world, labelled(world), "tiger")
    assert (reason.verdict, reason.related, reason.confidence) == ("below-threshold", ("Tabby",), 40.0)


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ({"exclude_labels": ("sofa",)}, "excluded"),
        ({"include_labels": ("cat",)}, "excluded"),
        ({"exclude_categories": ("furniture",)}, "excluded"),
        ({"max_labels": 1}, "too-many"),
    ],
)
def test_what_was_kept_out_by_the_question_says_so(world: Any, asked: Any, verdict: str) -> None:
    reason = why(world, labelled(world, **asked), "sofa")
    assert (reason.verdict, reason.confidence) == (verdict, 88.0)


def test_what_a_person_removed_says_who_and_when(world: Any) -> None:
    image_id = labelled(world)
    image, _ = pipeline.correct("default", image_id, [LabelEdit("sofa", False)], world)
    reason = why(world, image_id, "sofa")
    assert reason.verdict == "removed"
    assert reason.detail == f"default said on {image.corrected_at} that Sofa is not there."


def test_of_what_was_not_seen_the_general_term_is_named_that_was(world: Any) -> None:
    world.recogniser = FakeRecogniser(Label("Lynx", 90.0, parents=("Feline", "Animal")))
    labelled(world, ROCKET)
    world.recogniser = FakeRecogniser(*SEEN)
    reason = why(world, labelled(world), "lynx")
    assert (reason.verdict, reason.related) == ("only-related", ("Feline",))
    assert reason.detail == "lynx was not seen, only its general term Feline."


def test_what_was_not_seen_at_all_was_not_seen(world: Any) -> None:
    assert why(world, labelled(world), "rocket").verdict == "not-seen"


def test_without_a_result_there_is_no_reason_but_that(world: Any) -> None:
    waiting = pipeline.await_upload(NewImage(), "default", world)
    assert why(world, waiting.id, "cat").verdict == "no-result"
    world.recogniser = FakeRecogniser(raises=[RecogniserRefused("It is too small.")])
    reason = why(world, labelled(world), "cat")
    assert reason.detail == "The image could not be labelled: It is too small."


def test_it_is_asked_by_the_name_that_a_label_has_by_now(world: Any) -> None:
    image_id = labelled(world)
    world.renames.add("default", "cat", "moggy")
    for label in ("cat", "moggy"):
        assert why(world, image_id, label).detail == "moggy was seen with 65.3, below the threshold of 70."


def test_another_owners_image_is_not_explained(world: Any) -> None:
    with pytest.raises(NotFound):
        pipeline.why("somebody", labelled(world), "cat", world)
