"""The fan-out: stores one delivery for each destination of a result, and sends its message.

It works from the topic's message and reads no record, so it may run late or twice. Delivery ids are derived
from image, result and destination, so a repeat stores nothing new, and the delivery worker cancels a delivery
that has become pointless.
"""

from __future__ import annotations

import json
import logging

from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.events import ImageFinished
from chalicelib.model import Json
from chalicelib.pipeline.batches import Attempts
from chalicelib.pipeline.notifications import Notification, notification_in
from chalicelib.pipeline.routing import receivers_of
from chalicelib.wiring import Services

log = logging.getLogger("sightline.fanout")


def fan_out(event: Json, services: Services) -> None:
    """Store a delivery for each destination of an SNS event's results, and send a message for each."""
    attempts = Attempts()
    for record in event["Records"]:
        with attempts.each():
            _fan_out(ImageFinished.from_message(json.loads(record["Sns"]["Message"])), services)
    attempts.raise_first()


def _fan_out(finished: ImageFinished, services: Services) -> None:
    owner, image_id, result = finished.owner, finished.image_id, finished.result
    notification = notification_in(finished, services)
    if not isinstance(notification, Notification):
        log.info("no deliveries for image %r: %s", image_id, notification)
        return
    deliveries = [
        Delivery.of(owner, image_id, result, finished.type, destination.name, destination.place)
        for destination in receivers_of(notification, services)
    ]
    opened = [services.deliveries.open(delivery) for delivery in deliveries]
    # From here on the sweep sends the messages if this function dies before it has.
    services.table.write_many(
        [*services.deliveries.entries(opened), services.markers.fanout_done(owner, image_id, result)]
    )
    for delivery in filter(services.deliveries.is_due, opened):
        services.deliveries_queue.send(delivery.message())
