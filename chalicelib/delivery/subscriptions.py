"""Subscriptions: webhooks that get every result, or those that a query matches."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.delivery.destinations import Destination, Format
from chalicelib.delivery.events import EVENT_TYPES
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import is_id, new_id
from chalicelib.model import Json
from chalicelib.quotas import put_within
from chalicelib.table import ConditionFailed, Table

MOST = 100  # of one owner: every result is compared with each
TRIES = 5


@dataclass(frozen=True)
class Subscription:
    """A webhook: its ``url``, its ``format``, and which results it gets.

    ``filter`` is a label query, None for every image; ``event_types`` are some of
    :data:`~chalicelib.delivery.events.EVENT_TYPES`. Nothing is sent to one that is ``paused``.
    """

    id: str
    owner: str
    url: str
    created_at: str
    format: Format = "json"
    filter: str | None = None
    event_types: tuple[str, ...] = EVENT_TYPES
    paused: bool = False

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
            "paused": self.paused,
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
        row = Put(key_of(subscription.owner, subscription.id), _item(subscription))
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
        item = self._row(owner, subscription_id)
        return subscription_in(item, owner) if item else None

    def get(self, owner: str, subscription_id: str) -> Subscription:
        """:raises NotFound: this owner has no such subscription."""
        found = self.find(owner, subscription_id)
        if found is None:
            raise _not_found()
        return found

    def change(
        self, owner: str, subscription_id: str, edit: Callable[[Subscription], Subscription]
    ) -> tuple[Subscription, Subscription]:
        """Store what ``edit`` makes of a subscription as it is now; returns it before and after.

        :raises NotFound: this owner has no such subscription (any more).
        :raises Unavailable: others kept changing it.
        """
        for _ in range(TRIES):
            stored = self._row(owner, subscription_id)
            if stored is None:
                raise _not_found()
            before = subscription_in(stored, owner)
            after = edit(before)
            item: Item = {**_item(after), "revision": new_id()}
            unchanged = {"subscription": stored["subscription"]}
            try:
                self._table.write(Put(key_of(owner, subscription_id), item, when=unchanged))
            except ConditionFailed:
                continue
            return before, after
        raise Unavailable("The subscription keeps being changed by others; ask again.")

    def delete(self, subscription: Subscription) -> None:
        """Remove a subscription; its pending deliveries will be cancelled."""
        self._table.write(Delete(key_of(subscription.owner, subscription.id)))

    def _row(self, owner: str, subscription_id: str) -> Item | None:
        return self._table.get(key_of(owner, subscription_id)) if is_id(subscription_id) else None


def subscription_in(item: Item, owner: str) -> Subscription:
    """The subscription as it is stored."""
    return Subscription.from_json(json.loads(str(item["subscription"])), owner)


def _not_found() -> NotFound:
    return NotFound("There is no such subscription.")


def _item(subscription: Subscription) -> Item:
    return {"subscription": json.dumps(subscription.document(), ensure_ascii=False)}


def _partition(owner: str) -> str:
    return f"{owner}#subscriptions"


def key_of(owner: str, subscription_id: str) -> Key:
    """The key of a subscription."""
    return Key(_partition(owner), subscription_id)
