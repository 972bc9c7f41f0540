"""A delivery: one result of an image on its way to one destination, with every attempt to send it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from chalicelib.delivery.destinations import Place
from chalicelib.expressions import Item
from chalicelib.ids import derived_id, rfc3339
from chalicelib.model import Json

Status = Literal["pending", "delivered", "parked", "cancelled"]
KEPT_ATTEMPTS = 30  # three full rounds; a stored item has room for 400 KB

INTERRUPTED = "The worker was interrupted; the receiver may have got it."


@dataclass(frozen=True)
class Attempt:
    """An attempt: ``at`` (RFC 3339), the HTTP ``status`` of the answer, its first kB of text, its duration.

    ``error`` says why there was no answer; an attempt without ``status`` and ``error`` is under way.
    """

    at: str
    status: int | None = None
    duration_ms: int | None = None
    answer: str = ""
    error: str | None = None

    @property
    def under_way(self) -> bool:
        return self.status is None and self.error is None

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Attempt:
        return cls(**data)


class Verdict(Enum):
    """What an answer means for a delivery."""

    ARRIVED = "arrived"
    AGAIN = "again"  # later, by the schedule
    NEVER = "never"  # the same document will be refused again
    GONE = "gone"  # nobody listens there any more


@dataclass(frozen=True)
class Delivery:
    """A delivery. Its ``id`` is derived from what it delivers to whom, so it is never made twice.

    ``destination`` is ``integration``, ``callback`` or a subscription's id, ``place`` where it led when the
    delivery was made. ``tries`` counts attempts since it was last started; ``attempts`` are the latest 30,
    oldest first. ``next_attempt_at`` and ``lease_until`` (a worker holds it until then) are seconds since
    1970. ``reason`` says why it is parked or cancelled, ``reference`` is the receiver's name for it.
    ``revision`` changes with every change.
    """

    id: str
    owner: str
    image_id: str
    result: int
    event_type: str
    destination: str
    place: Place
    status: Status = "pending"
    created_at: str = ""
    settled_at: str | None = None
    next_attempt_at: float = 0.0
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    reference: str | None = None
    reason: str | None = None
    lease_until: float = 0.0
    revision: str = ""

    @classmethod
    def of(
        cls, owner: str, image_id: str, result: int, event_type: str, destination: str, place: Place
    ) -> Delivery:
        """The delivery of an image's ``result`` to ``destination``."""
        made = derived_id(owner, image_id, str(result), destination)
        return cls(made, owner, image_id, result, event_type, destination, place)

    def message(self) -> Json:
        """The message on the queue: enough to read all that an attempt needs in one call."""
        return {
            "version": 1,
            "owner": self.owner,
            "delivery_id": self.id,
            "image_id": self.image_id,
            "destination": self.destination,
            "place": dataclasses.asdict(self.place),
        }

    def begun(self, at: float) -> Delivery:
        """With one more attempt, under way since ``at``; one that never ended was interrupted."""
        ended = (
            dataclasses.replace(one, error=INTERRUPTED) if one.under_way else one for one in self.attempts
        )
        attempts = (*ended, Attempt(rfc3339(at)))[-KEPT_ATTEMPTS:]
        return dataclasses.replace(self, tries=self.tries + 1, attempts=attempts)

    def ended(self, attempt: Attempt) -> Delivery:
        """With the outcome of the attempt that was under way."""
        return dataclasses.replace(self, attempts=(*self.attempts[:-1], attempt), lease_until=0.0)

    def document(self) -> Json:
        """The delivery as its owner sees it."""
        hidden = {"owner", "place", "lease_until", "revision", "tries"}
        shown = {name: value for name, value in self._plain().items() if name not in hidden}
        waiting = self.status == "pending"
        return {**shown, "next_attempt_at": rfc3339(self.next_attempt_at) if waiting else None}

    def to_item(self) -> Item:
        text = json.dumps(self._plain(), ensure_ascii=False, separators=(",", ":"))
        return {"revision": self.revision, "delivery": text}

    @classmethod
    def from_item(cls, item: Item) -> Delivery:
        data = json.loads(str(item["delivery"]))
        attempts = tuple(Attempt.from_json(one) for one in data["attempts"])
        return cls(**{**data, "place": Place(**data["place"]), "attempts": attempts})

    def _plain(self) -> dict[str, Any]:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        place, attempts = dataclasses.asdict(self.place), [one.to_json() for one in self.attempts]
        return {**fields, "place": place, "attempts": attempts}
