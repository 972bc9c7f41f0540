"""Usage is counted with the result it stands for, once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.library.usage import Day, Usage, called
from chalicelib.model import Label
from chalicelib.table import Table
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.table import FakeTable
from tests.fakes.world import ROCKET, World, s3_event
from tests.ground.test_table import NAME, moto  # noqa: F401 - a fixture

KEY = "uploads/cat.jpg"
TODAY = "2026-09-21"


@pytest.fixture(params=["fake", "moto"])
def table(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeTable()
    return Table(request.getfixturevalue("moto"), NAME, sleep=lambda seconds: None)


@pytest.fixture
def world() -> World:
    world = World()
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    return world


def days(world: World) -> list[Day]:
    return world.usage.days("default", "2000-01-01", "2100-01-01", most=366)


def test_days_are_bounded_on_both_sides(table: Any) -> None:
    for day in ("2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03"):
        for number in range(20):
            counts = {"images": 1, "duplicates_spared": number % 2, "calls:onnx": 1}
            table.write(called("me", day, counts))
    assert Usage(table).days("me", "2026-11-01", "2026-11-02", most=366) == [
        Day("2026-11-01", 20, 10, {"onnx": 20}),
        Day("2026-11-02", 20, 10, {"onnx": 20}),
    ]
    assert Usage(table).days("you", "2026-11-01", "2026-11-02", most=2) == []


def test_an_image_and_its_call_are_counted_once_however_often_its_event_comes(world: World) -> None:
    uploaded = world.drop(KEY)
    for _ in range(3):
        pipeline.label_or_leave(s3_event(uploaded), world)
    assert days(world) == [Day(TODAY, 1, 0, {"fake": 1})]


def test_the_same_image_again_is_another_call_but_no_other_image(world: World) -> None:
    pipeline.label_image(world.drop(KEY), world)
    pipeline.label_image(world.drop(KEY, ROCKET), world)
    assert days(world) == [Day(TODAY, 1, 0, {"fake": 2})]


def test_what_is_no_image_costs_no_call(world: World) -> None:
    pipeline.label_image(world.drop(KEY, b"hello"), world)
    assert days(world) == [Day(TODAY, 1, 0, {})]


def test_a_call_whose_result_is_dropped_was_paid_for_and_is_counted(world: World) -> None:
    uploaded = world.drop(KEY)

    def delete() -> None:
        world.erase(world.image_at(KEY))

    world.recogniser = FakeRecogniser(Label("Cat", 93.0), before=delete)
    pipeline.label_image(uploaded, world)
    assert days(world) == [Day(TODAY, 0, 0, {"fake": 1})]


def test_the_same_bytes_again_are_another_image_and_a_call_spared(world: World) -> None:
    pipeline.label_image(world.drop(KEY), world)
    pipeline.label_image(world.drop("uploads/copy.jpg"), world)
    assert days(world) == [Day(TODAY, 2, 1, {"fake": 1})]


def test_calls_belong_to_the_day_of_their_result(world: World) -> None:
    pipeline.label_image(world.drop(KEY), world)
    world.clock.forward(24 * 3600)
    body = json.dumps(s3_event(world.drop("uploads/second.jpg")))
    pipeline.label_messages({"Records": [{"body": body}]}, world)
    assert [(one.day, one.images) for one in days(world)] == [(TODAY, 1), ("2026-09-22", 1)]
