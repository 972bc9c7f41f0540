"""Everyone who asked is told: the fan-out makes deliveries, the worker brings them."""

from __future__ import annotations

import json
import logging

from chalicelib.delivery import courier
from chalicelib.delivery.deliveries import INTEGRATION, Delivery
from chalicelib.delivery.events import ImageFinished
from chalicelib.model import Json
from chalicelib.pipeline.batches import bodies, for_each
from chalicelib.wiring import Services

log = logging.getLogger("sightline.telling")


def fan_out(event: Json, services: Services) -> None:
    """Make one delivery for each destination of an SNS event's results, and one message for each delivery."""
    finished = (ImageFinished.from_json(json.loads(record["Sns"]["Message"])) for record in event["Records"])
    for_each(finished, lambda one: _fan_out(one, services))


def deliver(event: Json, services: Services) -> None:
    """Bring an SQS event's deliveries to where they go; a failure is raised, so the queue tries again."""
    for_each(bodies(event), lambda body: _deliver(body["owner"], body["delivery_id"], services))


def _fan_out(finished: ImageFinished, services: Services) -> None:
    for destination in [INTEGRATION] if services.settings.integration_url else []:
        delivery = Delivery.of(finished.owner, finished.image_id, finished.result, destination)
        if services.deliveries.open(delivery).status == "pending":
            services.deliveries_queue.send(delivery.to_json())


def _deliver(owner: str, delivery_id: str, services: Services) -> None:
    delivery = services.deliveries.find(owner, delivery_id)
    record = services.images.find(owner, delivery.image_id) if delivery else None
    if delivery is None or record is None or delivery.status != "pending":
        log.info("nothing to deliver: %r", delivery_id)
        return
    url = services.settings.integration_url
    reference = courier.bring_xml(record.image, url, delivery.id, services.outbound)
    services.deliveries.mark_delivered(delivery, reference)
