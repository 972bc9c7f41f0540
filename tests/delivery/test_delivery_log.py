"""The delivery log as it is stored, in memory and in DynamoDB as moto emulates it.

Holds `chalicelib/delivery/delivery.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.delivery.delivery import KEPT_ATTEMPTS, Attempt, Delivery
from chalicelib.delivery.delivery_log import SHARDS, Deliveries, by_destination, by_image, key_of
from chalicelib.delivery.destinations import Place
from chalicelib.due import DueIndex
from chalicelib.errors import Conflict, Superseded
from chalicelib.ids import rfc3339
from chalicelib.table import Table
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable
from tests.ground.test_table import NAME, moto  # noqa: F401 - a fixture

ANSWER = Attempt("2026-03-01T09:30:00.000Z", 503, 12, "busy")


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Log(Deliveries):
    """The log, with every delivery that is opened listed, as the fan-out does it."""

    def open(self, delivery: Delivery) -> Delivery:
        opened = super().open(delivery)
        self._table.write_many(self.entries([opened]))
        return opened


@pytest.fixture(params=["fake", "moto"])
def log(request: pytest.FixtureRequest, clock: Clock) -> Deliveries:
    table: Any = FakeTable()
    if request.param == "moto":
        table = Table(request.getfixturevalue("moto"), NAME, sleep=lambda seconds: None)
    return Log(table, clock)


def a_delivery(number: int = 1, destination: str = "integration") -> Delivery:
    place = Place("https://partner.example", "0" * 32)
    return Delivery.of("default", f"image-{number}", 1, "sightline.image.labelled", destination, place)


class TestDeliveries:
    def test_a_delivery_is_opened_once(self, log: Deliveries, clock: Clock) -> None:
        first = log.open(a_delivery())
        clock.forward(60)
        assert log.open(a_delivery()) == first == log.find("default", first.id)

    def test_of_two_workers_that_read_the_same_one_may_begin(self, log: Deliveries) -> None:
        delivery = log.open(a_delivery())
        log.claim(delivery)
        with pytest.raises(Superseded):
            log.claim(delivery)

    def test_a_worker_that_took_too_long_changes_nothing_any_more(
        self, log: Deliveries, clock: Clock
    ) -> None:
        slow = log.claim(log.open(a_delivery()))
        clock.forward(91)
        assert log.is_due(slow)
        log.mark_delivered(log.claim(slow), ANSWER, "R-1")
        with pytest.raises(Superseded):
            log.plan(slow, ANSWER, 5)
        assert log.get("default", slow.id).status == "delivered"

    def test_it_is_found_by_its_image_and_its_destination_newest_first(
        self, log: Deliveries, clock: Clock
    ) -> None:
        made = []
        for number in range(5):
            clock.forward(1)
            made.append(log.open(a_delivery(number)))
        other = log.open(a_delivery(4, "callback"))
        first = log.page("default", by_destination("integration"), limit=3, after=None)
        rest = log.page("default", by_destination("integration"), limit=3, after=first.next_after)
        assert [*first.deliveries, *rest.deliveries] == made[::-1]
        assert rest.next_after is None
        both = log.page("default", by_image("image-4"), limit=9, after=None)
        assert {one.id for one in both.deliveries} == {made[-1].id, other.id}
        assert log.page("somebody", by_image("image-4"), limit=9, after=None).deliveries == ()

    def test_it_is_among_the_parked_only_while_it_is_parked(self, log: Deliveries, clock: Clock) -> None:
        parked = log.park(log.open(a_delivery()), "It was refused.")
        listing = by_destination("integration", parked=True)
        assert log.page("default", listing, limit=9, after=None).deliveries == (parked,)
        made_at = parked.created_at
        assert log.page("default", listing, limit=9, after=None, until=made_at).deliveries == (parked,)
        before = rfc3339(clock() - 1)
        assert log.page("default", listing, limit=9, after=None, until=before).deliveries == ()
        log.renew(parked)
        assert log.page("default", listing, limit=9, after=None).deliveries == ()

    def test_what_waits_is_due_when_its_time_has_come_and_what_is_settled_never(
        self, log: Deliveries, clock: Clock
    ) -> None:
        waiting = log.plan(log.claim(log.open(a_delivery(1))), ANSWER, 3600)
        log.mark_delivered(log.claim(log.open(a_delivery(2))), ANSWER, None)
        due = DueIndex(log._table, clock)
        clock.forward(3599)
        assert list(due.keys(SHARDS)) == []
        clock.forward(1)
        assert list(due.keys(SHARDS)) == [key_of("default", waiting.id)]

    def test_what_is_settled_cannot_be_renewed(self, log: Deliveries) -> None:
        with pytest.raises(Conflict):
            log.renew(log.cancel(log.open(a_delivery()), "The image was deleted."))

    def test_of_very_many_attempts_the_latest_are_kept(self, log: Deliveries) -> None:
        delivery = log.open(a_delivery())
        for number in range(KEPT_ATTEMPTS + 5):
            attempt = Attempt(rfc3339(number), 503, 12, "x" * 1024)
            delivery = log.plan(log.claim(delivery), attempt, 0)
        kept = log.get("default", delivery.id).attempts
        assert [one.at for one in kept] == [rfc3339(number + 5) for number in range(KEPT_ATTEMPTS)]
