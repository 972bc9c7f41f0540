"""Fan-out and worker.

One delivery for each destination, brought until it has arrived or is parked.

Holds `chalicelib/pipeline/fanout.py`, `chalicelib/pipeline/notifications.py`,
`chalicelib/pipeline/redelivery.py`, `chalicelib/pipeline/routing.py`.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.breakers import Breaker
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.delivery_log import key_of
from chalicelib.delivery.destinations import Destination
from chalicelib.delivery.sender import BREAKER_OPEN
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import Conflict, DeliveryFailed, Unavailable, UnusableUrl
from chalicelib.expressions import Key
from chalicelib.ids import new_id
from chalicelib.model import Label, NewImage, ObjectUploaded
from chalicelib.outbound.response import Headers, Reply
from chalicelib.pipeline.batches import FIRST_PAUSE
from chalicelib.pipeline.curation import LabelEdit
from tests.fakes.mail import Mail, sns_event, sqs_event
from tests.fakes.receiver import FakeReceiver, verify
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World

KEY = "uploads/cat.jpg"
PARTNER = "https://partner.example/labels"
HOOK = "https://hook.example/in"


@pytest.fixture
def world() -> Any:
    world: Any = World(INTEGRATION_URL=PARTNER)
    world.recogniser = FakeRecogniser(Label("Cat", 93.0, parents=("Animal",)))
    world.outbound = FakeReceiver()
    return world


@pytest.fixture
def mail(world: Any) -> Mail:
    """An image has been labelled and waits to be told of."""
    pipeline.label_image(world.drop(KEY), world)
    return Mail(world)


def subscribe(world: Any, **changes: Any) -> Subscription:
    made = Subscription(new_id(), "default", HOOK, "2026-01-01T00:00:00.000Z")
    subscription = dataclasses.replace(made, **changes)
    world.subscriptions.create(subscription)
    return subscription


def the_delivery(mail: Mail, destination: str = "integration") -> Delivery:
    [delivery] = mail.log(destination)
    return delivery


def correct(world: Any, name: str, *, present: bool) -> None:
    pipeline.correct("default", world.image_at(KEY).id, [LabelEdit(name, present)], world)


def statuses(delivery: Delivery) -> list[int | None]:
    return [attempt.status for attempt in delivery.attempts]


class TestWhoIsTold:
    def test_the_integration_server_gets_signed_xml(self, world: Any, mail: Mail) -> None:
        mail.run()
        [posted] = world.outbound.posted
        assert posted.url == PARTNER
        assert posted.body.startswith(b"<?xml")
        assert posted.headers["content-type"].startswith("application/xml")
        verify(world.keyring.get("default", "owner").current, posted.headers, posted.body, now=world.now())

    def test_without_an_integration_url_nobody_is_told(self, world: Any, mail: Mail) -> None:
        world.with_settings(integration_url="")
        mail.run()
        assert world.outbound.posted == []

    def test_while_the_servers_secret_cannot_be_read_nobody_is_forgotten(
        self, world: Any, mail: Mail
    ) -> None:
        world.with_settings(integration_url="secret:sightline-test-integration")
        with pytest.raises(Unavailable):
            mail.run()
        world.secrets.kept["sightline-test-integration"] = PARTNER
        mail.run()
        [posted] = world.outbound.posted
        assert posted.url == PARTNER

    def test_a_callback_gets_a_signed_event(self, world: Any) -> None:
        world.with_settings(integration_url="")
        taken = pipeline.take_in(CAT, NewImage(callback_url=HOOK), "default", world)
        pipeline.label_image(ObjectUploaded(taken.key), world)
        Mail(world).run()
        image = world.image_at(taken.key)
        [posted] = world.outbound.posted
        event = json.loads(posted.body)
        assert (event["specversion"], event["type"]) == ("1.0", "sightline.image.labelled")
        assert event["data"] == json.loads(json.dumps(image.document()))
        assert "owner" not in event
        verify(world.keyring.get("default", "owner").current, posted.headers, posted.body, now=world.now())

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({}, True),
            ({"filter": "animal & !dog"}, True),
            ({"filter": "dog"}, False),
            ({"filter": "cat@95"}, False),
            ({"event_types": ("sightline.image.failed",)}, False),
        ],
    )
    def test_a_subscription_is_told_of_what_it_asks_for(
        self, world: Any, mail: Mail, changes: dict[str, Any], told: bool
    ) -> None:
        subscription = subscribe(world, **changes)
        mail.run()
        assert [one.status for one in mail.log(subscription.id)] == ["delivered"] * told

    def test_a_subscription_may_have_xml_and_signs_with_a_secret_of_its_own(
        self, world: Any, mail: Mail
    ) -> None:
        subscription = subscribe(world, format="xml")
        mail.run()
        posted = next(one for one in world.outbound.posted if one.url == HOOK)
        assert posted.body.startswith(b"<?xml")
        secret = world.keyring.get("default", subscription.id).current
        assert secret != world.keyring.get("default", "owner").current
        verify(secret, posted.headers, posted.body, now=world.now())

    def test_the_integration_server_needs_one_secret_whoever_the_image_belongs_to(self, world: Any) -> None:
        image = pipeline.take_in(CAT, NewImage(callback_url=HOOK), "somebody", world)
        pipeline.label_image(ObjectUploaded(image.key), world)
        Mail(world).run()
        posted = {one.url: one for one in world.outbound.posted}
        for url, owner in ((PARTNER, "default"), (HOOK, "somebody")):
            secret = world.keyring.get(owner, "owner").current
            verify(secret, posted[url].headers, posted[url].body, now=world.now())

    def test_another_owners_subscription_is_told_nothing(self, world: Any, mail: Mail) -> None:
        subscription = subscribe(world, owner="somebody")
        mail.run()
        assert mail.log(subscription.id) == mail.log(subscription.id, "somebody") == []

    def test_while_a_secret_is_replaced_both_sign(self, world: Any, mail: Mail) -> None:
        old = world.keyring.get("default", "owner").current
        new = world.keyring.rotate("default", "owner").current
        mail.run()
        [posted] = world.outbound.posted
        for secret in (old, new):
            verify(secret, posted.headers, posted.body, now=world.now())


class TestOnce:
    def test_a_repeated_fan_out_or_message_is_delivered_once(self, world: Any, mail: Mail) -> None:
        event = sns_event(world.topic.published)
        pipeline.fan_out(event, world)
        pipeline.fan_out(event, world)
        messages = sqs_event(world.deliveries_queue.messages * 2)
        pipeline.deliver(messages, world)
        pipeline.fan_out(event, world)
        pipeline.deliver(messages, world)
        assert len(world.outbound.posted) == 1
        assert len(mail.log("integration")) == 1

    def test_a_message_that_comes_early_waits_for_its_time(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(500, 200)
        mail.announce()
        messages = sqs_event(world.deliveries_queue.messages)
        pipeline.deliver(messages, world)
        pipeline.deliver(messages, world)
        assert len(world.outbound.posted) == 1
        mail.run()
        assert the_delivery(mail).status == "delivered"

    def test_two_workers_never_send_one_delivery_at_the_same_time(self, world: Any, mail: Mail) -> None:
        mail.announce()
        messages = sqs_event(world.deliveries_queue.messages)
        world.outbound = FakeReceiver(during=lambda: pipeline.deliver(messages, world))
        pipeline.deliver(messages, world)
        assert len(world.outbound.posted) == 1
        assert the_delivery(mail).status == "delivered"

    def test_a_message_that_gets_lost_is_made_up_for_by_the_sweep_once(self, world: Any, mail: Mail) -> None:
        mail.announce()
        world.deliveries_queue.messages.clear()
        world.deliveries_queue.delays.clear()
        world.clock.forward(61)
        for _ in range(5):
            pipeline.sweep(world)
            world.clock.forward(60)
        assert len(world.deliveries_queue.messages) == 1
        mail.run()
        assert the_delivery(mail).status == "delivered"


class TestWhatAnAnswerMeans:
    @pytest.mark.parametrize(
        "answer", [302, 408, 425 + 75, 429, 503, DeliveryFailed("No answer."), Reply(600, Headers(), b"")]
    )
    def test_what_may_pass_is_tried_again_under_the_same_id(
        self, world: Any, mail: Mail, answer: Any
    ) -> None:
        world.outbound.answer_with(answer, answer, 204)
        mail.run()
        delivery = the_delivery(mail)
        assert delivery.status == "delivered"
        assert len(delivery.attempts) == 3
        assert len(set(world.outbound.ids)) == 1

    @pytest.mark.parametrize("answer", [400, 401, 404, 422, 451, UnusableUrl("Not there.")])
    def test_a_refusal_for_good_parks_at_once(self, world: Any, mail: Mail, answer: Any) -> None:
        world.outbound.answer_with(answer)
        mail.run()
        delivery = the_delivery(mail)
        assert (delivery.status, len(delivery.attempts)) == ("parked", 1)

    def test_ten_failures_over_75_hours_park(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(500)
        before = world.now()
        mail.run()
        delivery = the_delivery(mail)
        assert (delivery.status, statuses(delivery)) == ("parked", [500] * 10)
        assert 0.8 * 75.5 <= (world.now() - before) / 3600 <= 1.2 * 75.6

    def test_its_message_comes_again_after_a_short_wait_and_the_sweep_sends_one_after_a_long_one(
        self, world: Any, mail: Mail
    ) -> None:
        world.outbound.answer_with(500)
        mail.run()
        [wait] = mail.delays
        assert 4 <= wait <= 6
        assert len(the_delivery(mail).attempts) == 10

    def test_patience_asked_for_is_given(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(Reply(503, Headers([("Retry-After", "120")]), b""), 200)
        before = world.now()
        mail.run()
        assert the_delivery(mail).status == "delivered"
        assert 120 <= world.now() - before <= 146

    def test_a_success_keeps_the_reference_of_the_receipt(self, world: Any, mail: Mail) -> None:
        receipt = b"<receipt><reference>R-1</reference></receipt>"
        world.outbound.answer_with(Reply(200, Headers(), receipt))
        mail.run()
        delivery = the_delivery(mail)
        assert (delivery.status, delivery.reference) == ("delivered", "R-1")
        assert delivery.attempts[0].answer == receipt.decode()

    @pytest.mark.parametrize("receipt", [b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"<un", b"\xff\x00"])
    def test_a_receipt_that_cannot_be_read_is_a_success_all_the_same(
        self, world: Any, mail: Mail, receipt: bytes
    ) -> None:
        world.outbound.answer_with(Reply(200, Headers(), receipt))
        mail.run()
        delivery = the_delivery(mail)
        assert (delivery.status, delivery.reference) == ("delivered", None)

    def test_only_the_first_kilobyte_of_an_answer_is_kept(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(Reply(200, Headers(), b"x" * 5000))
        mail.run()
        assert the_delivery(mail).attempts[0].answer == "x" * 1024


class TestNobodyIsHeldUp:
    def test_a_batch_goes_out_side_by_side(self, world: Any) -> None:
        together = threading.Barrier(10, timeout=30)
        world.outbound = FakeReceiver(during=lambda: (together.wait(), None)[1])
        for number in range(10):
            pipeline.label_image(world.drop(f"uploads/{number}.jpg"), world)
        mail = Mail(world)
        mail.run()
        assert [one.status for one in mail.log("integration")] == ["delivered"] * 10

    def test_a_fault_of_ours_comes_back_and_leaves_the_others_alone(
        self, world: Any, mail: Mail, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        subscription = subscribe(world)
        mail.announce()
        broken = mail.log(subscription.id)[0].id
        get_many = world.table.get_many

        def unavailable(keys: Sequence[Key]) -> Any:
            if key_of("default", broken) in keys:
                raise Unavailable("DynamoDB did not answer.")
            return get_many(keys)

        with monkeypatch.context() as patched:
            patched.setattr(world.table, "get_many", unavailable)
            with pytest.raises(Unavailable):
                mail.bring()
        assert the_delivery(mail).status == "delivered"
        mail.forward(FIRST_PAUSE)
        assert the_delivery(mail, subscription.id).status == "delivered"
        assert len(world.outbound.posted) == 2


class TestDestinations:
    def test_410_disables_and_what_comes_later_is_parked_unsent(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(410, 200)
        mail.run()
        mail.forward(1)
        pipeline.label_image(world.drop("uploads/later.jpg"), world)
        mail.run()
        first, later = mail.log("integration")
        assert (first.status, statuses(first)) == ("parked", [410])
        assert (later.status, statuses(later)) == ("parked", [])
        assert "410" in (later.reason or "")

    def test_what_was_waiting_for_a_destination_that_is_gone_is_parked(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(500, 410)
        mail.announce()
        mail.bring()
        mail.forward(1)
        pipeline.label_image(world.drop("uploads/later.jpg"), world)
        mail.run()
        waiting, _ = mail.log("integration")
        assert (waiting.status, statuses(waiting)) == ("parked", [500])

    def test_five_days_of_nothing_but_failure_disable(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(500)
        mail.run()
        mail.forward(1.5 * 86_400)  # the five days end during the next schedule, whatever the jitter
        pipeline.label_image(world.drop("uploads/second.jpg"), world)
        mail.run()
        pipeline.label_image(world.drop("uploads/third.jpg"), world)
        mail.run()
        first, second, third = mail.log("integration")
        assert len(first.attempts) == 10
        assert 0 < len(second.attempts) < 10
        assert "five days" in (second.reason or "")
        assert third.attempts == ()

    def test_a_success_within_five_days_starts_them_anew(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(*[500] * 9, 200, 500)
        mail.run()
        pipeline.label_image(world.drop("uploads/second.jpg"), world)
        mail.run()
        first, second = mail.log("integration")
        assert (first.status, len(first.attempts)) == ("delivered", 10)
        assert len(second.attempts) == 10

    def test_two_failures_a_quiet_week_apart_disable_nothing(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(400, 400, 200)
        mail.run()
        for name in ("second", "third"):
            mail.forward(7 * 86_400)
            pipeline.label_image(world.drop(f"uploads/{name}.jpg"), world)
            mail.run()
        assert [one.status for one in mail.log("integration")] == ["parked", "parked", "delivered"]

    def test_a_url_that_is_replaced_starts_with_a_clean_slate(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(410, 200)
        mail.run()
        mail.forward(1)
        world.with_settings(integration_url="https://new.example/labels")
        pipeline.label_image(world.drop("uploads/later.jpg"), world)
        mail.run()
        assert [one.status for one in mail.log("integration")] == ["parked", "delivered"]


class TestADestinationThatRests:
    """One that failed three times in a row is asked by one try at a time, with pauses that grow."""

    @pytest.fixture
    def others(self, world: Any, mail: Mail) -> Mail:
        """The first delivery has failed three times; two more images are to be told of."""
        world.outbound.answer_with(500)
        mail.announce()
        mail.bring()
        mail.forward(6.5)
        mail.forward(400)
        for name in ("second", "third"):
            pipeline.label_image(world.drop(f"uploads/{name}.jpg", f"{name}, no photo".encode()), world)
        mail.announce()
        return mail

    def test_is_not_asked_but_by_the_schedule(self, world: Any, others: Mail) -> None:
        world.outbound.answer_with(204)
        others.bring()
        first, second, third = others.log("integration")
        assert len(first.attempts) == len(world.outbound.posted) == 3
        for spared in (second, third):
            [attempt] = spared.attempts
            assert (attempt.status, attempt.error, spared.status) == (None, BREAKER_OPEN, "pending")
            assert 4 <= spared.next_attempt_at - world.now() <= 6

    def test_is_asked_by_one_once_it_has_rested(self, world: Any, others: Mail) -> None:
        place = _integration(world).place
        breaker = world.breakers.of("default", place).breaker
        world.clock.forward(1)
        may = [world.breakers.may_ask("default", place, breaker) for _ in range(3)]
        assert may == [True, False, False]

    def test_gets_everything_again_with_its_first_success(self, world: Any, others: Mail) -> None:
        world.outbound.answer_with(204)
        others.run()
        assert [one.status for one in others.log("integration")] == ["delivered"] * 3
        pipeline.label_image(world.drop("uploads/fourth.jpg", b"fourth, no photo"), world)
        others.announce()
        others.bring()
        fourth = others.log("integration")[-1]
        assert (fourth.status, len(fourth.attempts)) == ("delivered", 1)

    def test_rests_longer_from_time_to_time_but_never_long(self) -> None:
        rests = [Breaker(failed, asked_at=1000.0).open_until() for failed in range(1, 2000)]
        assert rests[:4] == [0, 0, 1001, 1002]
        assert rests[2:] == sorted(rests[2:])
        assert rests[-1] == 1060

    def test_holds_up_nobody_else(self, world: Any, others: Mail) -> None:
        subscribe(world)
        world.outbound.answer_with(204)
        pipeline.label_image(world.drop("uploads/fourth.jpg", b"fourth, no photo"), world)
        others.run()
        assert [one.url for one in world.outbound.posted if one.url == HOOK] == [HOOK]

    def test_one_that_refuses_documents_does_not_rest(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(422)
        for number in range(5):
            pipeline.label_image(world.drop(f"uploads/{number}.jpg", b"no photo %d" % number), world)
        mail.run()
        assert {one.status for one in mail.log("integration")} == {"parked"}
        assert len(world.outbound.posted) == 6


def _integration(world: Any) -> Destination:
    return Destination("integration", PARTNER, "xml", "default", "owner")


class TestWhatHasBecomePointless:
    def test_nothing_is_delivered_of_an_image_that_was_deleted(self, world: Any, mail: Mail) -> None:
        mail.announce()
        world.erase(world.image_at(KEY))
        mail.run()
        assert world.outbound.posted == []
        assert the_delivery(mail).status == "cancelled"

    def test_an_older_result_gives_way_to_the_newer_one(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(500, 200)
        mail.announce()
        mail.bring()
        mail.forward(1)
        world.recogniser = FakeRecogniser(Label("Dog", 90.0))
        pipeline.label_image(world.drop(KEY, b"other bytes, no photo"), world)
        mail.run()
        older, newer = mail.log("integration")
        assert (older.status, newer.status) == ("cancelled", "delivered")
        assert len(world.outbound.posted) == 2

    def test_who_does_not_ask_for_corrections_still_gets_the_labels_and_as_corrected(
        self, world: Any, mail: Mail
    ) -> None:
        labels_only = subscribe(world, event_types=("sightline.image.labelled",))
        everything = subscribe(world)
        world.outbound.answer_with(500, 500, 500, 200)
        mail.announce()
        mail.bring()
        mail.forward(1)
        correct(world, "cat", present=False)
        correct(world, "Tiger", present=True)
        mail.run()
        told = the_delivery(mail, labels_only.id)
        assert (told.status, told.event_type) == ("delivered", "sightline.image.labelled")
        event = next(
            json.loads(one.body) for one in world.outbound.posted[3:] if one.headers["webhook-id"] == told.id
        )
        assert event["type"] == "sightline.image.labelled"
        assert [label["name"] for label in event["data"]["labels"]] == ["Tiger"]
        *older, newest = sorted(mail.log(everything.id), key=lambda one: one.result)
        assert (newest.status, newest.event_type) == ("delivered", "sightline.image.corrected")
        assert older[0].status == "cancelled"

    def test_a_fan_out_that_comes_late_tells_those_whom_the_correction_does_not(
        self, world: Any, mail: Mail
    ) -> None:
        labels_only = subscribe(world, event_types=("sightline.image.labelled",))
        correct(world, "Tiger", present=True)
        mail.run()
        assert the_delivery(mail, labels_only.id).status == "delivered"
        assert sorted((one.event_type.rpartition(".")[2], one.status) for one in mail.log("integration")) == [
            ("corrected", "delivered"),
            ("labelled", "cancelled"),
        ]

    def test_what_a_filter_no_longer_finds_is_not_told(self, world: Any, mail: Mail) -> None:
        cats_only = subscribe(world, event_types=("sightline.image.labelled",), filter="cat")
        world.outbound.answer_with(500, 500, 200)
        mail.announce()
        mail.bring()
        mail.forward(1)
        correct(world, "cat", present=False)
        mail.run()
        assert the_delivery(mail, cats_only.id).status == "cancelled"

    def test_nothing_goes_to_a_subscription_that_was_removed(self, world: Any, mail: Mail) -> None:
        subscription = subscribe(world)
        mail.announce()
        world.subscriptions.delete(subscription)
        mail.run()
        assert the_delivery(mail, subscription.id).status == "cancelled"
        assert [one.url for one in world.outbound.posted] == [PARTNER]


class TestSendingAgain:
    def test_a_parked_delivery_gets_a_whole_new_schedule(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(*[500] * 12, 200)
        mail.run()
        pipeline.send_again(the_delivery(mail), world)
        mail.run()
        delivery = the_delivery(mail)
        assert (delivery.status, len(delivery.attempts)) == ("delivered", 13)
        assert len(set(world.outbound.ids)) == 1

    def test_sending_again_enables_a_disabled_destination(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(410, 200)
        mail.run()
        pipeline.send_again(the_delivery(mail), world)
        mail.run()
        assert the_delivery(mail).status == "delivered"

    def test_a_time_range_of_a_destination_is_sent_again_and_nothing_else(
        self, world: Any, mail: Mail
    ) -> None:
        world.outbound.answer_with(400)
        moments = []
        for number in range(4):
            pipeline.label_image(world.drop(f"uploads/{number}.jpg"), world)
            mail.run()
            mail.forward(3600)
            moments.append(mail.log("integration")[-1].created_at)
        world.outbound.answer_with(200)
        resent = pipeline.send_parked_again("default", "integration", moments[1], moments[2], world)
        mail.run()
        assert (resent.count, resent.more) == (2, False)
        parked = [one.created_at for one in mail.log("integration") if one.status == "parked"]
        assert parked[-1] == moments[3]
        assert not {moments[1], moments[2]} & set(parked)

    def test_what_is_being_sent_at_this_moment_is_not_sent_again(self, world: Any, mail: Mail) -> None:
        refused = []

        def impatient() -> None:
            with pytest.raises(Conflict) as conflict:
                pipeline.send_again(the_delivery(mail), world)
            refused.append(conflict.value.code)

        world.outbound = FakeReceiver(during=impatient)
        mail.run()
        assert refused == ["delivery-under-way"]

    def test_what_waits_for_its_next_try_may_be_sent_at_once(self, world: Any, mail: Mail) -> None:
        world.outbound.answer_with(500, 200)
        mail.announce()
        mail.bring()
        pipeline.send_again(the_delivery(mail), world)
        mail.bring()
        assert the_delivery(mail).status == "delivered"

    def test_what_has_arrived_is_not_sent_again(self, world: Any, mail: Mail) -> None:
        mail.run()
        with pytest.raises(Conflict):
            pipeline.send_again(the_delivery(mail), world)
