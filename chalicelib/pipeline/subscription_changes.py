"""Use cases of subscriptions: create, change, test, confirm and delete them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from chalicelib.delivery import sender
from chalicelib.delivery.delivery import Verdict
from chalicelib.delivery.destinations import Format
from chalicelib.delivery.events import CHALLENGE_TYPE, TEST_TYPE, ImageFinished
from chalicelib.delivery.origins import CHALLENGE, new_challenge
from chalicelib.delivery.sender import SendResult
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import TooManyRequests
from chalicelib.ids import new_id, rfc3339
from chalicelib.model import Image, Label, Model
from chalicelib.outbound import Reply
from chalicelib.pipeline.routing import request_for
from chalicelib.wiring import Services

LONGEST_TEST_SECONDS = 20.0  # of API Gateway's 29


def subscribe(subscription: Subscription, services: Services) -> str:
    """Store a new subscription; returns the secret that signs its deliveries."""
    services.subscriptions.create(subscription)
    return services.keyring.get(subscription.owner, subscription.id).current


def unsubscribe(subscription: Subscription, services: Services) -> None:
    """Delete a subscription and its secret; its pending deliveries will be cancelled.

    With the last subscription of an origin, the origin's confirmation is deleted.
    """
    owner = subscription.owner
    services.breakers.clear(owner, subscription.destination.place)
    services.keyring.discard(owner, subscription.id)
    services.subscriptions.delete(subscription)
    _leave(owner, subscription.destination.place.origin, services)


def change_subscription(
    owner: str, subscription_id: str, edit: Callable[[Subscription], Subscription], services: Services
) -> Subscription:
    """Store ``edit(subscription)``; pending deliveries use the changed one, also its new URL.

    A new origin has to be confirmed again.

    :raises NotFound: there is no such subscription (any more).
    """
    before, after = services.subscriptions.change(owner, subscription_id, edit)
    if after.destination.place.origin != before.destination.place.origin:
        _leave(owner, before.destination.place.origin, services)
    return after


def _leave(owner: str, origin: str, services: Services) -> None:
    if all(one.destination.place.origin != origin for one in services.subscriptions.all(owner)):
        services.origins.forget(owner, origin)


def try_out(subscription: Subscription, services: Services) -> SendResult:
    """Send a signed sample event; returns the receiver's answer. A receiver that accepts it is enabled.

    :raises TooManyRequests: its origin is not confirmed, and was called too often.
    """
    event = dataclasses.replace(ImageFinished.of(_sample(subscription.owner, services.now())), type=TEST_TYPE)
    result = _send_sample(subscription, event, "test", services)
    if result.verdict is Verdict.ARRIVED:
        services.breakers.clear(subscription.owner, subscription.destination.place)
    return result


def confirm(subscription: Subscription, services: Services) -> tuple[SendResult, bool]:
    """Send a signed challenge; returns the answer, and whether it confirms the origin.

    :raises TooManyRequests: its origin is not confirmed, and was called too often.
    """
    token, sample = new_challenge(), ImageFinished.of(_sample(subscription.owner, services.now()))
    event = dataclasses.replace(sample, type=CHALLENGE_TYPE, data={"challenge": token})
    result = _send_sample(subscription, event, "challenge", services, challenge=token)
    confirmed = (
        result.verdict is Verdict.ARRIVED and result.reply is not None and _came_back(token, result.reply)
    )
    if confirmed:
        services.origins.confirm(subscription.owner, subscription.destination.place.origin)
    return result, confirmed


def _send_sample(
    subscription: Subscription, event: ImageFinished, kind: str, services: Services, challenge: str = ""
) -> SendResult:
    owner, destination = subscription.owner, subscription.destination
    if not services.origins.is_confirmed(owner, destination.place.origin):
        wait = services.origins.wait_for(owner, destination.place.origin)
        if wait:
            raise TooManyRequests("The origin has not agreed to be called so often.", retry_after=wait)
    image = _sample(owner, services.now())
    # A challenge is always JSON, whatever the subscription's format.
    form: Format = "json" if challenge else destination.format
    signing = services.keyring.get(owner, subscription.id).signing(services.now())
    request = request_for(
        dataclasses.replace(destination, format=form), event, image, f"{kind}_{new_id()}", signing, str
    )
    return sender.send(
        dataclasses.replace(request, challenge=challenge),
        services.outbound,
        deadline=min(services.settings.delivery_timeout_seconds, LONGEST_TEST_SECONDS),
        now=services.now,
    )


def _came_back(token: str, reply: Reply) -> bool:
    return reply.headers.get(CHALLENGE) == token or token.encode() in reply.body


def _sample(owner: str, now: float) -> Image:
    at = rfc3339(now)
    labels = (Label("Cat", 97.31, parents=("Animal", "Pet")),)
    return Image(
        id="00000000000000000000000000",  # no image has this id
        owner=owner,
        key="",
        status="labelled",
        filename="sample.jpg",
        created_at=at,
        started_at=at,
        completed_at=at,
        content_type="image/jpeg",
        size=183_042,
        width=1024,
        height=768,
        labels=labels,
        model=Model("sample", "1"),
        result=1,
    )
