"""Two hundred images for receivers that misbehave by script, over real sockets, under the test's clock."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import threading
import time
from collections import Counter, defaultdict
from typing import Any

import pytest
import standardwebhooks
import xmlschema

from chalicelib import pipeline
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.delivery.xml_document import SCHEMA
from chalicelib.ids import new_id
from chalicelib.library.record import Outcome
from chalicelib.model import Image, Label
from chalicelib.outbound import Outbound
from tests.fakes.mail import Mail
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World
from tests.stubs.hostile_http import BEHAVIOURS, Connection, HostileServer, Request

FAILURES = 3
HOUR = 3600.0
IMAGES = {
    "recovers": 40,
    "patience": 40,
    "elsewhere": 20,
    "gone": 30,
    "drips": 2,
    "resets": 28,
    "garbage": 40,
}
TRIES = {"recovers": 4, "patience": 2, "elsewhere": 10, "gone": 1, "drips": 10, "resets": 10, "garbage": 1}
IN_TIME = "The destination did not answer in time."
DELIVERED = {"recovers", "patience", "garbage"}


class Partner:
    """Acts by the part of the path behind ``/partner/``, and remembers what came and when."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self.came: dict[str, list[tuple[float, Request]]] = defaultdict(list)

    def behave(self, c: Connection) -> None:
        with self._lock:
            came = self.came[c.argument]
            came.append((self._world.now(), c.request))
        match c.argument.partition("/")[0]:
            case "recovers":
                c.answer(500 if len(came) <= FAILURES else 200)
            case "patience":
                c.answer(503, Retry_After="2") if len(came) == 1 else c.answer(200)
            case "elsewhere":
                c.answer(302, Location="http://169.254.169.254/latest/meta-data/")
            case "gone":
                c.answer(410)
            case "drips":
                BEHAVIOURS["drip-headers"](c)
            case "resets":
                c.reset()
            case "garbage":
                c.answer(200, b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x><reference>&y;</x")


def signed_by(secret: str, request: Request) -> bool:
    """Whether the request is signed by ``secret``: the specification's sentence, written down once more."""
    h = request.headers
    signed = f"{h['webhook-id']}.{h['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in h["webhook-signature"].split()


@pytest.fixture
def world() -> Any:
    world: Any = World(ALLOW_PRIVATE_URLS="true", UNCONFIRMED_PER_HOUR="0")
    world.clock.forward(time.time() - world.now())
    world.with_settings(delivery_timeout_seconds=0.8)
    world.breakers.may_ask = lambda *_: True  # they share an origin here
    world.recogniser = FakeRecogniser(Label("Cat & <Dog>", 93.0))
    world.outbound = Outbound(allow_private=True, allowed_ports=frozenset())
    return world


def label_two_hundred(world: Any, server: HostileServer) -> dict[str, Image]:
    """Images by the path that is told of them; those of ``garbage`` by a subscription to XML."""
    found = {}
    for kind, count in IMAGES.items():
        for number in range(count):
            key = f"uploads/{kind}/{number}.jpg"
            pipeline.label_image(world.drop(key), world)
            record = world.images.find_by_key(key)
            if kind != "garbage":
                url = server.url(f"/partner/{kind}/{number}")
                result = record.image.result + 1
                changed = dataclasses.replace(record.image, callback_url=url, result=result)
                world.images.finish(record, Outcome(changed))
            found[f"{kind}/{number}"] = record.image
    return found


@pytest.mark.slow
def test_two_hundred_images_get_exactly_the_deliveries_they_should(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = Partner(world)
    monkeypatch.setitem(BEHAVIOURS, "partner", partner.behave)
    with HostileServer() as server:
        images = label_two_hundred(world, server)
        xml = Subscription(
            new_id(), "default", server.url("/partner/garbage"), "", "xml", "filename:garbage/"
        )
        world.subscriptions.create(xml)
        began = world.now()
        Mail(world).run(step=2 * HOUR)

    tries = {kind: TRIES[kind] * IMAGES[kind] for kind in IMAGES}
    came = Counter()
    for path, requests in partner.came.items():
        came[path.partition("/")[0]] += len(requests)
    # A receiver that had not read the whole request within the deadline did not see that try.
    late = Counter()
    for path, image in images.items():
        [delivery] = world.deliveries.page("default", f"image#{image.id}", limit=9, after=None).deliveries
        late[path.partition("/")[0]] += sum(one.error == IN_TIME for one in delivery.attempts)
    assert late["drips"] == tries["drips"]
    for kind, count in tries.items():
        assert count - late[kind] <= came[kind] <= count + late[kind], kind
    assert set(came) <= set(tries)

    owner, own = (world.keyring.get("default", who).current for who in ("owner", xml.id))
    schema = xmlschema.XMLSchema(SCHEMA)
    for path, requests in partner.came.items():
        for _, request in requests:
            assert signed_by(own if path == "garbage" else owner, request), path
            if path == "garbage":
                schema.validate(request.body)
    for path, image in images.items():
        kind = path.partition("/")[0]
        page = world.deliveries.page("default", f"image#{image.id}", limit=9, after=None)
        [delivery] = page.deliveries
        assert delivery.status == ("delivered" if kind in DELIVERED else "parked"), path
        if kind == "drips" or not late[kind]:
            assert len(delivery.attempts) == TRIES[kind], path
        assert delivery.reference is None
        if kind != "garbage":
            assert {request.headers["webhook-id"] for _, request in partner.came[path]} == {delivery.id}
    ids = {request.headers["webhook-id"] for _, request in partner.came["garbage"]}
    assert len(ids) == IMAGES["garbage"]
    assert all(requests[1][0] - requests[0][0] >= 2 for requests in of_kind(partner, "patience"))
    assert world.now() - began >= 0.8 * 75.5 * HOUR


def of_kind(partner: Partner, kind: str) -> list[list[tuple[float, Request]]]:
    return [requests for path, requests in partner.came.items() if path.startswith(f"{kind}/")]


def test_a_published_library_accepts_what_a_callback_gets(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = Partner(world)
    monkeypatch.setitem(BEHAVIOURS, "partner", partner.behave)
    with HostileServer() as server:
        subscription = Subscription(new_id(), "default", server.url("/partner/garbage"), "")
        world.subscriptions.create(subscription)
        pipeline.label_image(world.drop("uploads/cat.jpg"), world)
        Mail(world).run()
    [(_, request)] = partner.came["garbage"]
    judge = standardwebhooks.Webhook(world.keyring.get("default", subscription.id).current)
    event = judge.verify(request.body, request.headers)
    assert event["data"]["labels"][0]["name"] == "Cat & <Dog>"
    with pytest.raises(standardwebhooks.webhooks.WebhookVerificationError):
        judge.verify(request.body + b" ", request.headers)


def test_ten_deliveries_of_a_batch_are_under_way_at_once(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    all_ten = threading.Barrier(
        10, timeout=12
    )  # each waits for the others: with nine at most, none gets through
    monkeypatch.setitem(BEHAVIOURS, "together", lambda c: (all_ten.wait(), c.answer(200)))
    with HostileServer() as server:
        world.with_settings(delivery_timeout_seconds=15, integration_url=server.url("/together"))
        for number in range(10):
            pipeline.label_image(world.drop(f"uploads/{number}.jpg"), world)
        mail = Mail(world)
        mail.announce()
        mail.bring()
    assert [one.status for one in mail.log("integration")] == ["delivered"] * 10


def test_a_dead_destination_costs_the_others_of_its_batch_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is answered only when the nine others are through: in time, if they need not wait for it."""
    through = threading.Semaphore(0)
    monkeypatch.setitem(BEHAVIOURS, "quick", lambda c: (c.answer(200), through.release()))

    def held(c: Connection) -> None:
        for _ in range(9):
            through.acquire()
        c.answer(200)

    monkeypatch.setitem(BEHAVIOURS, "held", held)
    with HostileServer() as server:
        world.with_settings(delivery_timeout_seconds=15, integration_url=server.url("/held"))
        for number in range(9):
            url = server.url(f"/quick/{number}")
            world.subscriptions.create(Subscription(new_id(), "default", url, ""))
        pipeline.label_image(world.drop("uploads/cat.jpg"), world)
        mail = Mail(world)
        mail.announce()
        mail.bring()
        through.release(9)  # whatever happened, the server can stop
    assert [one.status for one in mail.log("integration")] == ["delivered"]
