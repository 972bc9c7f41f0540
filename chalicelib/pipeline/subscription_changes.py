"""Somebody subscribes, tries it out, thinks otherwise, and leaves again."""

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
    """Store a new subscription; gives the secret that its deliveries will be signed with."""
    services.subscriptions.create(subscription)
    return services.keyring.get(subscription.owner, subscription.id).current


def unsubscribe(subscription: Subscription, services: Services) -> None:
    """Remove a subscription with its secret; what is on its way to it will be cancelled.

    What an origin has agreed to ends with the last subscription there.
    """
    owner = subscription.owner
    services.breakers.clear(owner, subscription.destination.place)
    services.keyring.discard(owner, subscription.id)
    services.subscriptions.delete(subscription)
    _leave(owner, subscription.destination.place.origin, services)


def change_subscription(
    owner: str, subscription_id: str, edit: Callable[[Subscription], Subscription], services: Services
) -> Subscription:
    """Store what ``edit`` makes of a subscription; what waits for it follows, to another address as well.

    Another origin has to agree by itself to be called often.

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
    """Send a signed sample and give what the receiver said; one that takes it is enabled.

    :raises TooManyRequests: its origin has not agreed to be called so often.
    """
    event = dataclasses.replace(ImageFinished.of(_sample(subscription.owner, services.now())), type=TEST_TYPE)
    result = _sent(subscription, event, "test", services)
    if result.verdict is Verdict.ARRIVED:
        services.breakers.clear(subscription.owner, subscription.destination.place)
    return result


def confirm(subscription: Subscription, services: Services) -> tuple[SendResult, bool]:
    """Send a signed challenge; whether its token came back, by which the origin agrees to be called often.

    :raises TooManyRequests: its origin has not agreed to be called so often.
    """
    token, sample = new_challenge(), ImageFinished.of(_sample(subscription.owner, services.now()))
    event = dataclasses.replace(sample, type=CHALLENGE_TYPE, data={"challenge": token})
    result = _sent(subscription, event, "challenge", services, challenge=token)
    agreed = (
        result.verdict is Verdict.ARRIVED and result.reply is not None and _came_back(token, result.reply)
    )
    if agreed:
        services.origins.confirm(subscription.owner, subscription.destination.place.origin)
    return result, agreed


def _sent(
    subscription: Subscription, event: ImageFinished, kind: str, services: Services, challenge: str = ""
) -> SendResult:
    owner, destination = subscription.owner, subscription.destination
    if not services.origins.is_confirmed(owner, destination.place.origin):
        wait = services.origins.wait_for(owner, destination.place.origin)
        if wait:
            raise TooManyRequests("The origin has not agreed to be called so often.", retry_after=wait)
    image = _sample(owner, services.now())
    # A challenge is JSON, whatever the receiver wants of images.
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
        id="00000000000000000000000000",  # no image has it
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
