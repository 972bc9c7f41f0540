"""Routing: which destinations receive a result, and the request that each of them gets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from chalicelib.delivery import blobs, events, xml_document
from chalicelib.delivery.destinations import CALLBACK, INTEGRATION, Destination, Format
from chalicelib.delivery.events import ON_REQUEST, ImageFinished
from chalicelib.delivery.sender import WebhookRequest
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import UnusableUrl
from chalicelib.intake.objects import sidecar_key
from chalicelib.library import query
from chalicelib.model import CallbackFormat, Image, Json
from chalicelib.pipeline.notifications import Notification, signer_of
from chalicelib.wiring import Services

FORMATS: Mapping[CallbackFormat, Format] = {"event": "json", "blob": "blob"}


def receivers_of(notification: Notification, services: Services) -> Iterator[Destination]:
    """The destinations of a notification, except those that get a newer result's instead."""
    for name in (INTEGRATION, CALLBACK):
        destination = _fixed_destination(name, notification.image, services)
        if destination and _gets(destination, notification):
            yield destination
    for subscription in services.subscriptions.all(notification.image.owner):
        if not subscription.paused and _wants(subscription, notification):
            yield subscription.destination


def receiver_of(
    notification: Notification, name: str, subscription: Subscription | None, services: Services
) -> Destination | None:
    """The destination called ``name`` if it is to receive the notification, else None.

    ``subscription`` is the subscription of that name, if there is one.
    """
    if name in (INTEGRATION, CALLBACK):
        destination = _fixed_destination(name, notification.image, services)
        return destination if destination and _gets(destination, notification) else None
    return subscription.destination if subscription and _wants(subscription, notification) else None


def destination_named(name: str, image: Image, services: Services) -> Destination | None:
    """The destination called ``name`` for an image, whatever the notification."""
    if name in (INTEGRATION, CALLBACK):
        return _fixed_destination(name, image, services)
    subscription = services.subscriptions.find(image.owner, name)
    return subscription.destination if subscription else None


def request_for(
    destination: Destination,
    event: ImageFinished,
    image: Image,
    webhook_id: str,
    secrets: Sequence[str],
    link: Callable[[], str],
) -> WebhookRequest:
    """The request to a destination: the event as JSON, or the image as XML or as a blob, to be signed.

    A body that is too long is replaced by an event with a ``link`` to the document, but for the integration
    server.
    """
    match destination.format:
        case "xml":
            content_type, body = xml_document.CONTENT_TYPE, xml_document.to_xml(image)
        case "blob":
            content_type, body = blobs.CONTENT_TYPE, json.dumps(blobs.document(image)).encode()
        case "json":
            content_type = events.CONTENT_TYPE
            body = _compact(event.to_json())
    if len(body) > events.WHOLE_BYTES and destination.name != INTEGRATION:
        content_type, body = events.CONTENT_TYPE, _compact(event.linked(link()))
    return WebhookRequest(destination.url, content_type, body, webhook_id, secrets)


def link_to(image: Image, services: Services) -> str:
    """A presigned URL of an image's sidecar, the full document."""
    return services.objects.presigned_get(
        sidecar_key(image.key), filename=f"{image.id}.json", content_type="application/json"
    )


def check_receiver(url: str, services: Services) -> None:
    """Raise :exc:`UnusableUrl` for a URL that deliveries may not be sent to.

    Only the offline stack may send without TLS.
    """
    if url.partition(":")[0].lower() != "https" and not services.settings.allow_private_urls:
        raise UnusableUrl("Deliveries are sent to https:// addresses only.", code="url-not-https")
    services.outbound.check(url)


def _fixed_destination(name: str, image: Image, services: Services) -> Destination | None:
    """The integration server, or the image's callback; None if it is not set."""
    if name == INTEGRATION:
        server = services.integration_address.text()
        return Destination(name, server, "xml", *signer_of(image.owner, name)) if server else None
    url, form = image.callback_url, FORMATS[image.callback_format]
    return Destination(name, url, form, *signer_of(image.owner, name)) if url else None


def _compact(event: Json) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def _gets(destination: Destination, notification: Notification) -> bool:
    """Whether a fixed destination receives the notification: the newest result only.

    A receiver of blobs gets one only: for the first result, with the image as it is by then.
    """
    if notification.on_request:
        return False
    if destination.format == "blob":
        return notification.result == 1
    return not notification.outdated or notification.replaced_by in ON_REQUEST


def _wants(subscription: Subscription, notification: Notification) -> bool:
    if (
        notification.event_type not in subscription.event_types
        or notification.replaced_by in subscription.event_types
    ):
        return False
    if subscription.filter is None or notification.erased:  # the fan-out checked the filter before
        return True
    return query.parse(subscription.filter).matches(notification.image)
