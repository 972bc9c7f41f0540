"""Everyone who asked is told: the fan-out makes deliveries, the worker brings them.

Between any two steps a worker may die: the log says what is due, and the sweep sends a message for
whatever nobody came for. A message is only a hint to look there, so a repeated or late one does no harm.
"""

from __future__ import annotations

import json
import logging

from chalicelib import logs
from chalicelib.delivery import courier, schedule
from chalicelib.delivery.attempts import Verdict
from chalicelib.delivery.courier import Outcome
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.destinations import Destination
from chalicelib.delivery.events import ImageFinished
from chalicelib.delivery.standings import GONE, Standing
from chalicelib.errors import Superseded
from chalicelib.metrics import DELIVERIES
from chalicelib.model import Json
from chalicelib.pipeline import measuring
from chalicelib.pipeline.batches import Message, each_message, for_each
from chalicelib.pipeline.news import NEWER_RESULT, News, news_of
from chalicelib.pipeline.receivers import packed, receiver_of, receivers_of
from chalicelib.wiring import Services

log = logging.getLogger("sightline.telling")

AT_ONCE = 10  # the most messages that SQS hands over together

NOBODY = "Nobody is to be told there any more."
DISABLED = "The destination is disabled: {} Send this delivery again to enable it."
REFUSED = "The receiver refused it for good."
GAVE_UP = f"All {schedule.TRIES} tries failed."


def fan_out(event: Json, services: Services) -> None:
    """Make one delivery for each destination of an SNS event's results, and one message for each delivery."""

    def fan_out_one(record: Json) -> None:
        _fan_out(ImageFinished.from_message(json.loads(record["Sns"]["Message"])), services)

    for_each(event["Records"], fan_out_one)


def deliver(event: Json, services: Services) -> Json:
    """Bring an SQS event's deliveries to their destinations, side by side.

    What a destination does is recorded and planned for. A delivery that is to be tried again soon, or that
    met a fault of our own, is reported as failed, and its message comes again.
    """
    measuring.waited(event, "deliveries", services)

    def deliver_one(message: Message) -> float | None:
        body = message.body
        return _deliver(body["owner"], body["delivery_id"], services)

    reports = services.settings.partial_batches
    return each_message(event, deliver_one, services.deliveries_queue, reports=reports, at_once=AT_ONCE)


def _fan_out(finished: ImageFinished, services: Services) -> None:
    owner, image_id, result = finished.owner, finished.image_id, finished.result
    news = news_of(owner, image_id, result, finished.type, services)
    if not isinstance(news, News):
        log.info("nobody is told of %r: %s", image_id, news)
        return
    for destination in receivers_of(news, services):
        delivery = Delivery.of(owner, image_id, result, finished.type, destination.name)
        opened = services.deliveries.open(delivery)
        if services.deliveries.is_due(opened):
            services.deliveries_queue.send(opened.message())


def _deliver(owner: str, delivery_id: str, services: Services) -> float | None:
    """Make one try; in how many seconds this message is to come for the next, None where it is not."""
    delivery = services.deliveries.find(owner, delivery_id)
    if delivery is None or not services.deliveries.is_due(delivery):
        log.info("nothing to deliver now: %r", delivery_id)
        return services.deliveries.soon(delivery) if delivery else None
    with logs.about(image_id=delivery.image_id, delivery_id=delivery.id):
        try:
            brought = _bring(delivery, services)
            services.metrics.put(DELIVERIES, 1, by=brought.status)
        except Superseded as error:
            log.info("left to another worker: %s", error)
            return None
    return services.deliveries.soon(brought)


def _bring(delivery: Delivery, services: Services) -> Delivery:
    """Make one try, unless the delivery has become pointless; answers what has become of it."""
    news = news_of(delivery.owner, delivery.image_id, delivery.result, delivery.event_type, services)
    if not isinstance(news, News):
        return services.deliveries.cancel(delivery, news)
    destination = receiver_of(news, delivery.destination, services)
    if destination is None:
        return services.deliveries.cancel(delivery, NEWER_RESULT if news.outdated else NOBODY)
    standing = services.standings.of(delivery.owner, destination.address)
    if standing.disabled_at:
        return services.deliveries.park(delivery, DISABLED.format(standing.reason))
    if delivery.tries >= schedule.TRIES:  # the last one was interrupted
        return services.deliveries.park(delivery, GAVE_UP)
    claimed = services.deliveries.claim(delivery)
    if not services.standings.may_ask(delivery.owner, destination.address, standing):
        return _record(courier.spared(services.now()), claimed, services)
    parcel = packed(destination, news.event(), news.image, delivery.id, services)
    timeout = services.settings.delivery_timeout_seconds
    outcome = courier.bring(parcel, services.outbound, deadline=timeout, now=services.now)
    _note(outcome, delivery.owner, destination, standing, services)
    return _record(outcome, claimed, services)


def _record(outcome: Outcome, claimed: Delivery, services: Services) -> Delivery:
    attempt = outcome.attempt
    # Neither the URL nor the answer: both may hold what is nobody else's business.
    log.info(
        "delivery %r of image %r to %r, try %d: %s",
        claimed.id,
        claimed.image_id,
        claimed.destination,
        claimed.tries,
        attempt.status or attempt.error,
    )
    match outcome.verdict:
        case Verdict.ARRIVED:
            return services.deliveries.mark_delivered(claimed, attempt, outcome.reference)
        case Verdict.GONE:
            return services.deliveries.park(claimed, GONE, attempt)
        case Verdict.NEVER:
            return services.deliveries.park(claimed, REFUSED, attempt)
        case Verdict.AGAIN:
            return _plan(outcome, claimed, services)


def _plan(outcome: Outcome, claimed: Delivery, services: Services) -> Delivery:
    wait = schedule.wait_after(claimed.tries, outcome.asked_wait)
    if wait is None:
        return services.deliveries.park(claimed, GAVE_UP, outcome.attempt)
    return services.deliveries.plan(claimed, outcome.attempt, wait)


def _note(
    outcome: Outcome, owner: str, destination: Destination, standing: Standing, services: Services
) -> None:
    """Remember how the destination did: before the delivery's own record, so that a repeat cannot miss it."""
    if outcome.verdict is Verdict.ARRIVED:
        if standing.failures:
            services.standings.clear(owner, destination.address)
    elif outcome.verdict is Verdict.GONE:
        services.standings.disable(owner, destination.address, GONE)
    else:
        may_pass = outcome.verdict is Verdict.AGAIN
        services.standings.count_failure(owner, destination.address, standing, may_pass=may_pass)
