"""Subscriptions: created, listed, tested, confirmed, changed, removed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import responses
from chalicelib.api.fields import Fields, required
from chalicelib.api.idempotency import made_id, renewing
from chalicelib.api.requests import body_of, owner_of, pointing_at, query_of
from chalicelib.delivery.breakers import Receiver
from chalicelib.delivery.delivery import Verdict
from chalicelib.delivery.events import EVENT_TYPES, ON_REQUEST
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import Conflict
from chalicelib.ids import rfc3339
from chalicelib.library import query
from chalicelib.library.grammar import LONGEST as LONGEST_QUERY
from chalicelib.model import LONGEST_URL, Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services

EDITED = ("url", "format", "filter", "event_types", "paused")


def _with_secret(body: Json, owner: str, services: Services) -> Json:
    if services.subscriptions.find(owner, body["id"]) is None:
        raise Conflict("The subscription that was made with this key has been removed.", code="removed-since")
    return {**body, "secret": services.keyring.get(owner, body["id"]).current}


@renewing(_with_secret, hidden="secret")
def create(request: Request, services: Services) -> Response:
    """``POST /subscriptions``: subscribe to results; only this response shows the signing secret."""
    fields = body_of(request, EDITED)
    required(fields.line("url", longest=LONGEST_URL), "/url")
    created_at = rfc3339(services.now())
    changes = _changes_in(fields, services)
    subscription = Subscription(made_id(request), owner_of(request), created_at=created_at, **changes)
    secret = pipeline.subscribe(subscription, services)
    origin = subscription.destination.place.origin
    confirmed = services.origins.is_confirmed(subscription.owner, origin)
    body = {**_json(request, subscription, Receiver(), confirmed), "secret": secret}
    return responses.created(body["links"]["self"], body)


def index(request: Request, services: Services) -> Response:
    """``GET /subscriptions``: all subscriptions, newest first."""
    query_of(request, ())
    owner = owner_of(request)
    found = services.subscriptions.all(owner)
    places = [one.destination.place for one in found]
    conditions = services.breakers.of_each(owner, places)
    confirmed = services.origins.are_confirmed(owner, [place.origin for place in places])
    known = zip(found, conditions, confirmed, strict=True)
    shown = [_json(request, one, condition.receiver, agreed) for one, condition, agreed in known]
    return responses.fresh({"subscriptions": shown})


def show(request: Request, services: Services, subscription_id: str) -> Response:
    """``GET /subscriptions/{id}``: one subscription, and whether it is disabled."""
    query_of(request, ())
    subscription = services.subscriptions.get(owner_of(request), subscription_id)
    return responses.tagged(request, _shown(request, subscription, services))


def change(request: Request, services: Services, subscription_id: str) -> Response:
    """``PATCH /subscriptions/{id}``: change or pause it; absent fields stay as they are (RFC 7396)."""
    fields = body_of(request, EDITED)
    owner, changes = owner_of(request), _changes_in(fields, services)

    def edit(before: Subscription) -> Subscription:
        responses.refuse_stale(
            request, "subscription", lambda: responses.tag(_shown(request, before, services))
        )
        return dataclasses.replace(before, **changes)

    changed = pipeline.change_subscription(owner, subscription_id, edit, services)
    return responses.changed(_shown(request, changed, services))


def remove(request: Request, services: Services, subscription_id: str) -> Response:
    """``DELETE /subscriptions/{id}``: unsubscribe, and cancel deliveries that are under way."""
    pipeline.unsubscribe(services.subscriptions.get(owner_of(request), subscription_id), services)
    return Response(body="", status_code=204)


def test(request: Request, services: Services, subscription_id: str) -> Response:
    """``POST /subscriptions/{id}/test``: send a signed sample now, and show the receiver's response."""
    body_of(request, (), optional=True)
    subscription = services.subscriptions.get(owner_of(request), subscription_id)
    outcome = pipeline.try_out(subscription, services)
    arrived = outcome.verdict is Verdict.ARRIVED
    return responses.fresh({"arrived": arrived, **outcome.attempt.to_json(), "reference": outcome.reference})


def confirm(request: Request, services: Services, subscription_id: str) -> Response:
    """``POST /subscriptions/{id}/confirm``: ask the receiver if its origin agrees to a high rate."""
    body_of(request, (), optional=True)
    subscription = services.subscriptions.get(owner_of(request), subscription_id)
    result, confirmed = pipeline.confirm(subscription, services)
    return responses.fresh({"confirmed": confirmed, **result.attempt.to_json()})


def _changes_in(fields: Fields, services: Services) -> dict[str, Any]:
    """The attributes of a subscription that the fields change."""
    asked = None if fields.is_null("filter") else fields.line("filter", longest=LONGEST_QUERY)
    said = {
        "url": fields.line("url", longest=LONGEST_URL),
        "format": fields.choice("format", ("json", "xml")),
        "event_types": fields.choices("event_types", (*EVENT_TYPES, *ON_REQUEST)),
        "paused": fields.flag("paused"),
    }
    if asked is not None:
        with pointing_at("/filter"):
            query.parse(asked)
    if said["url"] is not None:
        with pointing_at("/url"):
            pipeline.check_receiver(str(said["url"]), services)
    changes = {name: value for name, value in said.items() if value is not None}
    return {**changes, "filter": asked} if "filter" in fields else changes


def _shown(request: Request, subscription: Subscription, services: Services) -> Json:
    place = subscription.destination.place
    known = services.breakers.of(subscription.owner, place)
    confirmed = services.origins.is_confirmed(subscription.owner, place.origin)
    return _json(request, subscription, known.receiver, confirmed)


def _json(request: Request, subscription: Subscription, receiver: Receiver, confirmed: bool) -> Json:
    here = f"{responses.base_of(request)}/subscriptions/{subscription.id}"
    disabled = {"at": receiver.disabled_at, "reason": receiver.reason} if receiver.disabled_at else None
    links = {
        "self": here,
        "deliveries": f"{here}/deliveries",
        "test": f"{here}/test",
        "confirm": f"{here}/confirm",
    }
    return {**subscription.document(), "disabled": disabled, "confirmed": confirmed, "links": links}
