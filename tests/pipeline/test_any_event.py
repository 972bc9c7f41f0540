"""Events come twice, many at once, in any order, unknown and malformed: each is felt as it should be."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.destinations import Place
from chalicelib.model import ObjectUploaded
from tests.fakes.mail import Mail, raw_sqs_event, sns_event, sqs_event
from tests.fakes.world import ROCKET, s3_event

KEY = "uploads/cat.jpg"
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
MALFORMED = ["this is no JSON", "[]", "7", '"text"', "null", '{"Records": [{}]}', '{"Records": [null]}']


def raw(*bodies: str) -> dict[str, Any]:
    return raw_sqs_event(bodies)


def settle(world: Any) -> None:
    """Let the uploads queue and the sweep finish what was left to them."""
    for _ in range(5):
        messages, world.uploads_queue.messages = world.uploads_queue.messages, []
        world.clock.forward(200)
        assert pipeline.label_messages(sqs_event(messages), world) == {"batchItemFailures": []}
        pipeline.sweep(world)


@pytest.mark.parametrize("times", [2, 10])
def test_an_event_told_many_times_at_once_is_felt_once(world: Any, times: int) -> None:
    event = s3_event(world.drop(KEY))
    start = Barrier(times)

    def told() -> None:
        start.wait(60)
        pipeline.label_or_leave(event, world)

    with ThreadPoolExecutor(times) as threads:
        for done in [threads.submit(told) for _ in range(times)]:
            done.result()
    settle(world)
    assert (world.image_at(KEY).status, world.image_at(KEY).result) == ("labelled", 1)
    assert len(world.listed()) == 1
    assert len(world.recogniser.photos) == 1
    assert world.counts() == {"cat": 1}


def test_a_result_told_many_times_at_once_is_delivered_once(world: Any) -> None:
    pipeline.label_image(world.drop(KEY), world)
    news = sns_event(world.topic.published)
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: pipeline.fan_out(news, world), range(10)))
    mail = Mail(world)
    mail.run()
    [delivery] = mail.log("integration")
    assert (delivery.status, world.outbound.ids) == ("delivered", [delivery.id])


def test_an_old_event_after_its_image_was_deleted_resurrects_nothing(world: Any) -> None:
    first = ObjectUploaded(KEY, world.drop(KEY).etag, "01")
    second = ObjectUploaded(KEY, world.drop(KEY, ROCKET).etag, "02")
    pipeline.label_or_leave(s3_event(second), world)
    world.erase(world.image_at(KEY))
    for late in (first, second, first):
        pipeline.label_or_leave(s3_event(late), world)
    settle(world)
    assert world.listed() == ()
    assert (world.counts(), world.objects.stored, world.objects.sidecars) == ({}, {}, {})


def test_an_upload_of_another_application_labels_nothing(world: Any) -> None:
    gone = {"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": "exports/gone.zip"}}}
    pipeline.label_or_leave({"Records": [gone]}, world)
    pipeline.label_or_leave({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}, world)
    pipeline.label_or_leave({"something": "else"}, world)
    assert (world.listed(), world.uploads_queue.messages) == ((), [])


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_upload_goes_the_way_to_the_dead_letters_alone(world: Any, body: str) -> None:
    good = json.dumps(s3_event(world.drop(KEY)))
    with pytest.raises(UNREADABLE):
        pipeline.label_messages(raw(body, good), world)
    assert world.image_at(KEY).status == "labelled"


def test_a_malformed_record_does_not_keep_others_of_its_notification_waiting(world: Any) -> None:
    notification = {"Records": [{"s3": {"object": {}}}, world.drop(KEY).to_json()]}
    with pytest.raises(KeyError):
        pipeline.label_or_leave(notification, world)
    assert world.image_at(KEY).status == "labelled"


@pytest.mark.parametrize("body", ["this is no JSON", "[]", "null", "{}", '{"owner": "default"}'])
def test_a_malformed_delivery_does_not_keep_others_of_its_batch_waiting(world: Any, body: str) -> None:
    pipeline.label_image(world.drop(KEY), world)
    Mail(world).announce()
    [message] = world.deliveries_queue.messages
    with pytest.raises(UNREADABLE):
        pipeline.deliver(raw(body, json.dumps(message)), world)
    assert [one.status for one in Mail(world).log("integration")] == ["delivered"]


@pytest.mark.parametrize("message", ["this is no JSON", "[]", "{}", '{"id": "no.number"}'])
def test_a_malformed_result_does_not_keep_others_waiting(world: Any, message: str) -> None:
    pipeline.label_image(world.drop(KEY), world)
    news = sns_event(world.topic.published)
    news["Records"].insert(0, {"Sns": {"Message": message}})
    with pytest.raises(UNREADABLE):
        pipeline.fan_out(news, world)
    assert len(world.deliveries_queue.messages) == 1


@pytest.mark.parametrize("body", ["[]", '{"job": {}}', '{"job": null}', "7"])
def test_a_malformed_job_does_not_keep_others_waiting(world: Any, body: str) -> None:
    pipeline.label_image(world.drop(KEY), world)
    request = {"q": "", "add": ["Feline"], "remove": []}
    job = pipeline.start("default", "correct", request, world)
    good = json.dumps(job.message())
    with pytest.raises(UNREADABLE):
        pipeline.work_on_jobs(raw(body, good), world)
    assert world.counts() == {"cat": 1, "feline": 1}


def test_a_delivery_that_nobody_knows_is_let_go(world: Any) -> None:
    place = Place("https://partner.example", "0" * 32)
    unknown = Delivery.of("nobody", "01JCX000000000000000000000", 1, "type", "integration", place)
    assert pipeline.deliver(sqs_event([unknown.message()]), world) == {"batchItemFailures": []}
    assert world.outbound.posted == []
