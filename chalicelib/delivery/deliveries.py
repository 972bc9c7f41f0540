"""The delivery log: one row for each image, result and destination, whatever happens to the messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from chalicelib.expressions import Item, Key, Put, Update
from chalicelib.ids import derived_id, rfc3339
from chalicelib.model import Json
from chalicelib.table import ConditionFailed, Table

INTEGRATION = "integration"


@dataclass(frozen=True)
class Delivery:
    """A result on its way to one destination; its id is derived, so that the same one is never made twice."""

    id: str
    owner: str
    image_id: str
    result: int
    destination: str
    status: Literal["pending", "delivered"] = "pending"
    created_at: str = ""
    delivered_at: str = ""
    reference: str = ""

    @classmethod
    def of(cls, owner: str, image_id: str, result: int, destination: str) -> Delivery:
        """The delivery of an image's ``result`` to ``destination``."""
        return cls(
            derived_id(owner, image_id, str(result), destination), owner, image_id, result, destination
        )

    def to_json(self) -> Json:
        """The message on the queue: enough to find the row, which is the truth."""
        return {"version": 1, "owner": self.owner, "delivery_id": self.id}


class Deliveries:
    """Reads and writes the rows."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def open(self, delivery: Delivery) -> Delivery:
        """Store a new delivery, or give the one that is there already."""
        fresh = dataclasses.replace(delivery, created_at=rfc3339(self._now()))
        item: Item = dict(dataclasses.asdict(fresh))
        try:
            self._table.write(Put(_key(delivery.owner, delivery.id), item, when={"id": None}))
        except ConditionFailed:
            return self.find(delivery.owner, delivery.id) or fresh
        return fresh

    def find(self, owner: str, delivery_id: str) -> Delivery | None:
        """A delivery, or None."""
        item = self._table.get(_key(owner, delivery_id))
        fields = {field.name for field in dataclasses.fields(Delivery)}
        return Delivery(**{n: v for n, v in item.items() if n in fields}) if item else None  # type: ignore[arg-type]  # as written by open

    def mark_delivered(self, delivery: Delivery, reference: str | None) -> None:
        """Remember that the destination has taken it, and by which reference it knows it."""
        done = {"status": "delivered", "delivered_at": rfc3339(self._now()), "reference": reference or ""}
        self._table.write(Update(_key(delivery.owner, delivery.id), set=done))


def _key(owner: str, delivery_id: str) -> Key:
    return Key(f"{owner}#delivery#{delivery_id}", "delivery")
