"""What telling one receiver of one image costs in calls to AWS, counted at the client."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.delivery_log import by_image
from chalicelib.delivery.events import ImageFinished
from chalicelib.ids import new_id
from chalicelib.library.record import key_for
from chalicelib.model import Image, Label, Model
from local.moto_server import LocalAws
from tests.fakes.mail import sns_event
from tests.fakes.receiver import FakeReceiver
from tests.stubs.stage import StageServices, make_stage

POLLER = ("ReceiveMessage", "DeleteMessage")  # Lambda's own


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture
def calls() -> Counter[str]:
    """The calls to AWS, by operation."""
    return Counter()


@pytest.fixture
def services(aws: LocalAws, calls: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    environment = make_stage(aws, aws.url, INTEGRATION_URL="http://127.0.0.1:1/labels")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made: Any = StageServices(environment)
    # Before any client is made: a client has the session's handlers of that moment.
    made.clients.session.register("before-call.*.*", lambda model, **_: calls.update([model.name]))
    made.outbound = FakeReceiver(204)
    made.keyring.get("default", "owner")  # made with the first delivery of all
    return made


def finished(services: Any) -> ImageFinished:
    """An image with a result, as its record and as what the topic tells of it."""
    image_id, now = new_id(), "2026-03-01T09:30:00.000Z"
    image = Image(image_id, "default", key_for("default", image_id), "awaiting_upload", "cat.jpg", now)
    record = services.images.create(image)
    services.images.change(record, _labelled(record), "recognised")
    return ImageFinished.of(services.images.get("default", image_id))


def _labelled(record: Any) -> Any:
    labels = (Label("Cat", 93.0, parents=("Animal",)),)
    image = dataclasses.replace(
        record.image,
        status="labelled",
        completed_at=record.image.created_at,
        model=Model("fake", "1"),
        result=1,
    )
    return dataclasses.replace(record, image=image).with_labels(labels, ())


@pytest.mark.slow
def test_delivery_worker_one_receiver_takes_few_calls(services: Any, calls: Counter[str]) -> None:
    event = finished(services)
    calls.clear()

    pipeline.fan_out(sns_event([event.message()]), services)

    told = dict(calls)
    calls.clear()
    assert services.bring_waiting() == 1
    brought = {name: count for name, count in calls.items() if name not in POLLER}
    page = services.deliveries.page("default", by_image(event.image_id), limit=9, after=None)
    [delivery] = page.deliveries
    assert (delivery.status, len(services.outbound.posted)) == ("delivered", 1)
    assert told.pop("SendMessage") == 1
    # Who subscribes, the delivery, and its listings with the confirmation that the result has been told.
    assert told == {"Query": 1, "PutItem": 1, "BatchWriteItem": 1}
    assert brought == {"BatchGetItem": 1, "UpdateItem": 2}
