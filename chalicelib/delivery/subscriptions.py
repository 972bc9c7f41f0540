"""Subscriptions: standing requests to be told of results."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.delivery.destinations import Destination, Format
from chalicelib.delivery.events import EVENT_TYPES
from chalicelib.errors import Conflict, NotFound
from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import is_id
from chalicelib.model import Json
from chalicelib.quotas import put_within
from chalicelib.table import Table

MOST = 100  # of one owner: every result is held against each


@dataclass(frozen=True)
class Subscription:
    """Who wants to be told: at which ``url``, in which ``format``, of which results.

    ``filter`` is a label query, None for every image; ``event_types`` are some of
    :data:`~chalicelib.delivery.events.EVENT_TYPES`.
    """

    id: str
    owner: str
    url: str
    created_at: str
    format: Format = "json"
    filter: str | None = None
    event_types: tuple[str, ...] = EVENT_TYPES

    @property
    def destination(self) -> Destination:
        return Destination(self.id, self.url, self.format, self.owner, signer=self.id)

    def document(self) -> Json:
        """The subscription as its owner sees it."""
        return {
            "id": self.id,
            "url": self.url,
            "created_at": self.created_at,
            "format": self.format,
            "filter": self.filter,
            "event_types": list(self.event_types),
        }

    @classmethod
    def from_json(cls, data: Json, owner: str) -> Subscription:
        return cls(**{**data, "event_types": tuple(data["event_types"])}, owner=owner)


class Subscriptions:
    """Reads and writes subscriptions, by owner."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def create(self, subscription: Subscription) -> None:
        """Store a new subscription. Raises :exc:`Conflict` where its owner has 100 already."""
        text = json.dumps(subscription.document(), ensure_ascii=False)
        row = Put(key_of(subscription.owner, subscription.id), {"subscription": text})
        if not put_within(self._table, row, MOST, self._now()):
            raise Conflict(
                f"There are {MOST} subscriptions; remove one first.", code="too-many-subscriptions"
            )

    def all(self, owner: str) -> tuple[Subscription, ...]:
        """An owner's subscriptions, newest first."""
        items = self._table.query(_partition(owner), limit=2 * MOST, newest_first=True)
        return tuple(subscription_in(item, owner) for item in items)

    def find(self, owner: str, subscription_id: str) -> Subscription | None:
        """A subscription, or None."""
        item = self._table.get(key_of(owner, subscription_id)) if is_id(subscription_id) else None
        return subscription_in(item, owner) if item else None

    def get(self, owner: str, subscription_id: str) -> Subscription:
        """:raises NotFound: this owner has no such subscription."""
        found = self.find(owner, subscription_id)
        if found is None:
            raise NotFound("There is no such subscription.")
        return found

    def delete(self, subscription: Subscription) -> None:
        """Remove a subscription; what is on its way to it will be cancelled."""
        self._table.write(Delete(key_of(subscription.owner, subscription.id)))


def subscription_in(item: Item, owner: str) -> Subscription:
    """The subscription as it is stored."""
    return Subscription.from_json(json.loads(str(item["subscription"])), owner)


def _partition(owner: str) -> str:
    return f"{owner}#subscriptions"


def key_of(owner: str, subscription_id: str) -> Key:
    """The key of a subscription."""
    return Key(_partition(owner), subscription_id)
