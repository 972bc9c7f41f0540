"""Somebody subscribes, tries it out, and leaves again."""

from __future__ import annotations

import dataclasses

from chalicelib.delivery import sender
from chalicelib.delivery.attempts import Verdict
from chalicelib.delivery.events import TEST_TYPE, ImageFinished
from chalicelib.delivery.sender import SendResult
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.ids import new_id, rfc3339
from chalicelib.model import Image, Label, Model
from chalicelib.pipeline.receivers import request_for
from chalicelib.wiring import Services

LONGEST_TEST_SECONDS = 20.0  # of API Gateway's 29


def subscribe(subscription: Subscription, services: Services) -> str:
    """Store a new subscription; gives the secret that its deliveries will be signed with."""
    secret = services.keyring.get(subscription.owner, subscription.id)
    services.subscriptions.create(subscription)
    return secret.current


def unsubscribe(subscription: Subscription, services: Services) -> None:
    """Remove a subscription with its secret; what is on its way to it will be cancelled."""
    services.breakers.clear(subscription.owner, subscription.destination.place)
    services.keyring.discard(subscription.owner, subscription.id)
    services.subscriptions.delete(subscription)


def try_out(subscription: Subscription, services: Services) -> SendResult:
    """Send a signed sample and give what the receiver said; one that takes it is enabled."""
    image = _sample(subscription.owner, services.now())
    event = dataclasses.replace(ImageFinished.of(image), type=TEST_TYPE)
    signing = services.keyring.get(subscription.owner, subscription.id).signing(services.now())
    request = request_for(subscription.destination, event, image, f"test_{new_id()}", signing)
    timeout = min(services.settings.delivery_timeout_seconds, LONGEST_TEST_SECONDS)
    result = sender.send(request, services.outbound, deadline=timeout, now=services.now)
    if result.verdict is Verdict.ARRIVED:
        services.breakers.clear(subscription.owner, subscription.destination.place)
    return result


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
