"""The worker brings deliveries: one try each, side by side, and what comes of it is recorded and planned for.

Between any two steps it may die: the log says what is due, and the sweep sends a message for whatever
nobody came for. A message is only a hint to look there, so a repeated or late one does no harm.
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
from chalicelib.pipeline.notifications import IN_BIN, NEWER_RESULT, Case, News, case_of
from chalicelib.pipeline.routing import link_to, receiver_of, request_for
from chalicelib.wiring import Services

log = logging.getLogger("sightline.deliveries")

AT_ONCE = 10  # the most messages that SQS hands over together

CROWDED_SECONDS = (SOON_SECONDS + 1, SOON_SECONDS + 30)  # so late that the sweep comes, and no message

NOBODY = "Nobody is to be told there any more."
DISABLED = "The destination is disabled: {} Send this delivery again to enable it."
PAUSED = "The subscription is paused."
REFUSED = "The receiver refused it for good."
GAVE_UP = f"All {schedule.TRIES} tries failed."


def deliver(event: Json, services: Services) -> Json:
    """Bring an SQS event's deliveries to their destinations, side by side.

    What a destination does is recorded and planned for. A delivery that is to be tried again soon, or that
    met a fault of our own, is reported as failed, and its message comes again.
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
    """Make one try; in how many seconds this message is to come for the next, None where it is not."""
    case = case_of(message.body, services)
    if case is None or not services.deliveries.is_due(case.delivery):
        log.info("nothing to deliver now: message %r", message.id)
        return services.deliveries.soon(case.delivery) if case else None
    with logs.about(image_id=case.delivery.image_id, delivery_id=case.delivery.id):
        try:
            brought = _bring(case, in_flight, services)
            services.metrics.put(DELIVERIES, 1, by=brought.status)
        except Superseded as error:
            log.info("left to another worker: %s", error)
            return None
    return services.deliveries.soon(brought)


def _bring(case: Case, in_flight: InFlight, services: Services) -> Delivery:
    """Make one try, unless the delivery has become pointless; answers what has become of it."""
    delivery, news = case.delivery, case.news
    if news == IN_BIN:
        return services.deliveries.park(delivery, IN_BIN)
    if not isinstance(news, News):
        return services.deliveries.cancel(delivery, news)
    destination = receiver_of(news, delivery.destination, case.subscription, services)
    if destination is None:
        return services.deliveries.cancel(delivery, NEWER_RESULT if news.outdated else NOBODY)
    if case.subscription and case.subscription.paused:
        return services.deliveries.park(delivery, PAUSED)
    condition, confirmed = _known_of(destination, case, services)
    if condition.receiver.disabled_at:
        return services.deliveries.park(delivery, DISABLED.format(condition.receiver.reason))
    if delivery.tries >= schedule.TRIES:  # the last one was interrupted
        return services.deliveries.park(delivery, GAVE_UP)
    if destination.name == INTEGRATION:  # the operator's own, who says how much is sent at once
        return _try(case, news, destination, condition, services)
    with in_flight.room(destination.place.origin) as free:
        if not free:
            return services.deliveries.postpone(delivery, random.uniform(*CROWDED_SECONDS))  # noqa: S311
        if not confirmed and condition.breaker.open_until() <= services.now():
            wait = services.origins.wait_for(delivery.owner, destination.place.origin)
            if wait:
                return services.deliveries.postpone(delivery, wait)
        return _try(case, news, destination, condition, services)


def _try(
    case: Case, news: News, destination: Destination, condition: Condition, services: Services
) -> Delivery:
    """Send it once, unless the origin's breaker is open; answers what has become of it."""
    delivery = case.delivery
    signing = _signing(case, destination, services)  # a fault of ours counts for no try
    claimed = services.deliveries.claim(delivery)
    if not services.breakers.may_ask(delivery.owner, destination.place, condition.breaker):
        return _record(sender.unsent(services.now()), claimed, services)
    image = news.shown
    request = request_for(
        destination, news.event(), image, delivery.id, signing, lambda: link_to(image, services)
    )
    timeout = services.settings.delivery_timeout_seconds
    result = sender.send(request, services.outbound, deadline=timeout, now=services.now)
    _note(result, delivery.owner, destination, condition, services)
    return _record(result, claimed, services)


def _known_of(destination: Destination, case: Case, services: Services) -> tuple[Condition, bool]:
    """Its condition, and whether its origin has agreed: read anew where it has moved since the fan-out."""
    owner, place = case.delivery.owner, destination.place
    if place == case.delivery.place:
        return case.condition, case.confirmed
    agreed = destination.name == INTEGRATION or services.origins.is_confirmed(owner, place.origin)
    return services.breakers.of(owner, place), agreed


def _signing(case: Case, destination: Destination, services: Services) -> list[str]:
    owner, signer = destination.owner, destination.signer
    if case.secret:
        return services.keyring.open(case.secret, owner, signer).signing(services.now())
    return services.keyring.get(owner, signer).signing(services.now())


def _record(result: SendResult, claimed: Delivery, services: Services) -> Delivery:
    attempt = result.attempt
    # Neither the URL nor the answer: both may hold what is nobody else's business.
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


def _note(
    result: SendResult, owner: str, destination: Destination, before: Condition, services: Services
) -> None:
    """Remember how the destination did: before the delivery's own record, so that a repeat cannot miss it."""
    place = destination.place
    if result.verdict is Verdict.ARRIVED:
        if before != Condition():
            services.breakers.clear(owner, place)
    elif result.verdict is Verdict.GONE:
        services.breakers.disable(owner, place, GONE)
    else:
        may_pass = result.verdict is Verdict.AGAIN
        services.breakers.count_failure(owner, place, before, may_pass=may_pass)
