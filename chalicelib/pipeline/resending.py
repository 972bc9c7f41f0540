"""Parked deliveries are sent again, and a subscription is tried out."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from chalicelib.delivery import courier
from chalicelib.delivery.attempts import Verdict
from chalicelib.delivery.courier import Outcome
from chalicelib.delivery.deliveries import by_destination
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.events import TEST_TYPE, ImageFinished
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import Conflict, Superseded
from chalicelib.ids import new_id, rfc3339
from chalicelib.model import Image, Label, Model
from chalicelib.pipeline.batches import for_each
from chalicelib.pipeline.receivers import packed, receiver
from chalicelib.wiring import Services

log = logging.getLogger("sightline.resending")

MOST_AT_A_TIME = 200  # within the 29 s that API Gateway waits
AT_ONCE = 10


@dataclass(frozen=True)
class Resent:
    """How many were sent again, and whether there may be ``more``: then ask again."""

    count: int
    more: bool


def send_again(delivery: Delivery, services: Services) -> Delivery:
    """Start a delivery anew, now; whoever asks for it vouches for the destination, which is enabled again.

    :raises Conflict: it has arrived or been cancelled, or is being sent at this moment.
    """
    try:
        renewed = services.deliveries.renew(delivery)
    except Superseded:
        raise Conflict("The delivery is being sent at this moment.", code="delivery-under-way") from None
    record = services.images.find(delivery.owner, delivery.image_id)
    destination = record and receiver(delivery.owner, delivery.destination, record.image, services)
    if destination:
        services.standings.clear(delivery.owner, destination.address)
    services.deliveries_queue.send(renewed.message())
    return renewed


def send_parked_again(owner: str, destination: str, since: str, until: str, services: Services) -> Resent:
    """Start a destination's parked deliveries of a time range (RFC 3339) anew, at most the newest 200."""
    page = services.deliveries.page(
        owner, by_destination(destination, parked=True), limit=MOST_AT_A_TIME, after=None, until=until
    )
    wanted = [one for one in page.deliveries if one.created_at >= since]
    for_each(wanted, lambda one: _send_again_if_parked(one, services), at_once=AT_ONCE)
    return Resent(len(wanted), more=page.next_after is not None and len(wanted) == len(page.deliveries))


def try_out(subscription: Subscription, services: Services) -> Outcome:
    """Send a signed sample and give what the receiver said; one that takes it is enabled."""
    image = _sample(subscription.owner, services.now())
    event = {**ImageFinished.of(image).to_json(), "type": TEST_TYPE}
    parcel = packed(subscription.destination, image, event, f"test_{new_id()}", services)
    timeout = services.settings.delivery_timeout_seconds
    outcome = courier.bring(parcel, services.outbound, deadline=timeout, now=services.now)
    if outcome.verdict is Verdict.ARRIVED:
        services.standings.clear(subscription.owner, subscription.destination.address)
    return outcome


def _send_again_if_parked(delivery: Delivery, services: Services) -> None:
    try:
        send_again(delivery, services)
    except Conflict as error:
        log.info("not sent again: %r: %s", delivery.id, error)


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
