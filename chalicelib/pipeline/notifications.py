"""Notifications of an image's results, and everything that one try of a delivery needs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from chalicelib.delivery import breakers, delivery_log, keyring, origins, subscriptions
from chalicelib.delivery.breakers import Condition
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.destinations import CALLBACK, INTEGRATION, Place
from chalicelib.delivery.events import DELETED, ON_REQUEST, ImageFinished, type_of
from chalicelib.delivery.keyring import OWNER, SealedSecret
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.expressions import Item
from chalicelib.ids import is_id
from chalicelib.library.record import StoredImage, record_key
from chalicelib.model import DEFAULT_OWNER, Image, Json
from chalicelib.wiring import Services

NO_IMAGE = "The image was deleted."
IN_BIN = "The image is in the bin; send this again once it is restored."
NEWER_RESULT = "The image has a newer result, or is about to get one; that one is delivered instead."


@dataclass(frozen=True)
class Notification:
    """The event ``event_type`` of result number ``result``, with the ``image`` as it is now.

    For an ``erased`` image, the event is its deletion and the image is bare.
    """

    image: Image
    event_type: str
    result: int
    erased: bool = False

    @property
    def on_request(self) -> bool:
        """Whether only subscriptions that name this event type receive it."""
        return self.event_type in ON_REQUEST

    @property
    def outdated(self) -> bool:
        """Whether the image has a newer result."""
        return self.image.result != self.result

    @property
    def replaced_by(self) -> str | None:
        """The event type of the newer result, None if there is none."""
        return type_of(self.image.document()) if self.outdated else None

    def event(self) -> ImageFinished:
        """The event that receivers get, with the image as they may see it."""
        return dataclasses.replace(ImageFinished.of(self.shown), type=self.event_type)

    @property
    def shown(self) -> Image:
        """The image as receivers may see it: without labels and metadata if it was deleted."""
        return self.image.bare(self.image.filename) if self.image.binned else self.image


@dataclass(frozen=True)
class DeliveryContext:
    """A delivery with everything that one try needs.

    ``notification`` is a sentence with the reason if there is nothing to send. ``subscription`` is the one
    that the delivery is for, ``secret`` the secret that signs the request; each is None if there is none.
    ``condition`` is the state of the destination's circuit breaker. ``confirmed`` says whether the origin has
    agreed to receive deliveries at the full rate.
    """

    delivery: Delivery
    notification: Notification | str
    subscription: Subscription | None
    condition: Condition
    secret: SealedSecret | None
    confirmed: bool


def notification_in(event: ImageFinished, services: Services) -> Notification | str:
    """The notification in the topic's message, or why there is none. Reads the record only if truncated."""
    if event.data.get("truncated"):
        item = services.table.get(record_key(event.owner, event.image_id))
        return _notification(item, event.result, event.type)
    image = Image.from_json({**event.data, "owner": event.owner, "key": ""})
    return Notification(image, event.type, event.result)


def context_of(message: Json, services: Services) -> DeliveryContext | None:
    """Read the delivery that a message names with everything it needs, in one batch; None if there is none.

    :raises KeyError, TypeError: this is no delivery message.
    """
    owner, name, place = message["owner"], message["destination"], Place(**message["place"])
    delivery = delivery_log.key_of(owner, message["delivery_id"])
    record = record_key(owner, message["image_id"])
    secret = keyring.key_of(*signer_of(owner, name))
    subscription = subscriptions.key_of(owner, name)
    keys = [delivery, record, secret, *breakers.keys_of(owner, place), origins.key_of(owner, place.origin)]
    keys += [subscription] * is_id(name)
    found = services.table.get_many(keys)
    if delivery not in found:
        return None
    read = Delivery.from_item(found[delivery])
    subscribed, signing = found.get(subscription), found.get(secret)
    return DeliveryContext(
        delivery=read,
        notification=_notification(found.get(record), read.result, read.event_type),
        subscription=subscriptions.subscription_in(subscribed, owner) if subscribed else None,
        condition=services.breakers.read(found, owner, place),
        secret=SealedSecret.from_item(signing) if signing else None,
        confirmed=name == INTEGRATION or origins.confirmed_in(found, owner, place.origin),
    )


def signer_of(owner: str, name: str) -> tuple[str, str]:
    """(owner, signer) of the secret that signs for a destination: the owner's, or a subscription's own."""
    if name == INTEGRATION:
        return DEFAULT_OWNER, OWNER
    return owner, OWNER if name == CALLBACK else name


def _notification(item: Item | None, result: int, event_type: str) -> Notification | str:
    stored = StoredImage(item or {"erased": ""})
    deletion = event_type == DELETED
    if stored.erased and deletion and "body" in stored.item:
        return Notification(stored.image, event_type, result, erased=True)
    if stored.erased:
        return NO_IMAGE
    if stored.binned and not deletion:
        return IN_BIN
    current = stored.final and stored.binned == deletion
    return Notification(stored.image, event_type, result) if current else NEWER_RESULT
