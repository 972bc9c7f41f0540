"""The fan-out: one delivery for each destination of a result.

It goes by the topic's message and reads no record, so it may be late or come again: deliveries are made
once, and one that has become pointless is cancelled by the worker.
"""

from __future__ import annotations

import json
import logging

from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.events import ImageFinished
from chalicelib.model import Json
from chalicelib.pipeline.batches import Attempts
from chalicelib.pipeline.notifications import News, news_in
from chalicelib.pipeline.routing import receivers_of
from chalicelib.wiring import Services

log = logging.getLogger("sightline.fanout")


def fan_out(event: Json, services: Services) -> None:
    """Make one delivery for each destination of an SNS event's results, and one message for each delivery."""
    attempts = Attempts()
    for record in event["Records"]:
        with attempts.each():
            _fan_out(ImageFinished.from_message(json.loads(record["Sns"]["Message"])), services)
    attempts.raise_first()


def _fan_out(finished: ImageFinished, services: Services) -> None:
    owner, image_id, result = finished.owner, finished.image_id, finished.result
    news = news_in(finished, services)
    if not isinstance(news, News):
        log.info("nobody is told of %r: %s", image_id, news)
        return
    made = [
        Delivery.of(owner, image_id, result, finished.type, destination.name, destination.place)
        for destination in receivers_of(news, services)
    ]
    opened = [services.deliveries.open(delivery) for delivery in made]
    # From here on the sweep sends the messages, should this end before it has.
    services.table.write_many(
        [*services.deliveries.entries(opened), services.markers.told(owner, image_id, result)]
    )
    for delivery in filter(services.deliveries.is_due, opened):
        services.deliveries_queue.send(delivery.message())
