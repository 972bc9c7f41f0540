"""The delivery log: every delivery with its state, whatever happens to the messages on the queue.

A delivery is one record, changed only under the revision it was read with. Small entries beside it list it:
under its image, under its destination and, while it is parked, among the parked ones. Record and entries
change in one transaction.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from chalicelib.delivery.delivery import Attempt, Delivery
from chalicelib.due import ATTRIBUTES
from chalicelib.errors import Conflict, NotFound, Superseded
from chalicelib.expressions import Delete, Item, Key, Put, Update, Value, Write
from chalicelib.ids import is_derived_id, new_id, rfc3339
from chalicelib.table import ConditionFailed, Table

LEASE_SECONDS = 90.0  # longer than the worker may run (60 s), so that a lease ends only where its holder did
SLACK_SECONDS = 1.0  # a queue's clock and ours need not agree to the second
GRACE_SECONDS = 60.0  # how long a message may be late before the sweep sends another
SOON_SECONDS = 60.0  # up to which a message waits by itself; the sweep sends one for what is due later
LOG_SECONDS = 90 * 86_400.0  # how long the log is kept
DUE_SHARDS = 16
PAGE_BYTES = 3_500_000  # of the 4 MB that an answer may have, the rest is for links
SHARDS = tuple(f"delivery#{shard}" for shard in range(DUE_SHARDS))  # of the due index


@dataclass(frozen=True)
class DeliveryPage:
    """Deliveries, newest first; ``next_after`` is where the next page begins, None where nothing follows."""

    deliveries: tuple[Delivery, ...]
    next_after: str | None


PARKED = "parked"  # the listing of all that is parked


def by_image(image_id: str) -> str:
    """The listing of an image's deliveries."""
    return f"image#{image_id}"


def by_destination(destination: str, *, parked: bool = False) -> str:
    """The listing of a destination's deliveries, or of those that are parked."""
    return f"{'parked' if parked else 'to'}#{destination}"


class Deliveries:
    """Reads and writes the log, by owner."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def open(self, delivery: Delivery) -> Delivery:
        """Store a new delivery, due now, or return the one that is there already; see :meth:`entries`."""
        now = self._now()
        made = dataclasses.replace(delivery, created_at=rfc3339(now), next_attempt_at=now, revision=new_id())
        due = self._due(made, now + GRACE_SECONDS)
        expires: Item = {"expires_at": int(now + LOG_SECONDS)}
        new = Put(key_of(made.owner, made.id), {**made.to_item(), **expires, **due}, when={"revision": None})
        try:
            self._table.write(new)
        except ConditionFailed:
            return self.get(delivery.owner, delivery.id)
        return made

    def entries(self, opened: Iterable[Delivery]) -> list[Put]:
        """The writes that list deliveries which were opened.

        The place in a list is the time of the delivery, so a repeat writes the same entries. In one
        transaction with the delivery they would cost twice as much.
        """
        expires: Item = {"expires_at": int(self._now() + LOG_SECONDS)}
        return [Put(_entry(one, listing), expires) for one in opened for listing in _listings(one)]

    def find(self, owner: str, delivery_id: str) -> Delivery | None:
        """A delivery, or None."""
        return self.read(key_of(owner, delivery_id)) if is_derived_id(delivery_id) else None

    def get(self, owner: str, delivery_id: str) -> Delivery:
        """:raises NotFound: this owner has no such delivery."""
        found = self.find(owner, delivery_id)
        if found is None:
            raise NotFound("There is no such delivery.")
        return found

    def read(self, key: Key) -> Delivery | None:
        """The delivery under a table key."""
        item = self._table.get(key)
        return Delivery.from_item(item) if item else None

    def page(
        self, owner: str, listing: str, *, limit: int, after: str | None, until: str = ""
    ) -> DeliveryPage:
        """Deliveries of a listing, newest first, made before or at ``until`` (RFC 3339) if that is given.

        A page that grows too long for an answer ends early.
        """
        bounds = {"at_most": f"{until}#~"} if until else {}
        entries = self._table.query(
            f"{owner}#deliveries#{listing}", limit=limit + 1, after=after, newest_first=True, **bounds
        )
        places = [str(entry["sk"]) for entry in entries]
        keys = [key_of(owner, place.rpartition("#")[2]) for place in places[:limit]]
        items = self._table.get_many(keys)
        found: list[Delivery] = []
        room = PAGE_BYTES
        for number, key in enumerate(keys):
            if key not in items:
                continue
            room -= len(json.dumps(str(items[key]["delivery"])))  # as an answer escapes it
            if room < 0 and found:
                return DeliveryPage(tuple(found), places[number - 1])
            found.append(Delivery.from_item(items[key]))
        return DeliveryPage(tuple(found), places[limit - 1] if len(places) > limit else None)

    def is_due(self, delivery: Delivery) -> bool:
        """Whether a worker should send it now: it is pending, its time has come, and no worker holds it."""
        now = self._now()
        return (
            delivery.status == "pending"
            and delivery.lease_until <= now
            and delivery.next_attempt_at <= now + SLACK_SECONDS
        )

    def claim(self, delivery: Delivery) -> Delivery:
        """Begin an attempt; the delivery is this worker's until the lease ends.

        :raises Superseded: it has changed since it was read: another worker has it, or it is settled.
        """
        now = self._now()
        begun = dataclasses.replace(delivery.begun(now), lease_until=now + LEASE_SECONDS)
        return self._save(delivery, begun, due_at=None, leave_index=False)  # the sweep finds the lease

    def mark_delivered(self, claimed: Delivery, attempt: Attempt, reference: str | None) -> Delivery:
        """It has arrived. This and the next three methods raise :exc:`Superseded`, as :meth:`claim` does."""
        return self._settle(claimed, claimed.ended(attempt), status="delivered", reference=reference)

    def plan(self, claimed: Delivery, attempt: Attempt, wait: float) -> Delivery:
        """Try again in ``wait`` seconds: after a short wait the message comes again, else the sweep."""
        at = self._now() + wait
        later = dataclasses.replace(claimed.ended(attempt), next_attempt_at=at)
        return self._save(claimed, later, due_at=at if wait > SOON_SECONDS else at + GRACE_SECONDS)

    def postpone(self, delivery: Delivery, wait: float) -> Delivery:
        """Let it wait ``wait`` seconds; this counts as no attempt."""
        at = self._now() + wait
        return self._save(delivery, dataclasses.replace(delivery, next_attempt_at=at), due_at=at)

    def soon(self, delivery: Delivery) -> float | None:
        """The seconds until it is due, if that is soon and no worker holds it; else None."""
        now = self._now()
        wait = delivery.next_attempt_at - now
        waits = delivery.status == "pending" and delivery.lease_until <= now
        return max(0.0, wait) if waits and wait <= SOON_SECONDS else None

    def park(self, delivery: Delivery, reason: str, attempt: Attempt | None = None) -> Delivery:
        """Give up until a person sends it again."""
        ended = delivery.ended(attempt) if attempt else delivery
        return self._settle(delivery, ended, status="parked", reason=reason)

    def cancel(self, delivery: Delivery, reason: str) -> Delivery:
        """Nobody is to get it any more."""
        return self._settle(delivery, delivery, status="cancelled", reason=reason)

    def renew(self, delivery: Delivery) -> Delivery:
        """Start again now, with the whole schedule ahead.

        :raises Conflict: it has arrived or was cancelled, or is being sent at this moment.
        """
        now = self._now()
        if delivery.status in ("delivered", "cancelled"):
            raise Conflict(f"The delivery is {delivery.status}.", code="delivery-settled")
        if delivery.lease_until > now:
            raise Conflict("The delivery is being sent at this moment.", code="delivery-under-way")
        fresh = dataclasses.replace(
            delivery, status="pending", tries=0, next_attempt_at=now, settled_at=None, reason=None
        )
        return self._save(delivery, fresh, due_at=now + GRACE_SECONDS)

    def _settle(self, before: Delivery, after: Delivery, **outcome: Any) -> Delivery:
        settled = dataclasses.replace(after, lease_until=0.0, settled_at=rfc3339(self._now()), **outcome)
        return self._save(before, settled, due_at=None)

    def _save(
        self, before: Delivery, after: Delivery, *, due_at: float | None, leave_index: bool = True
    ) -> Delivery:
        saved = dataclasses.replace(after, revision=new_id())
        due = self._due(saved, due_at) if due_at is not None else {}
        update = Update(
            key_of(saved.owner, saved.id),
            set={**saved.to_item(), **due},
            remove=("put_offs",) if due else ATTRIBUTES if leave_index else (),
            when={"revision": before.revision},
        )
        were, are = _listings(before), _listings(saved)
        expires: Item = {"expires_at": int(self._now() + LOG_SECONDS)}
        moves: list[Write] = [Delete(_entry(saved, one)) for one in were if one not in are]
        moves += [Put(_entry(saved, one), expires) for one in are if one not in were]
        try:
            self._table.transact([update, *moves])
        except ConditionFailed:
            raise Superseded(f"Delivery {before.id} has changed meanwhile.") from None
        return saved

    def _due(self, delivery: Delivery, at: float) -> dict[str, Value]:
        shard = SHARDS[zlib.crc32(delivery.id.encode()) % DUE_SHARDS]
        return {"due_shard": shard, "due_at": rfc3339(at)}


def _listings(delivery: Delivery) -> list[str]:
    waits = delivery.status == "parked"
    parked = [by_destination(delivery.destination, parked=True), PARKED] if waits else []
    return [by_image(delivery.image_id), by_destination(delivery.destination), *parked]


def key_of(owner: str, delivery_id: str) -> Key:
    """The key of a delivery."""
    return Key(f"{owner}#delivery#{delivery_id}", "delivery")


def _entry(delivery: Delivery, listing: str) -> Key:
    return Key(f"{delivery.owner}#deliveries#{listing}", f"{delivery.created_at}#{delivery.id}")
