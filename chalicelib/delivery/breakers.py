"""Circuit breakers of origins, and which receivers are disabled, for each owner.

An origin is scheme, host and port; all receivers at an origin share its breaker. After several failures in a
row the breaker opens for a pause, which grows. At the end of the pause one request is sent; all others fail
unsent, so that workers are free for destinations that answer. A receiver (one URL) that answers 410, or only
fails for days, is disabled; others at its origin are not.

Nothing is stored for a destination that answers. What is stored for others is deleted by their first success,
or expires.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.delivery.destinations import Place
from chalicelib.expressions import Delete, Item, Key, Update, Value
from chalicelib.ids import rfc3339
from chalicelib.table import ConditionFailed, Table

GONE = "It answered 410 Gone."
FAILING = "It has done nothing but fail for five days."
FAILING_SECONDS = 5 * 86_400.0
FEWEST_FAILURES = 10  # two failures that lie a quiet week apart are no five days of failing
OPENS_AT = 3  # failures in a row
LONGEST_PAUSE = 60.0  # seconds; the first is one, and each is twice as long as the one before
BREAKER_SECONDS = 86_400.0  # after the last failure of an origin its breaker is forgotten
RECEIVER_SECONDS = 90 * 86_400.0  # the same for a receiver: as long as its deliveries are kept


@dataclass(frozen=True)
class Breaker:
    """An origin's breaker: how many attempts in a row ``failed`` in a way that may pass.

    ``asked_at`` (seconds since 1970) is when the last attempt failed, or began at the end of a pause.
    """

    failed: int = 0
    asked_at: float = 0.0

    def open_until(self) -> float:
        """When the next request may be sent, in seconds since 1970; 0 where the breaker is closed."""
        if self.failed < OPENS_AT:
            return 0.0
        return self.asked_at + min(LONGEST_PAUSE, 2.0 ** min(self.failed - OPENS_AT, 9))


@dataclass(frozen=True)
class Receiver:
    """A receiver that fails: since when (seconds since 1970), how often, and why it is disabled."""

    failing_since: float | None = None
    failures: int = 0
    disabled_at: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Condition:
    """What is known of a place: the ``breaker`` of its origin and its own state as a ``receiver``."""

    breaker: Breaker = Breaker()
    receiver: Receiver = Receiver()


class Breakers:
    """Reads and writes breakers and receivers, by owner and place."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def of(self, owner: str, place: Place) -> Condition:
        """What is known of a place."""
        return self.of_each(owner, [place])[0]

    def of_each(self, owner: str, places: Sequence[Place]) -> list[Condition]:
        """What is known of these places, in their order."""
        keys = dict.fromkeys(key for place in places for key in keys_of(owner, place))
        items = self._table.get_many(list(keys))
        return [self.read(items, owner, place) for place in places]

    def read(self, items: Mapping[Key, Item], owner: str, place: Place) -> Condition:
        """The same from items that the caller read by :func:`keys_of`; an expired item counts as absent."""
        breaker, receiver = (self._unexpired(items.get(key)) for key in keys_of(owner, place))
        return Condition(Breaker(**_fields(Breaker, breaker)), Receiver(**_fields(Receiver, receiver)))

    def may_ask(self, owner: str, place: Place, breaker: Breaker) -> bool:
        """Whether a request may be sent now; while the breaker is open: only one after each pause."""
        now, until = self._now(), breaker.open_until()
        if now < until or not until:
            return not until
        # A lost answer looks like a lost race: then nobody sends until after the next pause.
        key, _ = keys_of(owner, place)
        asked = Update(key, set={"asked_at": now}, when={"asked_at": breaker.asked_at})
        try:
            self._table.write(asked)
        except ConditionFailed:
            return False
        return True

    def count_failure(self, owner: str, place: Place, before: Condition, *, may_pass: bool) -> None:
        """Count a failure. From the tenth on, after five days without a success, the receiver is disabled.

        A receiver that refuses a document for good does answer, and may take the next one: that closes the
        breaker.
        """
        now, receiver = self._now(), before.receiver
        since = now if receiver.failing_since is None else receiver.failing_since
        of_origin, of_receiver = keys_of(owner, place)
        failing: dict[str, Value] = {"failing_since": since, "expires_at": int(now + RECEIVER_SECONDS)}
        if now - since >= FAILING_SECONDS and receiver.failures + 1 >= FEWEST_FAILURES:
            failing |= {"disabled_at": rfc3339(now), "reason": FAILING}
        # A lost answer or a race may count a failure twice or begin a moment late: neither matters.
        self._table.write(Update(of_receiver, set=failing, add={"failures": 1}))
        if may_pass:
            asked: dict[str, Value] = {"asked_at": now, "expires_at": int(now + BREAKER_SECONDS)}
            self._table.write(Update(of_origin, set=asked, add={"failed": 1}))
        elif before.breaker.failed:
            self._table.write(Delete(of_origin))

    def disable(self, owner: str, place: Place, reason: str) -> None:
        """Send nothing there until somebody asks for it, or a test shows that it answers."""
        now = self._now()
        disabled: dict[str, Value] = {
            "disabled_at": rfc3339(now),
            "reason": reason,
            "expires_at": int(now + RECEIVER_SECONDS),
        }
        self._table.write(Update(keys_of(owner, place)[1], set=disabled))

    def clear(self, owner: str, place: Place) -> None:
        """Forget all failures: it answers, or somebody wants to try again."""
        self._table.transact([Delete(key) for key in keys_of(owner, place)])

    def _unexpired(self, item: Item | None) -> Item:
        return item if item and int(item.get("expires_at", 0)) > self._now() else {}


def keys_of(owner: str, place: Place) -> tuple[Key, Key]:
    """The keys of an origin's breaker and of a receiver's state."""
    origin = Key(f"{owner}#origin#{place.origin}", "breaker")
    return origin, Key(f"{owner}#receiver#{place.address}", "receiver")


def _fields(kind: type[Breaker] | type[Receiver], item: Item) -> dict[str, Any]:
    return {field.name: item[field.name] for field in dataclasses.fields(kind) if field.name in item}
