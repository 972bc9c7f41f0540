"""Who is told of a result, and what they are handed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from chalicelib.delivery import documents, events
from chalicelib.delivery.courier import Parcel
from chalicelib.delivery.destinations import CALLBACK, INTEGRATION, Destination
from chalicelib.delivery.events import ImageFinished
from chalicelib.delivery.keyring import OWNER
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import UnusableUrl
from chalicelib.library import query
from chalicelib.model import Image, Json
from chalicelib.wiring import Services


def receivers_of(image: Image, services: Services) -> Iterator[Destination]:
    """Everyone who asked to be told of an image's present result."""
    for name in (INTEGRATION, CALLBACK):
        if destination := receiver(image.owner, name, image, services):
            yield destination
    for subscription in services.subscriptions.all(image.owner):
        if _wants(subscription, image):
            yield subscription.destination


def receiver(owner: str, name: str, image: Image, services: Services) -> Destination | None:
    """The destination of that name for an image; None where there is none, or no longer."""
    if name == INTEGRATION:
        url = services.settings.integration_url
        return Destination(name, url, "xml", signer=OWNER) if url else None
    if name == CALLBACK:
        return Destination(name, image.callback_url, "json", signer=OWNER) if image.callback_url else None
    subscription = services.subscriptions.find(owner, name)
    return subscription.destination if subscription else None


def parcel_for(destination: Destination, image: Image, webhook_id: str, services: Services) -> Parcel:
    """The signed document of an image's result for a destination."""
    return packed(destination, image, ImageFinished.of(image).to_json(), webhook_id, services)


def packed(
    destination: Destination, image: Image, event: Json, webhook_id: str, services: Services
) -> Parcel:
    """An image, as a document or inside of ``event``, signed for a destination."""
    xml = destination.format == "xml"
    body = documents.to_xml(image) if xml else json.dumps(event, separators=(",", ":")).encode()
    content_type = documents.CONTENT_TYPE if xml else events.CONTENT_TYPE
    secret = services.keyring.get(image.owner, destination.signer)
    return Parcel(destination.url, content_type, body, webhook_id, secret.signing(services.now()))


def check_receiver(url: str, services: Services) -> None:
    """Raise :exc:`UnusableUrl` for an address that deliveries may not be sent to.

    Without TLS anybody on the way could read them, so only an offline stack may do without.
    """
    if urlsplit(url).scheme.lower() != "https" and not services.settings.allow_private_urls:
        raise UnusableUrl("Deliveries are sent to https:// addresses only.", code="url-not-https")
    services.outbound.check(url)


def _wants(subscription: Subscription, image: Image) -> bool:
    if events.type_of(image) not in subscription.event_types:
        return False
    return subscription.filter is None or query.parse(subscription.filter).matches(image)
