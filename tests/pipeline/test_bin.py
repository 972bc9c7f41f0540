"""The bin (chalicelib/pipeline/bin): what the sweep erases, what a labeler leaves alone, who is told."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import NotFound
from chalicelib.ids import new_id
from chalicelib.library.index import BINNED, partition
from chalicelib.library.query import parse
from chalicelib.model import Label
from chalicelib.pipeline.curation import LabelEdit
from tests.fakes.mail import Mail
from tests.fakes.recogniser import FakeRecogniser

KEY = "uploads/cat.jpg"
OWNER = "default"
DAY = 86_400
ALL_TYPES = tuple(
    f"sightline.image.{one}" for one in ("labelled", "failed", "corrected", "deleted", "restored")
)


def labelled(world: Any) -> str:
    pipeline.label_image(world.drop(KEY), world)
    return str(world.image_at(KEY).id)


def binned(world: Any) -> str:
    image_id = labelled(world)
    pipeline.delete_image(OWNER, image_id, world)
    return image_id


def in_bin(world: Any) -> list[str]:
    return [one.id for one in world.search.page(OWNER, parse("status:binned"), limit=10).stored]


def test_the_sweep_erases_what_has_been_in_the_bin_long_enough_and_not_before(world: Any) -> None:
    image_id = binned(world)
    world.clock.forward(30 * DAY - 60)
    pipeline.sweep(world)
    assert in_bin(world) == [image_id]
    world.clock.forward(120)
    pipeline.sweep(world)
    assert world.images.find(OWNER, image_id) is None
    assert world.objects.stored == {}
    assert (in_bin(world), world.objects.thumbnails, world.history.of(OWNER, image_id)) == ([], {}, [])
    assert world.table.query(partition(OWNER, BINNED), limit=10) == []


def test_what_was_restored_in_time_is_not_erased(world: Any) -> None:
    image_id = binned(world)
    pipeline.restore_image(OWNER, image_id, world)
    world.clock.forward(31 * DAY)
    pipeline.sweep(world)
    assert world.image_at(KEY).status == "labelled"
    assert KEY in world.objects.stored


def test_what_is_about_to_be_erased_cannot_be_restored(world: Any) -> None:
    image_id = binned(world)
    world.clock.forward(30 * DAY)
    with pytest.raises(NotFound):
        pipeline.restore_image(OWNER, image_id, world)


def test_an_erasure_that_a_crash_cut_off_is_finished_by_the_sweep(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = labelled(world)

    def die(key: str) -> None:
        raise SystemExit

    monkeypatch.setattr(world.objects, "delete", die)
    with pytest.raises(SystemExit):
        pipeline.delete_image(OWNER, image_id, world, permanent=True)
    monkeypatch.undo()
    world.clock.forward(1)
    pipeline.sweep(world)
    assert world.images.find(OWNER, image_id) is None
    assert world.objects.stored == {}


def test_a_late_or_doubled_event_leaves_the_bin_alone(world: Any) -> None:
    uploaded = world.drop(KEY)
    pipeline.label_image(uploaded, world)
    image_id = world.image_at(KEY).id
    pipeline.delete_image(OWNER, image_id, world)
    for late in (uploaded, dataclasses.replace(uploaded, etag="", sequencer="")):
        pipeline.label_image(late, world)
    assert (in_bin(world), world.listed()) == ([image_id], ())
    assert len(world.recogniser.photos) == 1


def test_an_image_binned_while_it_is_recognised_stays_there_and_its_call_is_counted(world: Any) -> None:
    uploaded = world.drop(KEY)

    def delete() -> None:
        pipeline.delete_image(OWNER, world.image_at(KEY).id, world)

    world.recogniser = FakeRecogniser(Label("Cat", 93.0), before=delete)
    pipeline.label_image(uploaded, world)
    image = world.image_at(KEY)
    assert (image.status, image.result, world.listed()) == ("binned", 0, ())
    assert [dict(day.calls) for day in world.usage.days(OWNER, "2000", "3000", most=9)] == [{"fake": 1}]
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    pipeline.restore_image(OWNER, image.id, world)
    pipeline.label_messages(sqs(world.uploads_queue.messages[-1]), world)
    assert [one.id for one in world.listed()] == [image.id]


def sqs(message: Any) -> Any:
    return {"Records": [{"messageId": "1", "receiptHandle": "r", "body": json.dumps(message)}]}


def test_a_list_goes_by_the_record_where_the_index_is_behind(world: Any) -> None:
    image_id = labelled(world)
    search = world.search
    pipeline.delete_image(OWNER, image_id, world)
    assert search.page(OWNER, parse("cat"), limit=10).stored == ()
    world.project()
    pipeline.restore_image(OWNER, image_id, world)
    assert search.page(OWNER, parse("status:binned"), limit=10).stored == ()


def test_a_binned_image_is_no_source_of_copies(world: Any) -> None:
    image_id = labelled(world)
    pipeline.label_image(world.drop("uploads/other.jpg"), world)
    assert world.image_at("uploads/other.jpg").copied_from == image_id
    pipeline.delete_image(OWNER, image_id, world)
    pipeline.label_image(world.drop("uploads/third.jpg"), world)
    assert world.image_at("uploads/third.jpg").copied_from is None


def test_labels_that_were_renamed_meanwhile_have_their_new_names_when_it_comes_back(world: Any) -> None:
    image_id = binned(world)
    world.project()
    world.renames.add(OWNER, "Cat", "Kitty")
    pipeline.restore_image(OWNER, image_id, world)
    world.project()
    assert world.counts() == {"kitty": 1}


# ── who is told ──────────────────────────────────────────────────────────────────────────────
def subscribe(world: Any, **changes: Any) -> str:
    made = Subscription(new_id(), OWNER, "https://hook.example/in", "2026-01-01T00:00:00.000Z")
    subscription = dataclasses.replace(made, **changes)
    world.subscriptions.create(subscription)
    return subscription.id


def told(mail: Mail, destination: str) -> list[tuple[str, str]]:
    found = sorted(mail.log(destination), key=lambda one: one.result)
    return [(one.event_type.rpartition(".")[2], one.status) for one in found]


def test_only_who_asked_for_it_is_told_of_a_deletion_and_a_return(world: Any) -> None:
    asked = subscribe(world, event_types=ALL_TYPES)
    silent = subscribe(world)
    other = subscribe(world, event_types=ALL_TYPES, filter="dog")
    image_id = labelled(world)
    mail = Mail(world)
    mail.run()
    pipeline.delete_image(OWNER, image_id, world)
    mail.run()
    pipeline.restore_image(OWNER, image_id, world)
    mail.run()
    delivered = [("labelled", "delivered"), ("deleted", "delivered"), ("restored", "delivered")]
    assert told(mail, asked) == delivered
    assert told(mail, silent) == told(mail, "integration") == delivered[:1]
    assert told(mail, other) == []


@pytest.mark.parametrize("permanent", [False, True])
def test_of_a_deleted_image_nothing_is_told_that_was_seen_on_it(world: Any, permanent: bool) -> None:
    asked = subscribe(world, event_types=ALL_TYPES, filter="cat")
    image_id = labelled(world)
    mail = Mail(world)
    mail.run()
    pipeline.delete_image(OWNER, image_id, world, permanent=permanent)
    mail.run()
    assert told(mail, asked) == [("labelled", "delivered"), ("deleted", "delivered")]
    event = json.loads(world.outbound.posted[-1].body)
    assert (event["type"], event["subject"]) == ("sightline.image.deleted", image_id)
    assert (event["data"]["status"], event["data"]["labels"]) == ("binned", [])
    assert event["data"]["filename"] == ("" if permanent else "cat.jpg")


def test_erasing_what_is_in_the_bin_is_not_told_a_second_time(world: Any) -> None:
    asked = subscribe(world, event_types=ALL_TYPES)
    image_id = labelled(world)
    mail = Mail(world)
    mail.run()
    pipeline.delete_image(OWNER, image_id, world)
    mail.run()
    pipeline.delete_image(OWNER, image_id, world, permanent=True)
    mail.run()
    assert told(mail, asked) == [("labelled", "delivered"), ("deleted", "delivered")]


def test_a_deletion_that_was_taken_back_is_not_told(world: Any) -> None:
    asked = subscribe(world, event_types=("sightline.image.deleted",))
    image_id = labelled(world)
    mail = Mail(world)
    mail.run()
    pipeline.delete_image(OWNER, image_id, world)
    mail.announce()
    pipeline.restore_image(OWNER, image_id, world)
    mail.run()
    assert told(mail, asked) == [("deleted", "cancelled")]


def test_a_result_that_waits_for_its_receiver_arrives_after_a_return(world: Any) -> None:
    image_id = labelled(world)
    mail = Mail(world)
    mail.announce()
    pipeline.delete_image(OWNER, image_id, world)
    pipeline.restore_image(OWNER, image_id, world)
    mail.run()
    assert told(mail, "integration") == [("labelled", "delivered")]


def test_a_result_whose_turn_comes_in_the_bin_is_parked_and_can_be_sent_after_a_return(world: Any) -> None:
    image_id = labelled(world)
    mail = Mail(world)
    mail.announce()
    pipeline.delete_image(OWNER, image_id, world)
    mail.run()
    assert told(mail, "integration") == [("labelled", "parked")]
    pipeline.restore_image(OWNER, image_id, world)
    [parked] = mail.log("integration")
    pipeline.send_again(parked, world)
    mail.run()
    assert told(mail, "integration") == [("labelled", "delivered")]


def test_a_correction_after_a_return_is_told_as_one(world: Any) -> None:
    asked = subscribe(world)
    image_id = binned(world)
    pipeline.restore_image(OWNER, image_id, world)
    pipeline.correct(OWNER, image_id, [LabelEdit("Tiger", True)], world)
    mail = Mail(world)
    mail.run()
    assert told(mail, asked)[-1] == ("corrected", "delivered")
