"""What owners do to objects (chalicelib/pipeline: relocation, bin, audit): removed, renamed, put back."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import Busy, NotFound, Unavailable
from chalicelib.ids import new_id, rfc3339
from chalicelib.intake.objects import sidecar_key, thumbnail_key
from chalicelib.library.query import parse
from chalicelib.library.record import key_for
from chalicelib.model import Asked, Image, Label, NewImage, ObjectUploaded
from chalicelib.pipeline.bin import LOOK_AGAIN_SECONDS
from chalicelib.pipeline.curation import LabelEdit
from chalicelib.pipeline.relocation import COPIED_SECONDS
from chalicelib.pipeline.repair import repair
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, ROCKET, World, s3_event

OLD, NEW = "uploads/cat.jpg", "uploads/pets/tabby.jpg"
OWNER = "default"
DAY = 86_400


@pytest.fixture
def world() -> Any:
    world: Any = World()
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    world.outbound = FakeReceiver()
    return world


@pytest.fixture
def image(world: Any) -> Image:
    """A labelled and corrected image, whose object lies under its first key."""
    pipeline.label_image(world.drop(OLD), world)
    found: Image = world.image_at(OLD)
    world.project()
    world.clock.forward(3600)
    return pipeline.correct(OWNER, found.id, [LabelEdit("Tiger", True)], world)[0]


def remove(world: Any, key: str) -> ObjectUploaded:
    """Take an object out of the bucket and give the event that tells of it."""
    world.objects.stored.pop(key)
    return ObjectUploaded(key, removed=True)


def happen(world: Any, *events: ObjectUploaded) -> None:
    for event in events:
        pipeline.label_image(event, world)
        world.project()


def in_bin(world: Any) -> list[str]:
    return [one.id for one in world.search.page(OWNER, parse("status:binned"), limit=10).stored]


def listed(world: Any) -> list[str]:
    return [one.id for one in world.listed()]


def names(image: Image) -> set[str]:
    return {label.name for label in image.labels}


# ── removed, and put back ────────────────────────────────────────────────────────────────────
def test_a_removed_object_takes_its_image_into_the_bin(world: Any, image: Image) -> None:
    happen(world, remove(world, OLD))
    binned = world.images.get(OWNER, image.id)
    assert (binned.status, binned.missing, names(binned)) == ("binned", True, {"Cat", "Tiger"})
    assert (listed(world), in_bin(world), world.counts()) == ([], [image.id], {})
    assert world.objects.sidecars == {}
    world.clock.forward(31 * DAY)
    pipeline.sweep(world)
    assert world.images.find(OWNER, image.id) is None
    assert (world.objects.thumbnails, world.history.of(OWNER, image.id)) == ({}, [])


def test_without_a_bin_it_goes_at_once(world: Any, image: Image) -> None:
    world.with_settings(bin_days=0)
    happen(world, remove(world, OLD))
    assert world.images.find(OWNER, image.id) is None
    assert (listed(world), in_bin(world), world.objects.thumbnails) == ([], [], {})


def test_an_upload_of_the_apis_whose_object_is_removed_goes_the_same_way(world: Any) -> None:
    made = pipeline.take_in(CAT, NewImage(filename="cat.jpg"), "anna", world)
    happen(world, ObjectUploaded(made.key))
    happen(world, remove(world, made.key))
    assert world.images.get("anna", made.id).missing
    world.objects.put(made.key, CAT)
    happen(world, ObjectUploaded(made.key))
    assert world.images.get("anna", made.id).status == "labelled"


def test_the_same_bytes_under_the_key_bring_it_back_with_its_corrections(world: Any, image: Image) -> None:
    happen(world, remove(world, OLD))
    world.clock.forward(20 * DAY)
    happen(world, world.drop(OLD))
    back = world.image_at(OLD)
    assert (back.id, back.status, back.missing, names(back)) == (
        image.id,
        "labelled",
        False,
        {"Cat", "Tiger"},
    )
    assert (listed(world), in_bin(world), world.counts()) == ([image.id], [], {"cat": 1, "tiger": 1})
    assert len(world.recogniser.photos) == 1
    assert json.loads(json.dumps(world.objects.sidecars[sidecar_key(OLD)]))["restored_at"]
    assert thumbnail_key(OLD) in world.objects.thumbnails


def test_other_bytes_under_the_key_bring_it_back_and_are_labelled(world: Any, image: Image) -> None:
    happen(world, remove(world, OLD))
    world.recogniser = FakeRecogniser(Label("Rocket", 91.0))
    happen(world, world.drop(OLD, ROCKET))
    back = world.image_at(OLD)
    assert (back.id, back.status, names(back)) == (image.id, "labelled", {"Rocket", "Tiger"})


def test_after_its_days_in_the_bin_it_is_a_new_image(world: Any, image: Image) -> None:
    happen(world, remove(world, OLD))
    world.clock.forward(31 * DAY)
    pipeline.sweep(world)
    happen(world, world.drop(OLD))
    assert world.image_at(OLD).id != image.id
    assert names(world.image_at(OLD)) == {"Cat"}


def test_what_was_put_back_while_its_image_is_erased_stays(world: Any, image: Image) -> None:
    happen(world, remove(world, OLD))
    world.clock.forward(31 * DAY)
    world.objects.put(OLD, CAT)  # its event is on its way
    pipeline.sweep(world)
    assert world.objects.stored == {OLD: CAT}
    happen(world, ObjectUploaded(OLD))
    assert len(listed(world)) == 1


def test_a_removal_that_comes_late_or_twice_is_not_believed(world: Any, image: Image) -> None:
    removal = remove(world, OLD)
    happen(world, removal, removal)
    put = world.drop(OLD)
    happen(world, put)
    now = world.image_at(OLD)
    happen(world, removal, put, removal)
    assert world.image_at(OLD) == now
    assert (listed(world), in_bin(world)) == ([image.id], [])


def test_the_removal_of_an_older_version_changes_nothing(world: Any, image: Image) -> None:
    happen(world, dataclasses.replace(ObjectUploaded(OLD, removed=True), sequencer="00"))
    assert world.image_at(OLD) == image


def test_a_photo_removed_while_it_is_labelled_leaves_no_image_behind(world: Any) -> None:
    uploaded = world.drop(OLD)

    def lose() -> None:
        pipeline.label_image(remove(world, OLD), world)

    world.recogniser = FakeRecogniser(Label("Cat", 93.0), before=lose)
    happen(world, uploaded)
    assert (listed(world), len(in_bin(world)), world.objects.sidecars) == ([], 1, {})


@pytest.mark.parametrize(
    "key", ["exports/a.zip", "metadata/cat.jpg.json", "thumbnails/cat.jpg.jpg", "uploads/.DS_Store"]
)
def test_what_is_removed_elsewhere_is_nobodys_business(world: Any, image: Image, key: str) -> None:
    pipeline.label_or_leave(s3_event(ObjectUploaded(key, removed=True)), world)
    assert world.uploads_queue.messages == []


@pytest.mark.parametrize("permanent", [False, True])
def test_our_own_removals_are_not_heard_as_the_owners(world: Any, image: Image, permanent: bool) -> None:
    pipeline.delete_image(OWNER, image.id, world, permanent=permanent)
    world.project()
    world.table.transactions.clear()
    world.objects.stored.pop(OLD, None)
    happen(world, ObjectUploaded(OLD, removed=True))
    assert world.table.transactions == []


def test_what_a_person_deleted_comes_back_if_its_key_is_written_anew(world: Any, image: Image) -> None:
    pipeline.delete_image(OWNER, image.id, world)
    happen(world, ObjectUploaded(OLD))  # late
    assert in_bin(world) == [image.id]
    world.clock.forward(60)
    happen(world, world.drop(OLD))
    assert (listed(world), names(world.image_at(OLD))) == ([image.id], {"Cat", "Tiger"})


@pytest.mark.parametrize(("put_after", "back"), [(0.3, True), (-0.1, False)])
def test_within_the_second_of_a_deletion_the_event_tells_which_was_first(
    world: Any, image: Image, put_after: float, back: bool
) -> None:
    world.clock.forward(0.2 - world.clock() % 1 + 1)
    pipeline.delete_image(OWNER, image.id, world)
    world.clock.forward(put_after)
    put = dataclasses.replace(world.drop(OLD), at=rfc3339(world.now()))
    world.clock.forward(60)
    happen(world, put)
    assert (listed(world), in_bin(world)) == (([image.id], []) if back else ([], [image.id]))


def test_an_upload_that_is_late_brings_no_deleted_image_back(world: Any) -> None:
    new = pipeline.await_upload(NewImage(), OWNER, world)
    pipeline.delete_image(OWNER, new.id, world)
    world.clock.forward(60)
    happen(world, world.drop(new.key))
    assert (listed(world), in_bin(world)) == ([], [new.id])


# ── renamed ──────────────────────────────────────────────────────────────────────────────────
def is_one(world: Any, image: Image, key: str = NEW) -> None:
    """The image is what it was, under its new key, and nothing else is left."""
    now = world.image_at(key)
    assert (now.id, now.key, now.filename) == (image.id, key, key.removeprefix("uploads/"))
    assert (now.status, now.labels, now.corrections) == ("labelled", image.labels, image.corrections)
    assert (listed(world), in_bin(world)) == ([image.id], [])
    assert world.counts() == {"cat": 1, "tiger": 1}
    assert set(world.objects.sidecars) == {sidecar_key(key)}
    assert set(world.objects.thumbnails) == {thumbnail_key(key)}
    assert world.images.find_by_key(OLD) is None
    assert {step.kind for step in world.history.of(OWNER, image.id)} >= {"recognised", "corrected"}
    assert list(repair(OWNER, world, mend=False)) == []


def test_copied_then_removed_it_stays_one_image(world: Any, image: Image) -> None:
    copied = world.drop(NEW)
    happen(world, copied)  # it looks like a duplicate
    happen(world, remove(world, OLD))
    is_one(world, image)
    assert world.image_at(NEW).result == image.result
    happen(world, copied, ObjectUploaded(OLD, removed=True))
    is_one(world, image)


def test_removed_then_copied_it_stays_one_image(world: Any, image: Image) -> None:
    copied = world.drop(NEW)
    happen(world, remove(world, OLD), copied)
    is_one(world, image)
    assert len(world.recogniser.photos) == 1


def test_where_the_original_has_gone_before_the_copy_is_seen_nothing_is_ever_missing(
    world: Any, image: Image
) -> None:
    copied, removed = world.drop(NEW), remove(world, OLD)
    happen(world, copied)
    is_one(world, image)
    assert world.image_at(NEW).result == image.result
    happen(world, removed)
    is_one(world, image)


# The object is copied first; then it is removed (R), and each event comes twice after what it tells of.
ORDERS = sorted({order for order in itertools.permutations("Rccrr") if order.index("R") < order.index("r")})


@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_a_rename_is_one_image_in_any_order_of_doubled_events(
    world: Any, image: Image, order: tuple[str, ...]
) -> None:
    copied = world.drop(NEW)
    for step in order:
        if step == "R":
            world.objects.stored.pop(OLD)
        else:
            happen(world, copied if step == "c" else ObjectUploaded(OLD, removed=True))
    is_one(world, image)


def test_a_copy_that_is_indexed_late_is_found_at_the_second_look(world: Any, image: Image) -> None:
    pipeline.label_image(world.drop(NEW), world)  # and not projected
    pipeline.label_image(remove(world, OLD), world)
    assert world.images.get(OWNER, image.id).missing
    world.clock.forward(LOOK_AGAIN_SECONDS + 1)
    world.project()
    pipeline.sweep(world)
    pipeline.label_messages(sqs(world.uploads_queue.messages.pop()), world)
    world.project()
    is_one(world, image)


def swept(world: Any) -> None:
    world.project()
    pipeline.sweep(world)
    while world.uploads_queue.messages:
        pipeline.label_messages(sqs(world.uploads_queue.messages.pop()), world)
    world.project()


@pytest.mark.parametrize("hours", [1, 24])
def test_a_copy_that_is_labelled_hours_later_is_found_all_the_same(
    world: Any, image: Image, hours: int
) -> None:
    """Its worker died, or the table's stream was held up."""
    pipeline.label_image(world.drop(NEW), world)  # and not projected
    removal = remove(world, OLD)
    pipeline.label_image(removal, world)
    waiting = [world._feed.due()]
    for _ in range(hours * 6):
        world.clock.forward(600)
        pipeline.sweep(world)
        while world.uploads_queue.messages:
            pipeline.label_messages(sqs(world.uploads_queue.messages.pop()), world)
    assert world.images.get(OWNER, image.id).missing
    world._feed.put_back(waiting[0])
    for _ in range(2 * hours):
        world.clock.forward(2 * 3600)
        swept(world)
    is_one(world, image)


def test_who_is_still_missing_after_two_days_waits_for_the_end(world: Any, image: Image) -> None:
    happen(world, remove(world, OLD))
    looks = 0
    for _ in range(3 * 24 * 6):
        world.clock.forward(600)
        pipeline.sweep(world)
        looks += len(world.uploads_queue.messages)
        while world.uploads_queue.messages:
            pipeline.label_messages(sqs(world.uploads_queue.messages.pop()), world)
    record = world.images.find(OWNER, image.id)
    assert (record.image.missing, record.due_at, looks) == (True, record.image.erases_at, 5)


def sqs(message: Any) -> Any:
    return {"Records": [{"messageId": "1", "receiptHandle": "r", "body": json.dumps(message)}]}


def test_an_upload_of_the_apis_is_followed_to_its_new_key_and_keeps_its_id(world: Any) -> None:
    made = pipeline.take_in(CAT, NewImage(filename="cat.jpg"), OWNER, world)
    happen(world, ObjectUploaded(made.key))
    copied = world.drop(NEW)
    happen(world, copied, remove(world, made.key))
    now = world.image_at(NEW)
    assert (now.id, now.filename, listed(world)) == (made.id, "pets/tabby.jpg", [made.id])
    pipeline.relabel(OWNER, made.id, Asked(), world)
    happen(world, ObjectUploaded(NEW))
    assert world.images.get(OWNER, made.id).status == "labelled"
    world.objects.put(made.key, CAT)  # somebody has kept the address
    happen(world, ObjectUploaded(made.key))
    assert listed(world) == [made.id]


def test_the_copys_sidecar_may_come_after_the_images_and_does_not_stay(world: Any, image: Image) -> None:
    """The table's stream has several shards, and no order between them."""
    pipeline.label_image(world.drop(NEW), world)
    copys = records_of(world)
    whole = world.objects.write_sidecar

    def fail(*_: Any) -> None:
        raise Unavailable("S3 did not answer.")

    world.objects.write_sidecar = fail  # after the entries have been written
    assert pipeline.project({"Records": copys}, world)["batchItemFailures"]
    world.objects.write_sidecar = whole
    pipeline.label_image(remove(world, OLD), world)
    moved = records_of(world)
    of_image = [one for one in moved if image.id in one["dynamodb"]["Keys"]["pk"]["S"]]
    of_copy = [one for one in moved if one not in of_image]

    for records in (of_image, copys, of_copy):
        assert pipeline.project({"Records": records}, world) == {"batchItemFailures": []}

    is_one(world, image)
    assert world.objects.sidecars[sidecar_key(NEW)]["id"] == image.id


def records_of(world: Any) -> list[Any]:
    return [record for event in world.changes() for record in event["Records"]]


def test_renamed_twice_in_a_row_it_is_still_one(world: Any, image: Image) -> None:
    between = world.drop("uploads/between.jpg")
    first = remove(world, OLD)
    last = world.drop(NEW)
    second = remove(world, "uploads/between.jpg")
    happen(world, between, last, first, second)
    is_one(world, image)


def test_renamed_back_it_is_under_its_first_key_again(world: Any, image: Image) -> None:
    happen(world, world.drop(NEW), remove(world, OLD))
    happen(world, world.drop(OLD), remove(world, NEW))
    assert (world.image_at(OLD).id, listed(world)) == (image.id, [image.id])
    assert world.images.find_by_key(NEW) is None


def test_the_first_key_can_be_used_for_another_photo(world: Any, image: Image) -> None:
    happen(world, world.drop(NEW), remove(world, OLD))
    world.recogniser = FakeRecogniser(Label("Rocket", 91.0))
    happen(world, world.drop(OLD, ROCKET))
    assert {one.filename: names(one) for one in world.listed()} == {
        "pets/tabby.jpg": {"Cat", "Tiger"},
        "cat.jpg": {"Rocket"},
    }


def test_two_photos_that_are_alike_stay_two_images(world: Any, image: Image) -> None:
    happen(world, world.drop(NEW))
    other = world.image_at(NEW).id
    world.clock.forward(COPIED_SECONDS + 1)
    happen(world, remove(world, OLD))
    assert (listed(world), in_bin(world)) == ([other], [image.id])


def test_a_copy_that_a_person_has_corrected_stays_an_image_of_its_own(world: Any, image: Image) -> None:
    happen(world, world.drop(NEW))
    other = world.image_at(NEW).id
    pipeline.correct(OWNER, other, [LabelEdit("Lion", True)], world)
    happen(world, remove(world, OLD))
    assert (listed(world), in_bin(world)) == ([other], [image.id])


def test_a_copy_while_the_original_is_there_is_another_image(world: Any, image: Image) -> None:
    happen(world, world.drop(NEW))
    assert len(listed(world)) == 2
    assert world.image_at(NEW).copied_from == image.id


def test_another_owners_photo_is_not_followed(world: Any) -> None:
    made = pipeline.take_in(CAT, NewImage(), "anna", world)
    happen(world, ObjectUploaded(made.key))
    happen(world, remove(world, made.key), world.drop(NEW))
    assert world.images.get("anna", made.id).missing
    assert world.image_at(NEW).owner == OWNER


def test_what_was_deleted_by_a_person_is_not_brought_back_by_a_copy(world: Any, image: Image) -> None:
    pipeline.delete_image(OWNER, image.id, world)
    copied = world.drop(NEW)
    happen(world, remove(world, OLD), copied)
    assert in_bin(world) == [image.id]
    assert names(world.image_at(NEW)) == {"Cat"}


# ── when it is looked at ─────────────────────────────────────────────────────────────────────
def test_the_buckets_trigger_leaves_a_removal_on_the_queue_for_a_while(world: Any, image: Image) -> None:
    pipeline.label_or_leave(s3_event(remove(world, OLD)), world)
    assert (listed(world), world.uploads_queue.delays[-1]) == ([image.id], 5.0)
    pipeline.label_messages(sqs(world.uploads_queue.messages[-1]), world)
    assert listed(world) == []


def test_a_removal_that_comes_through_the_queue_waits_until_its_copy_can_be_seen(
    world: Any, image: Image
) -> None:
    removal = dataclasses.replace(remove(world, OLD), at=rfc3339(world.now()))
    with pytest.raises(Busy):
        pipeline.label_image(removal, world)
    answer = pipeline.label_messages(sqs(s3_event(removal)), world)
    assert (len(answer["batchItemFailures"]), listed(world)) == (1, [image.id])
    world.clock.forward(5)
    assert pipeline.label_messages(sqs(s3_event(removal)), world) == {"batchItemFailures": []}
    assert listed(world) == []


# ── who is told ──────────────────────────────────────────────────────────────────────────────
def test_a_removal_and_a_return_are_told_to_who_asked_and_a_rename_is_told_nobody(world: Any) -> None:
    types = tuple(f"sightline.image.{one}" for one in ("labelled", "deleted", "restored"))
    asked = Subscription(
        new_id(), OWNER, "https://hook.example/in", "2026-01-01T00:00:00Z", event_types=types
    )
    world.subscriptions.create(asked)
    happen(world, world.drop(OLD))
    mail = Mail(world)
    mail.run()
    copied, removed = world.drop(NEW), remove(world, OLD)
    happen(world, copied, removed)
    mail.run()
    happen(world, remove(world, NEW))
    mail.run()
    happen(world, world.drop(NEW))
    mail.run()
    told = [
        one.event_type.rpartition(".")[2] for one in sorted(mail.log(asked.id), key=lambda one: one.result)
    ]
    assert told == ["labelled", "deleted", "restored"]


# ── the audit ────────────────────────────────────────────────────────────────────────────────
def mended(world: Any) -> list[str]:
    world.project()
    found = [one.what for one in repair(OWNER, world, mend=True)]
    while message := world.next_message():
        pipeline.label_messages(sqs(message), world)
        world.project()
    return found


def test_the_repair_compares_bucket_and_records_both_ways(world: Any, image: Image) -> None:
    world.objects.put("uploads/untold.jpg", ROCKET)
    world.objects.put("uploads/.DS_Store", b"")
    world.objects.put("uploads/~anna/01JCX000000000000000000000", CAT)
    world.objects.stored.pop(OLD)
    world.project()
    found = sorted(f"{one.what}: {one.term}" for one in repair(OWNER, world, mend=False))
    assert found == [
        "object that its record does not know: uploads/untold.jpg",
        f"record without its object: {OLD}",
    ]
    assert listed(world) == [image.id]
    assert len(mended(world)) == 2
    assert (in_bin(world), [one.filename for one in world.listed()]) == ([image.id], ["untold.jpg"])
    assert mended(world) == []


def test_the_repair_finds_what_was_overwritten_or_put_back_unheard(world: Any, image: Image) -> None:
    world.objects.put(OLD, ROCKET)
    assert mended(world) == ["object that its record does not know"]
    happen(world, remove(world, OLD))
    world.objects.put(OLD, ROCKET)
    assert mended(world) == ["object that its record does not know"]
    assert listed(world) == [image.id]
    assert mended(world) == []


def test_the_repair_leaves_deleted_images_alone_and_removes_what_is_left_of_erased_ones(world: Any) -> None:
    made = [pipeline.take_in(CAT, NewImage(), OWNER, world) for _ in range(2)]
    happen(world, *(ObjectUploaded(one.key) for one in made))
    pipeline.delete_image(OWNER, made[0].id, world)
    pipeline.delete_image(OWNER, made[1].id, world, permanent=True)
    world.objects.put(made[1].key, CAT)
    assert mended(world) == ["object that its record does not know"]
    assert set(world.objects.stored) == {made[0].key}
    assert mended(world) == []


def test_a_key_of_the_apis_that_is_put_again_after_erasing_stays_erased(world: Any) -> None:
    made = pipeline.take_in(CAT, NewImage(), OWNER, world)
    happen(world, ObjectUploaded(made.key))
    pipeline.delete_image(OWNER, made.id, world, permanent=True)
    happen(world, world.drop(key_for(OWNER, made.id)))
    with pytest.raises(NotFound):
        world.images.get(OWNER, made.id)


def test_an_upload_that_was_removed_for_its_size_is_not_missed(world: Any) -> None:
    world.with_settings(max_image_bytes=10)
    made = pipeline.take_in(CAT, NewImage(), OWNER, world)
    happen(world, ObjectUploaded(made.key), ObjectUploaded(made.key, removed=True))
    assert (world.objects.stored, world.images.get(OWNER, made.id).status) == ({}, "failed")
    assert mended(world) == []


def test_a_missing_image_is_not_known_by_its_bytes(world: Any, image: Image) -> None:
    digest = str(image.sha256)
    world.project()
    assert set(pipeline.known_by([digest], OWNER, world)) == {digest}
    happen(world, remove(world, OLD))
    assert pipeline.known_by([digest], OWNER, world) == {}


def test_a_removal_that_is_told_days_late_still_finds_its_copy(world: Any, image: Image) -> None:
    happen(world, world.drop(NEW))
    removal = dataclasses.replace(remove(world, OLD), at=rfc3339(world.now()))
    world.clock.forward(2 * DAY)
    happen(world, removal)
    is_one(world, image)
