"""The sweep: what is still due is told of once, whatever else lies in the index.

Holds `chalicelib/due.py`.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery import delivery_log
from chalicelib.due import DueIndex, put_offs_of
from chalicelib.expressions import Item, Key, Update, Value
from chalicelib.ids import new_id
from chalicelib.library.images import QUEUE_SECONDS, SHARDS
from chalicelib.library.record import key_for, record_key
from chalicelib.model import Image, ObjectUploaded
from chalicelib.pipeline.batches import event_of
from chalicelib.pipeline.sweeper import BACKLOG, HELD_FOR, KINDS
from tests.fakes.mail import Mail

DAY = 86_400
IDS = ("01JCX000000000000000000001", "01JCX000000000000000000002")


def waiting_image(world: Any, image_id: str = IDS[0]) -> Key:
    """An image whose event was lost."""
    image = Image(image_id, "default", key_for("default", image_id), "labelling", "a.jpg", "2026-01-01")
    world.images.create(image)
    return record_key("default", image_id)


def a_delivery(world: Any) -> Key:
    """A delivery whose message was lost."""
    pipeline.label_image(world.drop("uploads/cat.jpg"), world)
    Mail(world).announce()
    [message] = world.deliveries_queue.messages
    world.deliveries_queue.messages.clear()
    return delivery_log.key_of("default", message["delivery_id"])


def a_job(world: Any) -> Key:
    """A job whose message was lost."""
    job = pipeline.start("default", "correct", {"q": "", "add": ["Pet"], "remove": []}, world)
    world.jobs_queue.messages.clear()
    return Key(f"default#job#{job.id}", "job")


MADE = {"image": waiting_image, "job": a_job, "delivery": a_delivery}


def queue_of(world: Any, kind: str) -> Any:
    return {"image": world.uploads_queue, "job": world.jobs_queue, "delivery": world.deliveries_queue}[kind]


def spoil(world: Any, key: Key, **attributes: Value) -> None:
    world.table.write(Update(key, set=attributes))


def in_index(world: Any, key: Key) -> bool:
    return "due_at" in (world.table.get(key) or {})


@pytest.mark.parametrize("kind", MADE)
def test_what_lost_its_message_gets_one_and_another_only_later_and_later(world: Any, kind: str) -> None:
    MADE[kind](world)
    world.clock.forward(QUEUE_SECONDS + 1)
    sent_at: list[float] = []
    began = world.clock()
    for _ in range(3 * 60):  # minutes
        pipeline.sweep(world)
        if queue_of(world, kind).messages:
            queue_of(world, kind).messages.clear()
            sent_at.append((world.clock() - began) / 60)
        world.clock.forward(60)
    assert sent_at == [0, 6, 18, 42, 90]


@pytest.mark.parametrize("kind", MADE)
def test_of_two_sweeps_at_once_one_sends(world: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MADE[kind](world)
    world.clock.forward(QUEUE_SECONDS + 1)
    read = DueIndex.read

    def read_while_another_sweeps(index: DueIndex, key: Key) -> Item | None:
        item = read(index, key)
        with monkeypatch.context() as patched:
            patched.setattr(DueIndex, "read", read)
            pipeline.sweep(world)
        return item

    monkeypatch.setattr(DueIndex, "read", read_while_another_sweeps)
    pipeline.sweep(world)
    assert len(queue_of(world, kind).messages) == 1


def test_what_a_minute_is_too_short_for_is_seen_to_in_the_next_ones_and_keeps_nothing_else_waiting(
    world: Any,
) -> None:
    images = [waiting_image(world, new_id()) for _ in range(400)]
    a_delivery(world)
    world.clock.forward(QUEUE_SECONDS + 1)
    spent: list[float] = []
    send = world.uploads_queue.send

    def send_slowly(*message: Any, **rest: Any) -> None:
        spent.append(1.0)
        send(*message, **rest)

    world.uploads_queue.send = send_slowly
    told: list[Any] = []
    for _ in KINDS:
        spent.clear()
        pipeline.sweep(world, lambda: 60 - sum(spent))
        assert 0 < sum(spent) <= 60
        told += world.uploads_queue.messages
        world.uploads_queue.messages.clear()
        world.clock.forward(60)
    assert len(world.deliveries_queue.messages) == 1
    world.clock.forward(-10)  # the first have been put off for six minutes
    pipeline.sweep(world)
    told += world.uploads_queue.messages
    assert len({json.dumps(message) for message in told}) == len(told) == len(images)


def test_who_is_at_work_is_let_be(world: Any) -> None:
    key = waiting_image(world)
    spoil(world, key, lease_until=world.clock() + QUEUE_SECONDS + 30)
    delivery = a_delivery(world)
    world.deliveries.claim(world.deliveries.read(delivery))
    world.clock.forward(61)
    pipeline.sweep(world)
    assert world.deliveries_queue.messages == []
    world.clock.forward(30)
    pipeline.sweep(world)
    assert len(world.deliveries_queue.messages) == 1
    world.clock.forward(QUEUE_SECONDS - 90)
    pipeline.sweep(world)
    assert world.uploads_queue.messages == []
    world.clock.forward(31)
    pipeline.sweep(world)
    assert len(world.uploads_queue.messages) == 1


@pytest.mark.parametrize("kind", MADE)
def test_while_its_queue_is_backed_up_nothing_is_sent_twice_but_not_for_ever(world: Any, kind: str) -> None:
    MADE[kind](world)
    queue = queue_of(world, kind)
    queue.waiting = BACKLOG
    world.clock.forward(QUEUE_SECONDS + 1)
    for _ in range(HELD_FOR):
        pipeline.sweep(world)
        assert queue.messages == []
        world.clock.forward(3600)
    pipeline.sweep(world)
    assert len(queue.messages) == 1


def test_what_is_settled_leaves_the_index(world: Any) -> None:
    key = a_delivery(world)
    image = record_key("default", world.image_at("uploads/cat.jpg").id)
    for one, shard in ((key, "delivery#0"), (image, SHARDS[0])):
        spoil(world, one, due_shard=shard, due_at="2020-01-01T00:00:00.000Z")
    delivery = world.deliveries.read(key)
    world.table.write(Update(key, set=world.deliveries.cancel(delivery, "For a test.").to_item()))
    spoil(world, key, due_shard="delivery#0", due_at="2020-01-01T00:00:00.000Z")
    pipeline.sweep(world)
    assert (in_index(world, key), in_index(world, image)) == (False, False)
    assert (world.deliveries_queue.messages, world.uploads_queue.messages) == ([], [])


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("image", {"lease_until": "soon"}),
        ("image", {"lease_until": 1e300}),
        ("image", {"put_offs": 10**300}),
        ("image", {"put_offs": "many"}),
        ("job", {"job": "no JSON"}),
        ("delivery", {"delivery": "{}"}),
        ("delivery", {"put_offs": -5}),
    ],
)
def test_a_row_that_makes_no_sense_holds_up_nobody_and_comes_back_later(
    world: Any, kind: str, attributes: dict[str, Any]
) -> None:
    spoil(world, MADE[kind](world), **attributes)
    waiting_image(world, IDS[1])
    world.clock.forward(QUEUE_SECONDS + 1)
    with contextlib.suppress(ValueError, KeyError):  # of a row that cannot be read, which is felt
        pipeline.sweep(world)
    assert event_of(ObjectUploaded(key_for("default", IDS[1]))) in world.uploads_queue.messages
    left = [key for one in KINDS for key in world.due.keys(one.shards)]
    assert left == []


def test_a_hundred_rows_that_cannot_be_read_hide_no_other_of_their_shard(world: Any) -> None:
    for number in range(150):
        key = Key(f"default#job#{number:026}", "job")
        spoil(world, key, due_shard="job", due_at="2020-01-01T00:00:00.000Z", job="no JSON")
    a_job(world)
    world.clock.forward(QUEUE_SECONDS + 1)
    for _ in range(3):
        with pytest.raises(json.JSONDecodeError):
            pipeline.sweep(world)
        if world.jobs_queue.messages:
            break
    assert len(world.jobs_queue.messages) == 1


def test_a_counter_may_hold_anything() -> None:
    assert [put_offs_of({"put_offs": one}) for one in (3, "x", -1, 10**9)] == [3, 0, 0, 0]
    assert put_offs_of({}) == 0
