"""Sends parked deliveries again: one, or all of a destination in a time range."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.delivery_log import by_destination
from chalicelib.errors import Conflict, Superseded
from chalicelib.pipeline.batches import for_each
from chalicelib.pipeline.routing import destination_named
from chalicelib.wiring import Services

log = logging.getLogger("sightline.redelivery")

MOST_AT_A_TIME = 200  # as many as fit into API Gateway's timeout of 29 s
AT_ONCE = 10


@dataclass(frozen=True)
class Resent:
    """How many deliveries were sent again, and whether there may be ``more``."""

    count: int
    more: bool


def send_again(delivery: Delivery, services: Services) -> Delivery:
    """Restart a delivery now with new tries; its destination is enabled again.

    :raises Conflict: it was delivered or cancelled, or is being sent at this moment.
    """
    try:
        renewed = services.deliveries.renew(delivery)
    except Superseded:
        raise Conflict("The delivery is being sent at this moment.", code="delivery-under-way") from None
    record = services.images.find(delivery.owner, delivery.image_id)
    destination = record and destination_named(delivery.destination, record.image, services)
    if destination:
        services.breakers.clear(delivery.owner, destination.place)
    services.deliveries_queue.send(renewed.message())
    return renewed


def send_parked_again(owner: str, destination: str, since: str, until: str, services: Services) -> Resent:
    """Restart a destination's parked deliveries of a time range (RFC 3339), at most the newest 200."""
    page = services.deliveries.page(
        owner, by_destination(destination, parked=True), limit=MOST_AT_A_TIME, after=None, until=until
    )
    wanted = [one for one in page.deliveries if one.created_at >= since]
    for_each(wanted, lambda one: _send_again_if_parked(one, services), at_once=AT_ONCE)
    return Resent(len(wanted), more=page.next_after is not None and len(wanted) == len(page.deliveries))


def _send_again_if_parked(delivery: Delivery, services: Services) -> None:
    try:
        send_again(delivery, services)
    except Conflict as error:
        log.info("not sent again: %r: %s", delivery.id, error)
