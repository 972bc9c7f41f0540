"""Fan-out and worker: one delivery for each destination, brought until it has arrived."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.events import TOPIC_BYTES, ImageFinished
from chalicelib.errors import DeliveryFailed
from chalicelib.model import Box, Image, Instance, Json, Label
from chalicelib.outbound import Reply
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World

KEY = "uploads/cat.jpg"
PARTNER = "https://partner.example/labels"


class FakePartner:
    """Takes the place of all outgoing HTTP: answers as told and remembers what came."""

    def __init__(self, *statuses: int, body: bytes = b"") -> None:
        self._statuses = list(statuses)
        self._body = body
        self.received: list[tuple[str, bytes, dict[str, str]]] = []

    def post(self, url: str, *, body: bytes, headers: dict[str, str], deadline: float) -> Reply:
        self.received.append((url, body, headers))
        return Reply(self._statuses.pop(0) if self._statuses else 200, {}, self._body)


@pytest.fixture
def world() -> Any:
    world: Any = World(INTEGRATION_URL=PARTNER)
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    world.outbound = FakePartner()
    pipeline.label_image(world.drop(KEY), world)
    return world


def sns(world: World) -> Json:
    return {"Records": [{"Sns": {"Message": json.dumps(event)}} for event in world.topic.published]}


def sqs(world: World) -> Json:
    return {"Records": [{"body": json.dumps(message)} for message in world.deliveries_queue.messages]}


def test_a_result_reaches_the_integration_server_as_xml(world: Any) -> None:
    pipeline.fan_out(sns(world), world)
    pipeline.deliver(sqs(world), world)
    ((url, body, headers),) = world.outbound.received
    assert url == PARTNER
    assert body.startswith(b"<?xml")
    assert b"Cat" in body
    assert headers["Content-Type"].startswith("application/xml")


def test_without_an_integration_url_nobody_is_told(world: Any) -> None:
    world.with_settings(integration_url="")
    pipeline.fan_out(sns(world), world)
    assert world.deliveries_queue.messages == []


def test_a_repeated_fan_out_or_message_is_delivered_once(world: Any) -> None:
    pipeline.fan_out(sns(world), world)
    pipeline.fan_out(sns(world), world)
    pipeline.deliver(sqs(world), world)
    pipeline.fan_out(sns(world), world)
    pipeline.deliver(sqs(world), world)
    assert len(world.outbound.received) == 1


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_only_a_2xx_is_done_and_all_else_goes_back_to_the_queue(world: Any, status: int) -> None:
    world.outbound = FakePartner(status, 204)
    pipeline.fan_out(sns(world), world)
    with pytest.raises(DeliveryFailed):
        pipeline.deliver(sqs(world), world)
    pipeline.deliver(sqs(world), world)
    first, second = (headers["Idempotency-Key"] for _, _, headers in world.outbound.received)
    assert first == second


def test_a_failing_message_does_not_hold_up_the_others_of_its_batch(world: Any) -> None:
    pipeline.label_image(world.drop("uploads/other.jpg"), world)
    pipeline.fan_out(sns(world), world)
    world.outbound = FakePartner(500, 200)
    with pytest.raises(DeliveryFailed):
        pipeline.deliver(sqs(world), world)
    assert len(world.outbound.received) == 2


def test_the_reference_of_the_receipt_is_kept(world: Any) -> None:
    world.outbound = FakePartner(200, body=b"<receipt><reference>R-1</reference></receipt>")
    pipeline.fan_out(sns(world), world)
    pipeline.deliver(sqs(world), world)
    message = world.deliveries_queue.messages[0]
    delivery = world.deliveries.find(message["owner"], message["delivery_id"])
    assert (delivery.status, delivery.reference) == ("delivered", "R-1")


def test_nothing_is_delivered_of_an_image_that_was_deleted_meanwhile(world: Any) -> None:
    pipeline.fan_out(sns(world), world)
    pipeline.delete_image(world.image_at(KEY), world)
    pipeline.deliver(sqs(world), world)
    assert world.outbound.received == []


def test_an_event_survives_its_json() -> None:
    image = Image("01", "owner", KEY, "labelled", "x", "2026-01-01", labels=(Label("Cat", 93.0),), result=3)
    event = ImageFinished.of(image)
    assert ImageFinished.from_json(json.loads(json.dumps(event.to_json()))) == event


def test_an_event_too_large_for_the_topic_loses_its_boxes_and_says_so() -> None:
    boxes = tuple(Instance(90.0, Box(0.1, 0.2, 0.3, 0.4)) for _ in range(100))
    crowd = tuple(Label(f"Person {n}", 90.0, instances=boxes) for n in range(100))
    event = ImageFinished.of(Image("01", "o", KEY, "labelled", "x", "2026-01-01", labels=crowd, result=1))
    assert len(json.dumps(event.to_json()).encode()) < TOPIC_BYTES + 1000
    assert event.data["truncated"] is True
    assert [label["name"] for label in event.data["labels"]] == [label.name for label in crowd]
