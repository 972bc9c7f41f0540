"""What is deployed, wiring included, ends before its function does, however long a service is silent.

Holds `chalicelib/aws.py`, `chalicelib/clients.py`, `chalicelib/wiring.py`,
`chalicelib/recognition/back_ends.py`.
"""

from __future__ import annotations

import json

import pytest
from chalice.local import LambdaContext

import app
from chalicelib import wiring
from chalicelib.aws import Patience
from chalicelib.errors import Unavailable
from chalicelib.settings import Settings
from chalicelib.wiring import Services
from tests.conftest import ENVIRONMENT
from tests.fakes.world import World, s3_event
from tests.stubs.rekognition import RekognitionStub


@pytest.fixture
def world(rekognition_stub: RekognitionStub, aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world of fakes, but for the recogniser, which is wired as deployed."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", rekognition_stub.url)
    made = World()
    made.recogniser = Services(Settings.read(ENVIRONMENT)).recogniser
    monkeypatch.setattr(wiring, "services", lambda: made)
    return made


@pytest.mark.slow
def test_a_rekognition_that_never_answers_does_not_outlast_the_function(
    world: World, rekognition_stub: RekognitionStub
) -> None:
    """A call that is never answered takes 10 s, so of 18 s there is time for one and to tidy up after it."""
    rekognition_stub.hangs()
    context = LambdaContext("on_upload_message", 128, max_runtime_ms=18_000)
    body = json.dumps(s3_event(world.drop("uploads/cat.jpg")))
    with pytest.raises(Unavailable, match="could not be reached"):
        app.on_upload_message({"Records": [{"body": body}]}, context)
    assert context.get_remaining_time_in_millis() > 1000 * Patience.RESERVE
    assert len(rekognition_stub.calls) == 1


def test_the_labeler_leaves_what_rekognition_throttles_to_the_queue(
    world: World, rekognition_stub: RekognitionStub
) -> None:
    """Of 20 s there are three for more tries: a call may take 12, to tidy up after it takes 5."""
    rekognition_stub.fails("ThrottlingException", times=100)
    event = s3_event(world.drop("uploads/cat.jpg"))
    event["Records"][0]["s3"]["bucket"] = {"name": "test-bucket"}
    app.on_s3_upload(event, LambdaContext("on_s3_upload", 128, max_runtime_ms=20_000))
    assert len(world.uploads_queue.messages) == 1
    assert world.image_at("uploads/cat.jpg").status == "labelling"
    assert len(rekognition_stub.calls) > 1
