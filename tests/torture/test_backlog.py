"""A backlog for living and dead destinations: the dead take no worker's time, and nothing is lost."""

from __future__ import annotations

from collections import Counter

import pytest

from chalicelib.delivery.breakers import OPENS_AT
from chalicelib.delivery.sender import BREAKER_OPEN
from tests.fakes.clock import Clock
from torture.backlog import deliveries_of, drain, is_planned, waiting
from torture.receivers import FAILING, HANGING, LIVING, REFUSING, receivers

IMAGES = 20
KINDS = [LIVING] * 8 + [HANGING, HANGING, FAILING, FAILING, REFUSING, REFUSING]
PATIENCE = (
    30.0  # seconds that one try may take: a single worker that waits for the dead takes a quarter of an hour
)


@pytest.mark.slow
def test_one_worker_reaches_all_the_living_beside_dead_ones_that_are_known() -> None:
    with receivers() as there:
        # Nobody's rest ends on a clock that stands still, so that no try at the dead is due.
        world = waiting(there, KINDS, IMAGES, seed=3, clock=Clock(), deadline=PATIENCE)
        kinds = {one.id: one.url.split("/")[3] for one in world.subscriptions.all("default")}
        for one in world.subscriptions.all("default"):
            for _ in range(OPENS_AT if kinds[one.id] != LIVING else 0):
                known = world.breakers.of("default", one.destination.place)
                world.breakers.count_failure("default", one.destination.place, known, may_pass=True)
        drain(list(world.deliveries_queue.messages), world, workers=1)

    deliveries = deliveries_of(world)
    assert Counter(kinds[one.destination] for one in deliveries) == Counter(KINDS * IMAGES)
    for one in deliveries:
        if kinds[one.destination] == LIVING:
            assert one.status == "delivered"
        else:
            assert is_planned(one, world.now())
            assert [attempt.error for attempt in one.attempts] == [BREAKER_OPEN]
    assert (there.posts, there.ids, there.repeated) == ({LIVING: 160}, {LIVING: 160}, 0)


@pytest.mark.slow
def test_dead_ones_are_asked_until_they_are_known_and_every_delivery_is_accounted_for() -> None:
    kinds = [LIVING] * 4 + [FAILING] * 4 + [REFUSING] * 2
    with receivers() as there:
        world = waiting(there, kinds, IMAGES, seed=4, clock=Clock(), deadline=PATIENCE)
        living = {one.id for one in world.subscriptions.all("default") if f"/{LIVING}/" in one.url}
        drain(list(world.deliveries_queue.messages), world, workers=1)

    deliveries = deliveries_of(world)
    assert len(deliveries) == 200
    assert all(one.status == "delivered" for one in deliveries if one.destination in living)
    assert all(is_planned(one, world.now()) for one in deliveries if one.destination not in living)
    # Those of one batch set out together, before any of them could know.
    assert 4 * OPENS_AT <= there.posts[FAILING] < 4 * (OPENS_AT + 2)
