"""Every kind of row has its lifetime in docs/operations.md; after a year nothing is left that is nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.export.listings import write_listing
from chalicelib.expressions import Item
from chalicelib.ids import new_id
from chalicelib.library.query import Query
from chalicelib.model import Label, NewImage, ObjectUploaded
from chalicelib.pipeline.curation import LabelEdit
from tests.fakes.mail import Mail, handle
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeOutbound, FakeServices
from tests.fakes.world import CAT, ROCKET

DAY_SECONDS = 24 * 3600
DOCS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(#[^`]+)` \| ([^|]+) \| ([^|]+) \|$", DOCS, re.M)
LIFETIMES = {kind: lifetime.strip() for kind, _, lifetime in ROWS}


def kind_of(item: Item) -> str:
    """What docs/operations.md calls a row: how its keys begin behind the owner."""
    behind = str(item["pk"]).partition("#")[2]
    kind, sort = behind.split("#")[0], str(item["sk"]).split("#")[0]
    if behind.endswith("#last"):
        return "#…#last"
    return f"#{kind} {sort}" if kind in ("image", "origin") else f"#{kind}"


def busy_world() -> tuple[Any, Mail]:
    """Services in which about everything has happened that writes a row, and their mail."""
    services: Any = FakeServices(
        INTEGRATION_URL="https://partner.example/x", RATE_LIMIT="100", DAILY_CALLS="10"
    )
    services.recogniser = FakeRecogniser(Label("Cat", 93.0, parents=("Animal",)), Label("L" * 100, 80.0))
    services.outbound, mail = FakeReceiver(500), Mail(services)
    subscription = Subscription(new_id(), "anna", "https://r.example/hook", "2026-01-01T00:00:00.000Z")
    pipeline.subscribe(subscription, services)
    services.origins.confirm("anna", subscription.destination.place.origin)
    services.tokens.issue("anna", ["read"], days=30)
    services.rate_limiter.take("anna")
    services.idempotency_keys.claim("anna", "a key", b"a request")
    services.secret.key_for("cursors")
    new = NewImage(callback_url="https://callback.example/x")
    for content in (CAT, ROCKET):
        image = pipeline.take_in(content, new, "anna", services)
        pipeline.label_image(ObjectUploaded(image.key), services)
    pipeline.label_image(services.drop("uploads/a.jpg"), services)
    mail.run()
    pipeline.correct("anna", image.id, [LabelEdit("Rex", True)], services)
    services.renames.add("anna", "cat", "tiger")
    for kind, asked in (("zip", {"q": ""}), ("rename", {"from": "cat", "to": "tiger"})):
        pipeline.start("anna", kind, asked, services)  # type: ignore[arg-type]
    services.outbound.get = FakeOutbound().get
    urls = pipeline.list_of_addresses(["https://photos.example/cat.jpg"], "anna", new_id(), services)
    asked = {"asked": {}, "dry_run": False, "max_cost": None, "unchanged_since": None}
    pipeline.start("anna", "label", {**asked, "source": {"kind": "urls", **urls}}, services)
    while message := services.next_message():
        handle(message, services)
        services.clock.forward(1)
    pipeline.start("anna", "correct", {"q": "", "add": ["x"], "remove": []}, services)  # and nobody comes
    write_listing("anna", Query(), "csv", services, clock=lambda: services.clock())
    mail.run()
    services.project()
    services.markers.rebuild_later("anna", image.id)
    return services, mail


def everything(services: Any) -> Iterator[Item]:
    yield from services.table.everything()


def test_each_kind_of_row_is_listed_and_expires_where_it_is_said_to() -> None:
    services, _ = busy_world()
    kinds: dict[str, list[Item]] = {}
    for item in everything(services):
        kinds.setdefault(kind_of(item), []).append(item)
    unlisted = kinds.keys() - LIFETIMES.keys()
    assert not unlisted
    never_seen = LIFETIMES.keys() - kinds.keys() - {"#exporting"}  # only while one is written
    assert not never_seen
    for kind, items in kinds.items():
        days = re.match(r"(\d+) days?", LIFETIMES[kind])
        if days:
            assert all("expires_at" in item or "due_at" in item for item in items), kind
            last = max(int(item.get("expires_at", 0)) for item in items)
            assert last <= services.clock() + int(days[1]) * DAY_SECONDS, kind


def test_a_year_after_everything_was_deleted_only_what_is_the_owners_is_left() -> None:
    services, mail = busy_world()
    for owner in ("anna", "default"):
        for stored in services.search.page(owner, Query(), limit=50).stored:
            pipeline.delete_image(owner, stored.id, services, permanent=True)
        for one in services.subscriptions.all(owner):
            pipeline.unsubscribe(one, services)
    for days in (*[1] * 12, *[30] * 13):  # deliveries are given up on first
        services.clock.forward(days * DAY_SECONDS)
        services.project()
        pipeline.sweep(services)
        while message := services.next_message():
            handle(message, services)
        mail.run()
        services.table.expire(services.clock())
    kept = {kind for kind, lifetime in LIFETIMES.items() if lifetime.startswith("the owner's")}
    assert {kind_of(item) for item in everything(services)} <= kept


@pytest.mark.parametrize("kind", sorted(LIFETIMES))
def test_a_lifetime_is_said_in_days_or_as_whose_row_it_is(kind: str) -> None:
    assert re.match(r"\d+ days?\b|the (owner|image|subscription|object|origin)'s", LIFETIMES[kind])
