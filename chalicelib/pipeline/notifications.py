"""What is to be told of an image, to whom, and all that one try of a delivery needs."""

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
NEWER_RESULT = "The image has a newer result, or is about to get one; that one is told of instead."


@dataclass(frozen=True)
class News:
    """An ``image`` as it is now, told of as ``event_type``, which its ``result`` of that number was.

    Of one that is ``erased`` only that is left to be told.
    """

    image: Image
    event_type: str
    result: int
    erased: bool = False

    @property
    def on_request(self) -> bool:
        """Whether only those are told who asked for this type by its name."""
        return self.event_type in ON_REQUEST

    @property
    def outdated(self) -> bool:
        return self.image.result != self.result

    @property
    def replaced_by(self) -> str | None:
        """The type of the newer event that there is of the image, if there is one."""
        return type_of(self.image.document()) if self.outdated else None

    def event(self) -> ImageFinished:
        """The event that receivers get."""
        return dataclasses.replace(ImageFinished.of(self.shown), type=self.event_type)

    @property
    def shown(self) -> Image:
        """The image as receivers see it: of one that was deleted they need not hear what was seen on it."""
        return self.image.bare(self.image.filename) if self.image.binned else self.image


@dataclass(frozen=True)
class Case:
    """A delivery with all that a try of it needs: what is to be told, and what is known of the receiver.

    Where there is nothing to tell, ``news`` is the sentence that says why. ``subscription`` is that of the
    delivery's name, ``secret`` the one that its request is signed with; None where there is none (yet).
    ``confirmed``: the origin has agreed to be called often.
    """

    delivery: Delivery
    news: News | str
    subscription: Subscription | None
    condition: Condition
    secret: SealedSecret | None
    confirmed: bool


def news_in(event: ImageFinished, services: Services) -> News | str:
    """What the topic's message tells; the record is read only where the message had no room for it all."""
    if event.data.get("truncated"):
        item = services.table.get(record_key(event.owner, event.image_id))
        return _news(item, event.result, event.type)
    image = Image.from_json({**event.data, "owner": event.owner, "key": ""})
    return News(image, event.type, event.result)


def case_of(message: Json, services: Services) -> Case | None:
    """All about the delivery that a message names, in one read; None where there is no such delivery.

    :raises KeyError, TypeError: this is no message of ours.
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
    return Case(
        delivery=read,
        news=_news(found.get(record), read.result, read.event_type),
        subscription=subscriptions.subscription_in(subscribed, owner) if subscribed else None,
        condition=services.breakers.read(found, owner, place),
        secret=SealedSecret.from_item(signing) if signing else None,
        confirmed=name == INTEGRATION or origins.confirmed_in(found, owner, place.origin),
    )


def signer_of(owner: str, name: str) -> tuple[str, str]:
    """Whose secret signs for the destination of that name: an owner's, or that of a subscription."""
    if name == INTEGRATION:
        return DEFAULT_OWNER, OWNER
    return owner, OWNER if name == CALLBACK else name


def _news(item: Item | None, result: int, event_type: str) -> News | str:
    stored = StoredImage(item or {"erased": ""})
    deletion = event_type == DELETED
    if stored.erased and deletion and "body" in stored.item:
        return News(stored.image, event_type, result, erased=True)
    if stored.erased:
        return NO_IMAGE
    if stored.binned and not deletion:
        return IN_BIN
    told = stored.final and stored.binned == deletion
    return News(stored.image, event_type, result) if told else NEWER_RESULT
