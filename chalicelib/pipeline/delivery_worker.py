"""The delivery worker: sends each delivery once per message, in parallel, and records or plans what follows.

It may die between any two steps. The delivery log says what is due, and the sweep sends a new message for
whatever is overdue. A message is only a hint to read the log, so a repeated or late one does no harm.
"""

from __future__ import annotations

import logging
import random

from chalicelib import logs
from chalicelib.delivery import schedule, sender
from chalicelib.delivery.breakers import GONE, Condition
from chalicelib.delivery.delivery import Delivery, Verdict
from chalicelib.delivery.delivery_log import SOON_SECONDS
from chalicelib.delivery.destinations import INTEGRATION, Destination
from chalicelib.delivery.origins import InFlight, share_of
from chalicelib.delivery.sender import SendResult
from chalicelib.errors import Superseded
from chalicelib.metrics import DELIVERIES
from chalicelib.model import Json
from chalicelib.pipeline.batches import Message, each_message, report_ages
from chalicelib.pipeline.notifications import IN_BIN, NEWER_RESULT, DeliveryContext, Notification, context_of
from chalicelib.pipeline.routing import link_to, receiver_of, request_for
from chalicelib.wiring import Services

log = logging.getLogger("sightline.deliveries")

AT_ONCE = 10  # the most messages that SQS hands over together

CROWDED_SECONDS = (SOON_SECONDS + 1, SOON_SECONDS + 30)  # long enough to leave the retry to the sweep

NOT_WANTED = "The destination no longer receives this event."
DISABLED = "The destination is disabled: {} Send this delivery again to enable it."
PAUSED = "The subscription is paused."
REFUSED = "The receiver refused it for good."
GAVE_UP = f"All {schedule.TRIES} tries failed."


def deliver(event: Json, services: Services) -> Json:
    """Send the deliveries of an SQS event in parallel; returns the partial batch response.

    Every answer is recorded. A delivery that is to be retried soon, or that met an error of this service, is
    reported as failed, so that its message is received again.
    """
    report_ages(event, "deliveries", services)
    chosen = services.settings
    in_flight = InFlight(share_of(chosen.in_flight_per_origin, chosen.deliveries_concurrency))
    return each_message(
        event,
        lambda message: _deliver(message, in_flight, services),
        services.deliveries_queue,
        reports=services.settings.partial_batches,
        at_once=AT_ONCE,
    )


def _deliver(message: Message, in_flight: InFlight, services: Services) -> float | None:
    """Make one try; returns the seconds until this message shall be received again, None if never."""
    context = context_of(message.body, services)
    if context is None or not services.deliveries.is_due(context.delivery):
        log.info("nothing to deliver now: message %r", message.id)
        return services.deliveries.soon(context.delivery) if context else None
    with logs.about(image_id=context.delivery.image_id, delivery_id=context.delivery.id):
        try:
            delivery = _attempt(context, in_flight, services)
            services.metrics.put(DELIVERIES, 1, by=delivery.status)
        except Superseded as error:
            log.info("left to another worker: %s", error)
            return None
    return services.deliveries.soon(delivery)


def _attempt(context: DeliveryContext, in_flight: InFlight, services: Services) -> Delivery:
    """Make one try unless the delivery has become pointless; returns the stored delivery."""
    delivery, notification = context.delivery, context.notification
    if notification == IN_BIN:
        return services.deliveries.park(delivery, IN_BIN)
    if not isinstance(notification, Notification):
        return services.deliveries.cancel(delivery, notification)
    destination = receiver_of(notification, delivery.destination, context.subscription, services)
    if destination is None:
        return services.deliveries.cancel(delivery, NEWER_RESULT if notification.outdated else NOT_WANTED)
    if context.subscription and context.subscription.paused:
        return services.deliveries.park(delivery, PAUSED)
    condition, confirmed = _state_of(destination, context, services)
    if condition.receiver.disabled_at:
        return services.deliveries.park(delivery, DISABLED.format(condition.receiver.reason))
    if delivery.tries >= schedule.TRIES:  # the last one was interrupted
        return services.deliveries.park(delivery, GAVE_UP)
    if destination.name == INTEGRATION:  # the operator's own server: DELIVERIES_CONCURRENCY is its limit
        return _try(context, notification, destination, condition, services)
    with in_flight.room(destination.place.origin) as free:
        if not free:
            return services.deliveries.postpone(delivery, random.uniform(*CROWDED_SECONDS))  # noqa: S311
        if not confirmed and condition.breaker.open_until() <= services.now():
            wait = services.origins.wait_for(delivery.owner, destination.place.origin)
            if wait:
                return services.deliveries.postpone(delivery, wait)
        return _try(context, notification, destination, condition, services)


def _try(
    context: DeliveryContext,
    notification: Notification,
    destination: Destination,
    condition: Condition,
    services: Services,
) -> Delivery:
    """Send the delivery once, unless the origin's breaker is open; returns the stored delivery."""
    delivery = context.delivery
    signing = _signing_secrets(context, destination, services)  # an error here counts for no try
    claimed = services.deliveries.claim(delivery)
    if not services.breakers.may_ask(delivery.owner, destination.place, condition.breaker):
        return _record(sender.unsent(services.now()), claimed, services)
    image = notification.shown
    request = request_for(
        destination, notification.event(), image, delivery.id, signing, lambda: link_to(image, services)
    )
    timeout = services.settings.delivery_timeout_seconds
    result = sender.send(request, services.outbound, deadline=timeout, now=services.now)
    _update_breaker(result, delivery.owner, destination, condition, services)
    return _record(result, claimed, services)


def _state_of(
    destination: Destination, context: DeliveryContext, services: Services
) -> tuple[Condition, bool]:
    """The destination's condition, and whether its origin is confirmed.

    Both are read again if the destination's URL has changed since the fan-out.
    """
    owner, place = context.delivery.owner, destination.place
    if place == context.delivery.place:
        return context.condition, context.confirmed
    confirmed = destination.name == INTEGRATION or services.origins.is_confirmed(owner, place.origin)
    return services.breakers.of(owner, place), confirmed


def _signing_secrets(context: DeliveryContext, destination: Destination, services: Services) -> list[str]:
    owner, signer = destination.owner, destination.signer
    if context.secret:
        return services.keyring.open(context.secret, owner, signer).signing(services.now())
    return services.keyring.get(owner, signer).signing(services.now())


def _record(result: SendResult, claimed: Delivery, services: Services) -> Delivery:
    attempt = result.attempt
    # The URL and the answer may hold secrets: they are not logged.
    log.info(
        "delivery %r of image %r to %r, try %d: %s",
        claimed.id,
        claimed.image_id,
        claimed.destination,
        claimed.tries,
        attempt.status or attempt.error,
    )
    match result.verdict:
        case Verdict.ARRIVED:
            return services.deliveries.mark_delivered(claimed, attempt, result.reference)
        case Verdict.GONE:
            return services.deliveries.park(claimed, GONE, attempt)
        case Verdict.NEVER:
            return services.deliveries.park(claimed, REFUSED, attempt)
        case Verdict.AGAIN:
            wait = schedule.wait_after(claimed.tries, result.asked_wait)
            if wait is None:
                return services.deliveries.park(claimed, GAVE_UP, attempt)
            return services.deliveries.plan(claimed, attempt, wait)


def _update_breaker(
    result: SendResult, owner: str, destination: Destination, before: Condition, services: Services
) -> None:
    """Update the circuit breaker, before the delivery's record: after a crash a failure may count twice."""
    place = destination.place
    if result.verdict is Verdict.ARRIVED:
        if before != Condition():
            services.breakers.clear(owner, place)
    elif result.verdict is Verdict.GONE:
        services.breakers.disable(owner, place, GONE)
    else:
        may_pass = result.verdict is Verdict.AGAIN
        services.breakers.count_failure(owner, place, before, may_pass=may_pass)
