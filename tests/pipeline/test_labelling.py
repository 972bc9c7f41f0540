"""The labeler, whose events come twice, late, at once and not at all.

Holds `chalicelib/pipeline/description.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Busy, Misconfigured, RecogniserRefused, Superseded, Unavailable
from chalicelib.expressions import Delete
from chalicelib.library.images import LEASE_SECONDS, SHARDS, UPLOAD_SECONDS
from chalicelib.library.record import record_key
from chalicelib.model import Label, NewImage, ObjectUploaded, in_rekognitions_words
from chalicelib.pipeline.description import MOST_ATTEMPTS
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, ROCKET, World, s3_event

KEY = "uploads/holiday/a b+c é&d.jpg"
FELINE = Label("Cat", 93.0, parents=("Animal",))


@pytest.fixture
def world() -> World:
    world = World()
    world.recogniser = FakeRecogniser(FELINE)
    return world


def test_a_dropped_object_becomes_a_labelled_image_with_a_sidecar_and_an_event(world: World) -> None:
    pipeline.label_image(world.drop(KEY), world)
    image = world.image_at(KEY)
    assert (image.status, image.filename, image.labels) == ("labelled", "holiday/a b+c é&d.jpg", (FELINE,))
    assert (image.content_type, image.width, image.height, image.size) == ("image/jpeg", 451, 300, len(CAT))
    assert world.objects.sidecars["metadata/holiday/a b+c é&d.jpg.json"]["id"] == image.id
    (event,) = world.topic.published
    assert (event["type"], event["subject"], event["id"]) == (
        "sightline.image.labelled",
        image.id,
        f"{image.id}.1",
    )
    assert world.topic.attributes[0]["labels"] == ["Cat"]
    assert world.counts() == {"animal": 1, "cat": 1}


def test_a_sidecar_in_rekognitions_words_lies_beside_ours_where_it_is_wanted(world: World) -> None:
    pipeline.label_image(world.drop("uploads/plain.jpg"), world)
    assert set(world.objects.sidecars) == {"metadata/plain.jpg.json"}
    world.with_settings(sidecar="rekognition")
    pipeline.label_image(world.drop(KEY, ROCKET), world)
    image, sidecars = world.image_at(KEY), world.objects.sidecars
    assert set(sidecars) == {
        "metadata/plain.jpg.json",
        "metadata/holiday/a b+c é&d.jpg.json",
        "metadata/holiday/a b+c é&d.jpg.rekognition.json",
    }
    theirs = sidecars["metadata/holiday/a b+c é&d.jpg.rekognition.json"]
    assert theirs == in_rekognitions_words(image)
    assert theirs["Labels"][0]["Parents"] == [{"Name": "Animal"}]
    world.erase(image)
    assert set(world.objects.sidecars) == {"metadata/plain.jpg.json"}


def test_zero_labels_is_a_success(world: World) -> None:
    world.recogniser = FakeRecogniser()
    pipeline.label_image(world.drop(KEY), world)
    assert (world.image_at(KEY).status, world.image_at(KEY).labels) == ("labelled", ())


def test_a_file_that_is_no_image_fails_with_a_code_and_is_announced(world: World) -> None:
    pipeline.label_image(world.drop(KEY, b"hello"), world)
    image = world.image_at(KEY)
    assert image.status == "failed"
    assert image.error is not None
    assert image.error.code == "not-an-image"
    assert world.topic.published[0]["type"] == "sightline.image.failed"
    assert world.recogniser.photos == []


def test_a_file_over_the_limit_fails_without_being_read(world: World) -> None:
    world.with_settings(max_image_bytes=100)
    pipeline.label_image(world.drop(KEY), world)
    error = world.image_at(KEY).error
    assert error is not None
    assert error.code == "too-large"


def too_large(world: Any, key: str) -> Any:
    """The image of a photo with more bytes than are allowed, once it has been labelled."""
    world.with_settings(max_image_bytes=len(CAT) - 1)
    uploaded = world.drop(key)
    pipeline.label_image(uploaded, world)
    return uploaded, world.image_at(key)


def test_an_upload_that_is_too_large_is_removed_at_once_and_its_image_says_so(world: World) -> None:
    announced = pipeline.await_upload(NewImage(), "anna", world)
    uploaded, image = too_large(world, announced.key)
    assert (image.status, image.error.code) == ("failed", "too-large")
    assert image.error.detail.endswith("It was removed.")
    assert world.objects.stored == {}
    world.project()
    assert list(world.objects.sidecars) == [f"metadata/~anna/{image.id}.json"]  # it says why
    pipeline.label_image(uploaded, world)
    assert world.image_at(announced.key) == image


def test_what_people_put_into_the_bucket_stays_there_however_large_it_is(world: World) -> None:
    _, image = too_large(world, KEY)
    assert (image.error.code, "removed" in image.error.detail) == ("too-large", False)
    assert list(world.objects.stored) == [KEY]


def test_a_worker_that_died_before_it_removed_what_is_too_large_is_made_up_for(world: World) -> None:
    announced = pipeline.await_upload(NewImage(), "anna", world)
    remove, world.objects.delete_original = world.objects.delete_original, lambda key: None  # type: ignore[method-assign]
    uploaded, _ = too_large(world, announced.key)
    assert list(world.objects.stored) == [announced.key]
    world.objects.delete_original = remove  # type: ignore[method-assign]
    pipeline.label_image(uploaded, world)
    assert world.objects.stored == {}


def test_a_smaller_file_that_has_come_meanwhile_is_not_removed(world: World) -> None:
    announced = pipeline.await_upload(NewImage(), "anna", world)
    genuine = world.images.finish

    def finish(*given: Any) -> Any:
        world.drop(announced.key, CAT[:-9])
        return genuine(*given)

    world.images.finish = finish  # type: ignore[method-assign]
    too_large(world, announced.key)
    assert world.objects.stored == {announced.key: CAT[:-9]}


def test_what_the_recogniser_refuses_fails_and_is_not_tried_again(world: World) -> None:
    world.recogniser = FakeRecogniser(raises=[RecogniserRefused("It will not.", code="refused")])
    uploaded = world.drop(KEY)
    pipeline.label_or_leave(s3_event(uploaded, uploaded), world)
    error = world.image_at(KEY).error
    assert error is not None
    assert error.code == "refused"
    assert len(world.recogniser.photos) == 1
    assert world.uploads_queue.messages == []


def test_the_same_event_again_changes_nothing_and_recognises_nothing(world: World) -> None:
    uploaded = world.drop(KEY)
    for _ in range(3):
        pipeline.label_image(uploaded, world)
    assert len(world.recogniser.photos) == 1
    assert len(world.topic.published) == 1
    assert world.image_at(KEY).result == 1
    assert world.counts() == {"animal": 1, "cat": 1}


def test_an_overwritten_object_is_the_same_image_labelled_again(world: World) -> None:
    pipeline.label_image(world.drop(KEY), world)
    first = world.image_at(KEY)
    world.recogniser = FakeRecogniser(Label("Rocket", 88.0))
    pipeline.label_image(world.drop(KEY, ROCKET), world)
    second = world.image_at(KEY)
    assert (second.id, second.result, [label.name for label in second.labels]) == (first.id, 2, ["Rocket"])
    assert world.counts() == {"rocket": 1}


def test_a_late_event_never_overwrites_a_newer_result(world: World) -> None:
    late = world.drop(KEY)
    pipeline.label_image(world.drop(KEY, ROCKET), world)
    newest = world.image_at(KEY)
    pipeline.label_image(late, world)
    assert world.image_at(KEY) == newest
    assert len(world.recogniser.photos) == 1


def test_an_event_with_an_older_sequencer_is_not_even_looked_up_in_the_bucket(world: World) -> None:
    now = world.drop(KEY)
    pipeline.label_image(ObjectUploaded(KEY, now.etag, "0B"), world)
    pipeline.label_image(ObjectUploaded(KEY, "another", "0A"), world)
    assert world.objects.reads == [KEY]


def test_an_event_for_an_object_that_is_gone_makes_no_image(world: World) -> None:
    uploaded = world.drop(KEY)
    world.objects.delete(KEY)
    pipeline.label_image(uploaded, world)
    assert world.images.find_by_key(KEY) is None


def test_deleting_leaves_nothing_and_a_late_event_does_not_bring_it_back(world: World) -> None:
    uploaded = world.drop(KEY)
    pipeline.label_image(uploaded, world)
    world.erase(world.image_at(KEY))
    pipeline.label_image(uploaded, world)
    assert world.images.find_by_key(KEY) is None
    assert (world.objects.stored, world.objects.sidecars, world.counts()) == ({}, {}, {})


def test_an_upload_that_comes_after_its_image_was_deleted_is_removed(world: World) -> None:
    image = pipeline.await_upload(NewImage(), "somebody", world)
    world.erase(image)
    pipeline.label_image(world.drop(image.key), world)
    assert world.objects.stored == {}
    assert world.listed() == ()


def test_what_a_client_asks_for_reaches_the_recogniser(world: World) -> None:
    image = pipeline.take_in(CAT, NewImage(min_confidence=0.0, max_labels=3), "default", world)
    pipeline.label_image(ObjectUploaded(image.key), world)
    (options,) = world.recogniser.options
    assert (options.min_confidence, options.max_labels) == (0.0, 3)


def test_what_is_not_asked_for_is_as_the_settings_say(world: World) -> None:
    world.with_settings(features=("labels", "text"), exclude_labels=("Dog",), include_labels=("Cat",))
    image = pipeline.take_in(CAT, NewImage(include_labels=(), max_labels=3), "default", world)
    pipeline.label_image(ObjectUploaded(image.key), world)
    (options,) = world.recogniser.options
    assert (options.features, options.exclude_labels) == (("labels", "text"), ("Dog",))
    assert options.include_labels == (), "an empty list takes a filter of the settings back"


def test_what_a_recogniser_gives_besides_labels_is_kept_and_told(world: World) -> None:
    world.recogniser.rest = {"text": {"model_version": "3.0", "detections": []}}
    pipeline.label_image(world.drop(KEY), world)
    assert world.image_at(KEY).text == {"model_version": "3.0", "detections": []}
    assert world.objects.sidecars[f"metadata/{KEY.removeprefix('uploads/')}.json"]["text"] is not None
    world.recogniser = FakeRecogniser(FELINE)
    pipeline.label_image(world.drop(KEY, ROCKET), world)
    assert world.image_at(KEY).text is None, "it is that of the picture before"


def test_while_one_worker_is_at_it_another_leaves_the_event_for_later(world: World) -> None:
    image = pipeline.take_in(CAT, NewImage(), "default", world)

    def meanwhile() -> None:
        pipeline.label_or_leave(s3_event(ObjectUploaded(image.key, "x")), world)

    world.recogniser = FakeRecogniser(FELINE, before=meanwhile)
    pipeline.label_image(ObjectUploaded(image.key), world)
    assert len(world.recogniser.photos) == 1
    assert len(world.uploads_queue.messages) == 1
    assert world.uploads_queue.delays == [LEASE_SECONDS]


def test_two_events_for_a_new_key_at_once_make_one_image(world: World) -> None:
    uploaded = world.drop(KEY)
    world.recogniser = FakeRecogniser(
        FELINE, before=lambda: pipeline.label_or_leave(s3_event(uploaded), world)
    )
    pipeline.label_image(uploaded, world)
    assert len(world.listed()) == 1
    assert len(world.recogniser.photos) == 1


def test_an_image_deleted_while_it_is_recognised_stays_deleted(world: World) -> None:
    uploaded = world.drop(KEY)
    world.recogniser = FakeRecogniser(FELINE, before=lambda: world.erase(world.image_at(KEY)))
    pipeline.label_image(uploaded, world)
    assert world.images.find_by_key(KEY) is None
    assert (world.counts(), world.objects.sidecars, world.topic.published) == ({}, {}, [])


def test_an_object_overwritten_while_it_is_recognised_ends_with_the_newer_result(world: World) -> None:
    uploaded = world.drop(KEY)

    def overwrite() -> None:
        world.recogniser = FakeRecogniser(Label("Rocket", 88.0))
        pipeline.label_or_leave(s3_event(world.drop(KEY, ROCKET)), world)

    world.recogniser = FakeRecogniser(FELINE, before=overwrite)
    pipeline.label_image(uploaded, world)
    (left,) = world.uploads_queue.messages
    pipeline.label_messages({"Records": [{"body": json.dumps(left)}]}, world)
    assert [label.name for label in world.image_at(KEY).labels] == ["Rocket"]
    assert world.image_at(KEY).result == 2


def test_a_recogniser_that_does_not_answer_leaves_the_image_free_and_its_event_on_the_queue(
    world: World,
) -> None:
    world.recogniser = FakeRecogniser(FELINE, raises=[Unavailable("Throttled.", retry_after=7)])
    pipeline.label_or_leave(s3_event(world.drop(KEY)), world)
    assert world.image_at(KEY).status == "labelling"
    assert world.uploads_queue.delays == [7]
    pipeline.label_messages({"Records": [{"body": json.dumps(world.uploads_queue.messages[0])}]}, world)
    assert world.image_at(KEY).status == "labelled"


def test_a_recogniser_that_throttles_all_day_fails_no_image(world: World) -> None:
    throttles = 3 * MOST_ATTEMPTS
    world.recogniser = FakeRecogniser(FELINE, raises=[Unavailable("Throttled.")] * throttles)
    uploaded = world.drop(KEY)
    for _ in range(throttles):
        pipeline.label_or_leave(s3_event(uploaded), world)
        assert world.image_at(KEY).status == "labelling"
    pipeline.label_or_leave(s3_event(uploaded), world)
    assert world.image_at(KEY).status == "labelled"


def test_a_result_that_cannot_be_stored_now_leaves_the_image_free_for_the_next_try(world: World) -> None:
    whole, uploaded = world.images.finish, world.drop(KEY)

    def fail_once(*arguments: Any) -> Any:
        world.images.finish = whole  # type: ignore[method-assign]
        raise Unavailable("DynamoDB did not take the call.")

    world.images.finish = fail_once  # type: ignore[method-assign,assignment]
    pipeline.label_or_leave(s3_event(uploaded), world)
    pipeline.label_image(uploaded, world)
    assert world.image_at(KEY).status == "labelled"


def test_on_the_queue_a_fault_is_raised_so_that_the_queue_counts_it(world: World) -> None:
    world.recogniser = FakeRecogniser(FELINE, raises=[Unavailable("Throttled.")])
    with pytest.raises(Unavailable):
        pipeline.label_messages({"Records": [{"body": json.dumps(s3_event(world.drop(KEY)))}]}, world)
    assert world.uploads_queue.messages == []


def test_an_event_that_the_labeler_failed_on_is_labelled_from_the_queue(world: World) -> None:
    left = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": s3_event(world.drop(KEY))}

    pipeline.label_messages({"Records": [{"body": json.dumps(left)}]}, world)

    assert world.image_at(KEY).status == "labelled"


@pytest.mark.parametrize(
    "body",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        {"Records": [ObjectUploaded("metadata/x.json", "e").to_json()]},
        {"Records": [ObjectUploaded("thumbnails/x.jpg", "e").to_json()]},
        {"Records": [ObjectUploaded("uploads/folder/", "e").to_json()]},
    ],
)
def test_what_is_no_upload_is_none_of_our_business(world: World, body: dict[str, Any]) -> None:
    pipeline.label_messages({"Records": [{"body": json.dumps(body)}]}, world)
    assert world.objects.reads == []


class Killed(BaseException):
    """The process ends here."""


def _dying_at(world: World, step: str) -> None:
    owner, name = {
        "claimed": (world.recogniser, "recognise"),
        "recognised": (world.images, "finish"),
    }[step]
    whole: Callable[..., Any] = getattr(owner, name)

    def die(*arguments: Any, **named: Any) -> Any:
        setattr(owner, name, whole)
        raise Killed

    setattr(owner, name, die)


@pytest.mark.parametrize("step", ["claimed", "recognised"])
def test_a_worker_killed_at_any_step_loses_nothing(world: World, step: str) -> None:
    """The queue never brings the event back here: the sweep alone must notice."""
    _dying_at(world, step)
    with pytest.raises(Killed):
        pipeline.label_image(world.drop(KEY), world)
    for _ in range(3):
        world.clock.forward(LEASE_SECONDS + 1)
        pipeline.sweep(world)
    messages = [{"body": json.dumps(message)} for message in world.uploads_queue.messages]
    pipeline.label_messages({"Records": messages}, world)
    assert world.image_at(KEY).status == "labelled"
    assert world.image_at(KEY).result == 1
    assert len({event["id"] for event in world.topic.published}) == 1
    assert len(world.recogniser.photos) <= 2
    assert world.counts() == {"animal": 1, "cat": 1}
    world.clock.forward(100 * LEASE_SECONDS)
    assert list(world.due.keys(SHARDS)) == []


def test_an_image_that_kills_every_worker_is_given_up_after_some_attempts(world: World) -> None:
    def die() -> None:
        raise Killed

    world.recogniser = FakeRecogniser(before=die)
    uploaded = world.drop(KEY)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Killed):
            pipeline.label_image(uploaded, world)
        world.clock.forward(LEASE_SECONDS + 1)
    pipeline.label_image(uploaded, world)
    error = world.image_at(KEY).error
    assert error is not None
    assert error.code == "gave-up"


def test_an_announced_upload_that_never_comes_fails_after_a_day(world: World) -> None:
    image = pipeline.await_upload(NewImage(), "default", world)
    pipeline.sweep(world)
    assert world.uploads_queue.messages == []
    world.clock.forward(UPLOAD_SECONDS + 1)
    pipeline.sweep(world)
    pipeline.label_messages({"Records": [{"body": json.dumps(world.uploads_queue.messages[0])}]}, world)
    failed = world.images.get("default", image.id)
    assert failed.error is not None
    assert (failed.status, failed.error.code) == ("failed", "never-uploaded")


def test_an_upload_that_comes_after_it_was_given_up_is_labelled_all_the_same(world: World) -> None:
    image = pipeline.await_upload(NewImage(), "default", world)
    world.clock.forward(UPLOAD_SECONDS + 1)
    pipeline.label_image(ObjectUploaded(image.key), world)
    pipeline.label_image(world.drop(image.key), world)
    assert world.images.get("default", image.id).status == "labelled"


def test_busy_and_superseded_are_told_apart_from_faults(world: World) -> None:
    image = pipeline.take_in(CAT, NewImage(), "default", world)
    record = world.images.find("default", image.id)
    assert record is not None
    claimed = world.images.claim(record, image)
    with pytest.raises(Busy):
        pipeline.label_image(ObjectUploaded(image.key), world)
    with pytest.raises(Superseded):
        world.images.claim(record, claimed.image)


def test_what_the_deployment_may_not_read_waits_where_everybody_sees_it(world: World) -> None:
    uploaded, whole = world.drop(KEY), world.objects.read

    def refused(key: str, *, max_bytes: int) -> Any:
        raise Misconfigured("S3 refused the call: AccessDenied.")

    world.objects.read = refused  # type: ignore[method-assign]
    for _ in range(2 * MOST_ATTEMPTS):
        with pytest.raises(Misconfigured):
            pipeline.label_image(uploaded, world)  # type: ignore[arg-type]
        world.clock.forward(600)
    assert world.image_at(KEY).status == "labelling"
    world.objects.read = whole  # type: ignore[method-assign]
    pipeline.label_image(uploaded, world)  # type: ignore[arg-type]
    assert world.image_at(KEY).status == "labelled"


def test_what_the_deployment_may_not_read_for_a_day_has_failed_and_says_so(world: World) -> None:
    uploaded = world.drop(KEY)

    def refused(key: str, *, max_bytes: int) -> Any:
        raise Misconfigured("S3 refused the call: InvalidObjectState.")

    world.objects.read = refused  # type: ignore[method-assign]
    for hours in (0, 25):
        world.clock.forward(hours * 3600)
        with pytest.raises(Misconfigured):
            pipeline.label_image(uploaded, world)  # type: ignore[arg-type]
    image = world.image_at(KEY)
    assert (image.status, image.error and image.error.code) == ("failed", "deployment-fault")


def test_a_name_that_leaves_no_room_for_thumbnail_and_sidecar_fails_and_says_so(world: World) -> None:
    key = "uploads/" + "ü" * 508
    pipeline.label_image(world.drop(key), world)  # type: ignore[arg-type]
    image = world.image_at(key)
    assert (image.status, image.error and image.error.code) == ("failed", "key-too-long")
    assert world.recogniser.photos == []


def test_an_object_whose_record_was_lost_is_taken_in_again_and_one_that_a_person_deleted_is_not(
    world: World,
) -> None:
    kept = pipeline.take_in(CAT, NewImage(), "anna", world)  # type: ignore[arg-type]
    world.table.write(Delete(record_key("anna", kept.id)))  # a table that was restored to an earlier time
    pipeline.label_image(ObjectUploaded(kept.key), world)  # type: ignore[arg-type]
    assert world.images.get("anna", kept.id).status == "labelled"
    world.erase(world.images.get("anna", kept.id))
    world.objects.put(kept.key, CAT)
    pipeline.label_image(ObjectUploaded(kept.key), world)  # type: ignore[arg-type]
    assert kept.key not in world.objects.stored
