"""Who is told of a result, and what they are handed."""

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
from chalicelib.pipeline.notifications import News, signer_of
from chalicelib.wiring import Services

FORMATS: Mapping[CallbackFormat, Format] = {"event": "json", "blob": "blob"}


def receivers_of(news: News, services: Services) -> Iterator[Destination]:
    """Everyone who asked to be told of this, but for those who are told of a newer result instead."""
    for name in (INTEGRATION, CALLBACK):
        destination = _standing_one(name, news.image, services)
        if destination and _is_told(destination, news):
            yield destination
    for subscription in services.subscriptions.all(news.image.owner):
        if not subscription.paused and _wants(subscription, news):
            yield subscription.destination


def receiver_of(
    news: News, name: str, subscription: Subscription | None, services: Services
) -> Destination | None:
    """The one of them with that name, which may be the ``subscription``; or None."""
    if name in (INTEGRATION, CALLBACK):
        destination = _standing_one(name, news.image, services)
        return destination if destination and _is_told(destination, news) else None
    return subscription.destination if subscription and _wants(subscription, news) else None


def destination_named(name: str, image: Image, services: Services) -> Destination | None:
    """Where that name leads for an image, whatever is to be told."""
    if name in (INTEGRATION, CALLBACK):
        return _standing_one(name, image, services)
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
    """The event, or the image itself as XML or as a blob, signed for a destination.

    What is too long for others than the integration server comes as an event with a ``link`` to the document.
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
    """Where an image's document can be had for a while, by who has this address."""
    return services.objects.presigned_get(
        sidecar_key(image.key), filename=f"{image.id}.json", content_type="application/json"
    )


def check_receiver(url: str, services: Services) -> None:
    """Raise :exc:`UnusableUrl` for an address that deliveries may not be sent to.

    Without TLS anybody on the way could read them, so only an offline stack may do without.
    """
    if url.partition(":")[0].lower() != "https" and not services.settings.allow_private_urls:
        raise UnusableUrl("Deliveries are sent to https:// addresses only.", code="url-not-https")
    services.outbound.check(url)


def _standing_one(name: str, image: Image, services: Services) -> Destination | None:
    """The integration server, or the image's own callback: they are told of everything."""
    if name == INTEGRATION:
        server = services.integration_address.text()
        return Destination(name, server, "xml", *signer_of(image.owner, name)) if server else None
    url, form = image.callback_url, FORMATS[image.callback_format]
    return Destination(name, url, form, *signer_of(image.owner, name)) if url else None


def _compact(event: Json) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def _is_told(destination: Destination, news: News) -> bool:
    """Of each result the newest; where a blob is wanted, once: with the first result, as it is by then."""
    if news.on_request:
        return False
    if destination.format == "blob":
        return news.result == 1
    return not news.outdated or news.replaced_by in ON_REQUEST


def _wants(subscription: Subscription, news: News) -> bool:
    if news.event_type not in subscription.event_types or news.replaced_by in subscription.event_types:
        return False
    if subscription.filter is None or news.erased:  # what fitted the filter when it was deleted
        return True
    return query.parse(subscription.filter).matches(news.image)
