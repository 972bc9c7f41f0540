"""How long a function may still run reaches whoever might wait."""

from __future__ import annotations

import json

import pytest
from chalice.local import LambdaContext

import app
from chalicelib import wiring
from tests.fakes.world import World, s3_event


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(wiring, "services", lambda: made)
    return made


def test_the_labeler_tells_the_recogniser_how_long_it_may_take(world: World) -> None:
    event = s3_event(world.drop("uploads/cat.jpg"))
    event["Records"][0]["s3"]["bucket"] = {"name": "test-bucket"}  # Chalice looks for it
    app.on_s3_upload(event, LambdaContext("on_s3_upload", 128, max_runtime_ms=7_000))
    (seconds,) = world.recogniser.seconds_left
    assert 6 < seconds <= 7


def test_so_does_the_queues_worker(world: World) -> None:
    body = json.dumps(s3_event(world.drop("uploads/cat.jpg")))
    event = {"Records": [{"body": body}]}
    app.on_upload_message(event, LambdaContext("on_upload_message", 128, max_runtime_ms=9_000))
    (seconds,) = world.recogniser.seconds_left
    assert 8 < seconds <= 9


def test_no_more_workers_than_chosen_take_from_the_queue_at_once() -> None:
    (config,) = [one for one in app.app.event_sources if one.name == "on_upload_message"]
    assert config.maximum_concurrency == 5
