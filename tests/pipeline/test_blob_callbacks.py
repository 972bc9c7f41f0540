"""Who announces a blob is called back once, with the blob; who announces an image, of every result.

Holds `chalicelib/delivery/blobs.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery import blobs
from chalicelib.library.markers import CONFIRM_SECONDS
from chalicelib.model import CallbackFormat, Image, Label, NewImage, ObjectUploaded
from chalicelib.pipeline.curation import LabelEdit
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver, verify
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World

HOOK = "https://client.example/blob-is-ready"


@pytest.fixture
def world() -> Any:
    world: Any = World()
    world.recogniser = FakeRecogniser(Label("Cat", 93.0, parents=("Animal",)))
    world.outbound = FakeReceiver()
    return world


def announced(world: Any, form: CallbackFormat, content: bytes = CAT) -> Image:
    image = pipeline.await_upload(NewImage(callback_url=HOOK, callback_format=form), "default", world)
    world.objects.put(image.key, content)
    pipeline.label_image(ObjectUploaded(image.key), world)
    return image


def now(world: Any, image: Image) -> Image:
    return world.images.get("default", image.id)  # type: ignore[no-any-return]


def test_a_blob_is_told_of_as_it_is_shown_and_signed_all_the_same(world: Any) -> None:
    image = announced(world, "blob")
    Mail(world).run()
    [posted] = world.outbound.posted
    told = json.loads(posted.body)
    assert posted.headers["content-type"] == "application/json"
    assert told == blobs.document(now(world, image))
    assert (told["blob_id"], told["invocation_status"]) == (image.id, "COMPLETED")
    assert "Cat" in told["labels"]
    secret = world.keyring.get("default", "owner").current
    verify(secret, posted.headers, posted.body, now=world.now())


def test_a_blob_that_cannot_be_labelled_is_told_of_too(world: Any) -> None:
    announced(world, "blob", b"buy milk")
    Mail(world).run()
    [posted] = world.outbound.posted
    told = json.loads(posted.body)
    assert (told["invocation_status"], told["labels"]) == ("FAILED", [])
    assert told["failure_reason"]


@pytest.mark.parametrize(("form", "times"), [("blob", 1), ("event", 2)])
def test_a_blob_is_told_of_once(world: Any, form: CallbackFormat, times: int) -> None:
    image, mail = announced(world, form), Mail(world)
    mail.run()
    pipeline.correct("default", image.id, [LabelEdit("dog", True)], world)
    mail.run()
    assert len(world.outbound.posted) == times


def test_a_correction_before_the_call_is_in_it(world: Any) -> None:
    image = announced(world, "blob")
    pipeline.correct("default", image.id, [LabelEdit("dog", True)], world)
    Mail(world).run()
    [posted] = world.outbound.posted
    assert {"Cat", "dog"} <= set(json.loads(posted.body)["labels"])


def test_a_blob_is_told_of_once_though_the_news_of_it_was_lost_and_newer_news_was_not(world: Any) -> None:
    image, mail = announced(world, "blob"), Mail(world)
    world.project()
    world.topic.published.clear()  # SNS lost it, or the fan-out failed for good
    pipeline.correct("default", image.id, [LabelEdit("dog", True)], world)
    mail.run()
    assert world.outbound.posted == []
    mail.forward(CONFIRM_SECONDS + 3600)
    [posted] = world.outbound.posted
    assert {"Cat", "dog"} <= set(json.loads(posted.body)["labels"])
    mail.forward(24 * 3600)
    assert len(world.outbound.posted) == 1
