"""What the operator reads: the numbers that CloudWatch takes out of the log, and what a line is about.

Holds `chalicelib/metrics.py`.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib import logs, pipeline
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.destinations import Place
from chalicelib.errors import DeliveryFailed, RecogniserRefused, Unavailable
from chalicelib.model import Json, Label
from tests.fakes.mail import sns_event, sqs_event
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import ROCKET, World, s3_event

Lines = Callable[[], list[Json]]
CAT = Label("Cat", 93.0)


@pytest.fixture
def world() -> Any:
    world: Any = World(STAGE="test", INTEGRATION_URL="https://partner.example/labels")
    world.recogniser = FakeRecogniser(CAT)
    world.outbound = FakeReceiver()
    return world


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged since it was last asked; levels as in a stage that wants errors only."""
    log, out = logging.getLogger("sightline"), io.StringIO()
    before = (log.handlers[:], log.propagate, log.level)
    with contextlib.redirect_stdout(out):
        logs.set_up(log, "ERROR")
    yield lambda: _taken(out)
    log.handlers[:], log.propagate = before[:2]
    log.setLevel(before[2])


def _taken(out: io.StringIO) -> list[Json]:
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    out.seek(0)
    out.truncate()
    return said


def measured(lines: list[Json], name: str) -> list[tuple[Json, Any]]:
    """The values of a metric with their dimensions, read as CloudWatch reads them."""
    found = []
    for line in lines:
        for described in line.get("_aws", {}).get("CloudWatchMetrics", []):
            [dimensions] = described["Dimensions"]
            assert described["Namespace"] == "Sightline"
            found += [
                ({dimension: line[dimension] for dimension in dimensions}, line[metric["Name"]])
                for metric in described["Metrics"]
                if metric["Name"] == name
            ]
    return found


def test_an_image_counts_once_however_often_it_is_told_of(world: Any, lines: Lines) -> None:
    uploaded = world.drop("uploads/cat.jpg")
    pipeline.label_or_leave(s3_event(uploaded), world)
    pipeline.label_or_leave(s3_event(uploaded), world)

    said = lines()

    assert measured(said, "ImagesLabelled") == [({"stage": "test"}, 1)]
    assert measured(said, "ImagesFailed") == []
    [(dimensions, took)] = measured(said, "RecogniserTime")
    assert dimensions == {"stage": "test", "recogniser": "rekognition"}
    assert 0 <= took < 10_000


def test_a_failure_counts_by_its_code_and_never_reaches_the_recogniser(world: Any, lines: Lines) -> None:
    pipeline.label_or_leave(s3_event(world.drop("uploads/a.txt", b"hello")), world)

    said = lines()

    assert measured(said, "ImagesFailed") == [({"stage": "test", "code": "not-an-image"}, 1)]
    assert measured(said, "ImagesLabelled") == measured(said, "RecogniserTime") == []


def test_the_recognisers_time_counts_when_it_does_not_answer_too(world: Any, lines: Lines) -> None:
    world.recogniser = FakeRecogniser(CAT, raises=[Unavailable("throttled"), RecogniserRefused("no")])
    pipeline.label_or_leave(s3_event(world.drop("uploads/a.jpg")), world)
    pipeline.label_or_leave(s3_event(world.drop("uploads/b.jpg", ROCKET)), world)

    said = lines()

    assert len(measured(said, "RecogniserTime")) == 2
    assert measured(said, "ImagesFailed") == [({"stage": "test", "code": "recogniser-refused"}, 1)]


def test_messages_say_how_long_they_waited(world: Any, lines: Lines) -> None:
    uploaded = world.drop("uploads/cat.jpg")
    event = sqs_event([s3_event(uploaded)])
    event["Records"][0]["attributes"] = {"SentTimestamp": str(round((world.now() - 12.5) * 1000))}

    pipeline.label_messages(event, world)
    [(dimensions, age)] = measured(lines(), "MessageAge")
    assert dimensions == {"stage": "test", "queue": "uploads"}
    assert age == pytest.approx(12.5, abs=0.01)

    unknown = Delivery.of("default", "nobody", 1, "type", "integration", Place("", ""))
    event = sqs_event([unknown.message()] * 2)
    for record in event["Records"]:
        record["attributes"] = {"SentTimestamp": str(round((world.now() - 3) * 1000))}
    pipeline.deliver(event, world)
    [(dimensions, ages)] = measured(lines(), "MessageAge")
    assert dimensions == {"stage": "test", "queue": "deliveries"}
    assert ages == [pytest.approx(3, abs=0.01)] * 2


def test_deliveries_count_by_what_became_of_them(world: Any, lines: Lines) -> None:
    world.outbound = FakeReceiver(DeliveryFailed("no answer"), 204)
    pipeline.label_image(world.drop("uploads/cat.jpg"), world)
    pipeline.fan_out(sns_event(world.topic.published), world)
    pipeline.deliver(sqs_event(world.deliveries_queue.messages), world)
    world.clock.forward(10)
    pipeline.deliver(sqs_event(world.deliveries_queue.messages[-1:]), world)

    outcomes = [dimensions["outcome"] for dimensions, _ in measured(lines(), "Deliveries")]

    assert outcomes == ["pending", "delivered"]


def test_every_line_about_an_image_names_it_and_the_request_in_all_threads(world: Any, lines: Lines) -> None:
    uploads = [world.drop("uploads/cat.jpg"), world.drop("uploads/a.jpg", ROCKET)]
    with logs.about(request_id="r-1"):
        pipeline.label_or_leave(s3_event(*uploads), world)
    labelled = {
        line["key"]: (line["request_id"], line["image_id"]) for line in lines() if "ImagesLabelled" in line
    }
    ids = {one.key: world.image_at(one.key).id for one in uploads}
    assert labelled == {key: ("r-1", image_id) for key, image_id in ids.items()}

    pipeline.fan_out(sns_event(world.topic.published), world)
    with logs.about(request_id="r-2"):
        pipeline.deliver(sqs_event(world.deliveries_queue.messages), world)
    said = [line for line in lines() if "Deliveries" in line]
    assert {line["image_id"] for line in said} == set(ids.values())
    assert {line["request_id"] for line in said} == {"r-2"}
    assert all(line["delivery_id"] for line in said)


def test_where_nobody_reads_metrics_none_are_written(lines: Lines) -> None:
    world = World()
    world.recogniser = FakeRecogniser(CAT)
    pipeline.label_or_leave(s3_event(world.drop("uploads/cat.jpg")), world)

    assert world.image_at("uploads/cat.jpg").status == "labelled"
    assert lines() == []
