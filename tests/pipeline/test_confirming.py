"""Receivers agree to be called often: what strangers are sent until they do, and how they say so.

Holds `chalicelib/delivery/origins.py`, `chalicelib/pipeline/subscription_changes.py`.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery import origins
from chalicelib.delivery.events import WHOLE_BYTES
from chalicelib.delivery.origins import CHALLENGE, WINDOW_SECONDS
from chalicelib.delivery.subscriptions import MOST, Subscription
from chalicelib.errors import TooManyRequests
from chalicelib.ids import new_id
from chalicelib.model import Box, Instance, Label, NewImage, ObjectUploaded
from chalicelib.outbound.response import Headers, Reply
from chalicelib.pipeline.curation import LabelEdit
from tests.fakes.mail import Mail, sqs_event
from tests.fakes.receiver import FakeReceiver, Posted, verify
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeServices
from tests.fakes.world import CAT

HOST = "https://hook.example"
IN_A_WINDOW = 10  # a sixth of the 60 an hour that the setting allows
MOST_BYTES = 1_000_000


class Agreeable(FakeReceiver):
    """Sends a challenge's token back, in its header or in its body."""

    def __init__(self, *, body: bool = False, status: int = 200, wrong: bool = False) -> None:
        super().__init__(200)
        self._body, self._status, self._wrong = body, status, wrong

    def post(self, url: str, **arguments: Any) -> Reply:
        super().post(url, **arguments)
        token = "another" if self._wrong else json.loads(arguments["body"])["data"].get("challenge", "")
        headers = Headers([] if self._body else [(CHALLENGE, token)])
        return Reply(self._status, headers, json.dumps({"challenge": token}).encode() if self._body else b"")


@pytest.fixture
def world() -> Any:
    world: Any = FakeServices(ALLOW_PRIVATE_URLS="true")
    world.recogniser = FakeRecogniser(Label("Cat", 93.0, parents=("Animal",)))
    world.outbound = FakeReceiver(204)
    return world


def subscribe(world: Any, path: str = "/in", owner: str = "default", **changes: Any) -> Subscription:
    subscription = Subscription(new_id(), owner, f"{HOST}{path}", "2026-01-01T00:00:00.000Z", **changes)
    pipeline.subscribe(subscription, world)
    return subscription


def label(world: Any, number: int) -> None:
    for name in range(number):
        pipeline.label_image(world.drop(f"uploads/{name}.jpg", b"no photo %d" % name), world)


def there(world: Any) -> list[Posted]:
    """What came to the host."""
    return [one for one in world.outbound.posted if one.url.startswith(HOST)]


def test_a_stranger_gets_so_much_in_ten_minutes_and_all_the_rest_later(world: Any) -> None:
    subscription = subscribe(world)
    label(world, 3 * IN_A_WINDOW)
    mail = Mail(world)
    mail.announce()
    mail.bring()
    assert len(there(world)) == IN_A_WINDOW
    waiting = [one for one in mail.log(subscription.id) if one.status == "pending"]
    assert (len(waiting), {one.tries for one in waiting}) == (2 * IN_A_WINDOW, {0})
    began = world.clock()
    mail.run()
    assert {one.status for one in mail.log(subscription.id)} == {"delivered"}
    assert len(there(world)) == 3 * IN_A_WINDOW
    assert WINDOW_SECONDS < world.clock() - began < 4 * WINDOW_SECONDS


def test_who_has_agreed_gets_everything_at_once(world: Any) -> None:
    subscription = subscribe(world)
    world.outbound = Agreeable()
    assert pipeline.confirm(subscription, world)[1]
    world.outbound = FakeReceiver(204)
    label(world, 3 * IN_A_WINDOW)
    mail = Mail(world)
    mail.announce()
    mail.bring()
    assert len(there(world)) == 3 * IN_A_WINDOW


class Crowded(FakeReceiver):
    """Answers nobody before each of so many deliveries is either on its way here or put off."""

    def __init__(self, world: Any, deliveries: int) -> None:
        super().__init__(204, during=self._hold)
        self._left, self._turn = deliveries, threading.Condition()
        self._here = self.most = 0
        self._postpone = world.deliveries.postpone
        world.deliveries.postpone = self._put_off

    def _hold(self) -> None:
        with self._turn:
            self._here += 1
            self._settle()
            self.most = max(self.most, self._here)
            self._turn.wait_for(lambda: self._left <= 0, timeout=20)
            self._here -= 1

    def _put_off(self, *arguments: Any) -> Any:
        with self._turn:
            self._settle()
        return self._postpone(*arguments)

    def _settle(self) -> None:
        self._left -= 1
        self._turn.notify_all()


@pytest.mark.slow
def test_one_origin_gets_so_many_requests_at_once_however_many_workers_there_are(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred subscriptions share one host's room."""
    monkeypatch.setattr(origins, "ROOM_SECONDS", 0.0)
    world.with_settings(integration_url="", deliveries_concurrency=10, in_flight_per_origin=30)
    subscriptions = [subscribe(world, f"/{number}") for number in range(MOST)]
    world.origins.confirm("default", HOST)
    label(world, 1)
    mail = Mail(world)
    mail.announce()
    messages, world.deliveries_queue.messages = world.deliveries_queue.messages, []
    world.deliveries_queue.delays.clear()
    world.outbound = Crowded(world, len(messages))
    batches = [sqs_event(messages[start : start + 10]) for start in range(0, MOST, 10)]
    with ThreadPoolExecutor(len(batches)) as workers:
        answers = list(workers.map(lambda batch: pipeline.deliver(batch, world), batches))
    assert world.outbound.most == 30
    assert answers == [{"batchItemFailures": []}] * 10  # the sweep comes to the rest, and no message
    mail.run()
    log = [mail.log(one.id) for one in subscriptions]
    assert [[(one.status, one.tries) for one in each] for each in log] == [[("delivered", 1)]] * MOST


def test_deliveries_wait_their_turn_where_an_origin_answers_soon(world: Any) -> None:
    world.with_settings(integration_url="", deliveries_concurrency=10, in_flight_per_origin=10)
    subscribe(world)
    world.origins.confirm("default", HOST)
    label(world, 10)
    mail = Mail(world)
    mail.announce()
    mail.bring()
    assert len(there(world)) == 10


def test_the_integration_server_need_not_be_asked(world: Any) -> None:
    world.with_settings(integration_url=f"{HOST}/labels")
    label(world, 3 * IN_A_WINDOW)
    mail = Mail(world)
    mail.announce()
    mail.bring()
    assert len(there(world)) == 3 * IN_A_WINDOW


def test_a_callback_counts_for_its_origin_and_another_owner_for_itself(world: Any) -> None:
    subscribe(world)
    label(world, IN_A_WINDOW)
    for owner in ("default", "anna"):
        taken = pipeline.take_in(CAT, NewImage(callback_url=f"{HOST}/called"), owner, world)
        pipeline.label_image(ObjectUploaded(taken.key), world)
    mail = Mail(world)
    mail.announce()
    mail.bring()
    assert len(there(world)) == IN_A_WINDOW + 1
    assert [one.status for one in mail.log("callback", "anna")] == ["delivered"]


@pytest.mark.parametrize("body", [True, False])
def test_an_origin_agrees_by_sending_the_token_back(world: Any, body: bool) -> None:
    subscription = subscribe(world, format="xml")
    world.outbound = Agreeable(body=body)
    assert pipeline.confirm(subscription, world)[1]
    [posted] = world.outbound.posted
    event = json.loads(posted.body)
    assert (event["type"], event["data"]["challenge"]) == ("sightline.challenge", posted.headers[CHALLENGE])
    secret = world.keyring.get("default", subscription.id).current
    verify(secret, posted.headers, posted.body, now=world.now())
    assert world.origins.are_confirmed("default", [HOST, "http://hook.example"]) == [True, False]
    assert not world.origins.is_confirmed("anna", HOST)


@pytest.mark.parametrize(
    "receiver",
    [FakeReceiver(200), Agreeable(wrong=True), Agreeable(status=404), Agreeable(status=302, body=True)],
)
def test_anything_else_is_no_agreement(world: Any, receiver: FakeReceiver) -> None:
    subscription = subscribe(world)
    world.outbound = receiver
    assert not pipeline.confirm(subscription, world)[1]
    assert not world.origins.is_confirmed("default", HOST)


def test_tests_and_challenges_count_like_deliveries(world: Any) -> None:
    subscription = subscribe(world)
    for _ in range(IN_A_WINDOW // 2):
        pipeline.try_out(subscription, world)
        pipeline.confirm(subscription, world)
    for again in (pipeline.try_out, pipeline.confirm):
        with pytest.raises(TooManyRequests):
            again(subscription, world)
    assert len(there(world)) == IN_A_WINDOW


def test_an_agreement_ends_with_the_last_subscription_there(world: Any) -> None:
    first, second = subscribe(world, "/a"), subscribe(world, "/b")
    world.origins.confirm("default", HOST)
    pipeline.unsubscribe(first, world)
    assert world.origins.is_confirmed("default", HOST)
    pipeline.unsubscribe(second, world)
    assert not world.origins.is_confirmed("default", HOST)


def test_where_nothing_is_bounded_nothing_is_counted(world: Any) -> None:
    unbounded: Any = FakeServices(UNCONFIRMED_PER_HOUR="0")
    assert [unbounded.origins.wait_for("default", HOST) for _ in range(100)] == [0.0] * 100
    assert unbounded.table.transactions == []


def crowd() -> FakeRecogniser:
    """Sees so much that its document is long."""
    boxes = tuple(Instance(90.0, Box(0.1, 0.2, 0.3, 0.4)) for _ in range(100))
    return FakeRecogniser(*(Label(f"Person {number}", 90.0, instances=boxes) for number in range(40)))


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_long_document_comes_as_a_link_to_it(world: Any, form: Any) -> None:
    world.recogniser = crowd()
    subscribe(world, format=form)
    world.with_settings(integration_url="https://partner.example/labels")
    pipeline.label_image(world.drop("uploads/crowd.jpg"), world)
    Mail(world).run()
    [posted] = there(world)
    event = json.loads(posted.body)
    assert len(posted.body) < 4_000
    assert posted.headers["content-type"].startswith("application/cloudevents+json")
    assert "data" not in event
    assert "/metadata/crowd.jpg.json?X-Amz-Signature=" in event["dataref"]
    [whole] = [one for one in world.outbound.posted if one.url.startswith("https://partner.example")]
    assert len(whole.body) > WHOLE_BYTES


@pytest.mark.slow
def test_one_correction_is_amplified_to_ten_requests_and_a_megabyte_at_most(world: Any) -> None:
    """A PUT of 270 bytes by somebody who has named one victim as often as is allowed."""
    for number in range(MOST):
        subscribe(world, f"/{number}", event_types=("sightline.image.corrected",))
    world.recogniser = crowd()
    pipeline.label_image(world.drop("uploads/crowd.jpg"), world)
    mail = Mail(world)
    mail.run()
    before = len(there(world))
    pipeline.correct("default", world.image_at("uploads/crowd.jpg").id, [LabelEdit("Cat", True)], world)
    mail.announce()
    mail.bring()
    came = there(world)[before:]
    assert 0 < len(came) <= IN_A_WINDOW
    assert sum(len(one.body) + sum(map(len, one.headers.values())) for one in came) <= MOST_BYTES
