"""A standing backlog: thousands of deliveries wait, half of them for destinations that are dead.

The worker, its records and its messages are the service's own over the tests' table and queue in memory, so
that what is measured is delivering; the destinations are servers on real sockets. Twenty workers share the
queue, ten messages at a time. The living are to be reached no later than if all the others lived as well.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import pipeline
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.schedule import JITTER, WAITS
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.ids import new_id, rfc3339
from chalicelib.model import Json, Label
from chalicelib.outbound import Outbound
from tests.fakes.clock import Clock
from tests.fakes.mail import BATCH, sns_event, sqs_event
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World
from torture.crowd import photos
from torture.figures import Figures, at_least, exactly, noted
from torture.receivers import FAILING, HANGING, LIVING, REFUSING, Receivers, receivers

DELIVERIES = 10_000
LIVE = 20  # destinations, and as many dead ones of three kinds
DEAD = (REFUSING, HANGING, FAILING)
WORKERS = 20
DEADLINE_SECONDS = 2.0
FULL_SPEED = 0.8


class Now(Clock):
    """What time it really is."""

    def __call__(self) -> float:
        return time.time()


@dataclass(frozen=True)
class Drained:
    """What became of a backlog between two moments (seconds since 1970), by the log and by the receivers."""

    began: float
    ended: float
    deliveries: Sequence[Delivery]
    living: frozenset[str]
    came: Receivers

    @property
    def took(self) -> float:
        """Seconds until the last one arrived."""
        return max(_moment(one.settled_at) for one in self.deliveries if one.settled_at) - self.began

    @property
    def a_second(self) -> float:
        """How many arrived a second."""
        return sum(one.status == "delivered" for one in self.deliveries) / self.took

    def of_the_living(self, living: bool) -> list[Delivery]:
        """The deliveries to destinations that live, or to the others."""
        return [one for one in self.deliveries if (one.destination in self.living) is living]


def run(seed: int, scale: float) -> Figures:
    """Drain 10,000 deliveries for destinations that live, then as many of which half are for dead ones."""
    logging.getLogger("sightline").setLevel(logging.ERROR)  # else a line for each try that fails
    images = max(1, round(DELIVERIES * scale / (2 * LIVE)))
    dead = [DEAD[number % len(DEAD)] for number in range(LIVE)]
    alone = drained(seed, images, [LIVING] * 2 * LIVE)
    mixed = drained(seed, images, [LIVING] * LIVE + dead)
    return [
        noted("deliveries", len(mixed.deliveries)),
        noted("arrived a second, no destination dead", alone.a_second),
        noted("arrived a second, half of them dead", mixed.a_second),
        noted("until the last arrived, no destination dead", alone.took, "s"),
        noted("until the last arrived, half of them dead", mixed.took, "s"),
        at_least("speed of the queue with half of it dead", alone.took / mixed.took, FULL_SPEED, "times"),
        *_accounts(mixed, images * LIVE),
    ]


def _accounts(mixed: Drained, expected: int) -> Figures:
    arrived = [one for one in mixed.of_the_living(True) if one.status == "delivered"]
    planned = [one for one in mixed.of_the_living(False) if is_planned(one, mixed.ended)]
    return [
        exactly("arrived at the living", len(arrived), expected),
        exactly("as the living tell", mixed.came.ids[LIVING], expected),
        exactly("that came twice", mixed.came.repeated, 0),
        exactly("planned again for the dead", len(planned), expected),
        noted("times the dead were asked", mixed.came.posts[HANGING] + mixed.came.posts[FAILING]),
    ]


def is_planned(delivery: Delivery, ended: float) -> bool:
    """Whether a delivery had one try and waits for the second, by the schedule, and nobody is at it."""
    [attempt] = delivery.attempts
    earliest, latest = _moment(attempt.at) + WAITS[1] * (1 - JITTER), ended + WAITS[1] * (1 + JITTER)
    waits = delivery.status == "pending" and not delivery.lease_until and not attempt.under_way
    return waits and earliest <= delivery.next_attempt_at <= latest


def _moment(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def drained(seed: int, images: int, kinds: Sequence[str]) -> Drained:
    """What becomes of a backlog in which every image is told to destinations of these ``kinds``."""
    with receivers() as there:
        world = waiting(there, kinds, images, seed, Now(), DEADLINE_SECONDS)
        living = frozenset(one.id for one in world.subscriptions.all("default") if f"/{LIVING}/" in one.url)
        messages = list(world.deliveries_queue.messages)
        random.Random(seed).shuffle(messages)  # noqa: S311 - no secret
        began = world.now()
        drain(messages, world, WORKERS)
        ended = world.now()
    return Drained(began, ended, deliveries_of(world), living, there)


def deliveries_of(world: Any) -> list[Delivery]:
    """All that the log holds."""
    return [Delivery.from_item(item) for item in world.table.items_of_kind("delivery")]


def waiting(
    there: Receivers, kinds: Sequence[str], images: int, seed: int, clock: Clock, deadline: float
) -> Any:
    """A world in which so many images are labelled and everyone who subscribed is about to be told."""
    world: Any = World(clock, ALLOW_PRIVATE_URLS="true", UNCONFIRMED_PER_HOUR="0")
    world.with_settings(delivery_timeout_seconds=deadline)
    world.outbound = Outbound(allow_private=True, allowed_ports=frozenset())
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    for number, kind in enumerate(kinds):
        url = there.url(kind, number)
        pipeline.subscribe(Subscription(new_id(), "default", url, rfc3339(world.now())), world)
    photo = photos(seed)
    for number in range(images):
        pipeline.label_image(world.drop(f"uploads/{number}.png", photo(number)), world)
    pipeline.fan_out(sns_event(world.topic.published), world)
    return world


def drain(messages: Sequence[Json], world: Any, workers: int) -> None:
    """Let so many workers bring all messages, each message once."""
    batches = deque(sqs_event(messages[at : at + BATCH]) for at in range(0, len(messages), BATCH))

    def work() -> None:
        while batches:
            with contextlib.suppress(IndexError):  # another was faster
                pipeline.deliver(batches.popleft(), world)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
