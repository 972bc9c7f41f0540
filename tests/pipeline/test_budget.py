"""What an owner may cost in a day."""

from __future__ import annotations

import pytest

from chalicelib import pipeline
from chalicelib.model import NewImage, ObjectUploaded
from tests.fakes.world import CAT, ROCKET, World

DAY_SECONDS = 24 * 3600


@pytest.fixture
def world() -> World:
    return World(DAILY_CALLS="1")


def labelled(world: World, key: str, content: bytes) -> str:
    """Have a photo labelled; its status, or why it failed."""
    pipeline.label_image(world.drop(f"uploads/{key}", content), world)  # type: ignore[arg-type]
    image = world.image_at(f"uploads/{key}")
    return image.error.code if image.error else image.status


def test_what_is_beyond_todays_calls_fails_and_says_so(world: World) -> None:
    assert labelled(world, "cat", CAT) == "labelled"
    assert labelled(world, "rocket", ROCKET) == "budget-used-up"
    assert world.image_at("uploads/rocket").status == "failed"
    assert len(world.recogniser.photos) == 1


def test_a_copy_of_an_earlier_answer_is_free(world: World) -> None:
    labelled(world, "cat", CAT)
    assert labelled(world, "the same cat", CAT) == "labelled"


def test_the_next_day_has_calls_of_its_own(world: World) -> None:
    labelled(world, "cat", CAT)
    world.clock.forward(DAY_SECONDS)
    assert labelled(world, "rocket", ROCKET) == "labelled"


def test_another_owner_has_a_budget_of_their_own(world: World) -> None:
    labelled(world, "cat", CAT)
    image = pipeline.take_in(ROCKET, NewImage(), "anna", world)  # type: ignore[arg-type]
    pipeline.label_image(ObjectUploaded(image.key), world)  # type: ignore[arg-type]
    assert world.images.get("anna", image.id).status == "labelled"
