"""How a destination has stood up lately: whether it answers, and whether it is still sent to.

Nothing is stored of one that answers. The record of one that fails is gone with its first success. One that
failed several times in a row rests: it is asked by one try at a time, with a pause in between, and all others
fail unsent, so that workers are free for those who answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.expressions import Delete, Item, Key, Update, Value
from chalicelib.ids import rfc3339
from chalicelib.table import ConditionFailed, Table

GONE = "It answered 410 Gone."
FAILING = "It has done nothing but fail for five days."
FAILING_SECONDS = 5 * 86_400.0
FEWEST_FAILURES = 10  # two failures that lie a quiet week apart are no five days of failing
RESTS_FROM = 3  # failures in a row
LONGEST_REST = 60.0  # seconds; the first is one, and each is twice as long as the one before


@dataclass(frozen=True)
class Standing:
    """A destination that fails: since when (seconds since 1970), how often, and why it is disabled.

    ``unavailable`` is how many tries in a row failed in a way that may pass, ``asked_at`` when the last one
    failed, or was begun while it rests.
    """

    failing_since: float | None = None
    failures: int = 0
    disabled_at: str | None = None
    reason: str | None = None
    unavailable: int = 0
    asked_at: float = 0.0

    def rests_until(self) -> float:
        """When it may be asked again, in seconds since 1970; 0 for one that does not rest."""
        if self.unavailable < RESTS_FROM:
            return 0.0
        return self.asked_at + min(LONGEST_REST, 2.0 ** min(self.unavailable - RESTS_FROM, 9))


class Standings:
    """Reads and writes standings, by owner and the destination's ``address``."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def of(self, owner: str, address: str) -> Standing:
        """How this destination stands."""
        return _read(self._table.get(_key(owner, address)))

    def of_each(self, owner: str, addresses: Sequence[str]) -> list[Standing]:
        """How these destinations stand, in their order."""
        keys = [_key(owner, address) for address in addresses]
        items = self._table.get_many(keys)
        return [_read(items.get(key)) for key in keys]

    def may_ask(self, owner: str, address: str, standing: Standing) -> bool:
        """Whether a try may be made now: of all who want to ask one that rests, the first, once a rest."""
        now, rests_until = self._now(), standing.rests_until()
        if now < rests_until or not rests_until:
            return not rests_until
        # A lost answer looks like a lost race: then nobody asks until after the next rest.
        asked = Update(_key(owner, address), set={"asked_at": now}, when={"asked_at": standing.asked_at})
        try:
            self._table.write(asked)
        except ConditionFailed:
            return False
        return True

    def count_failure(self, owner: str, address: str, before: Standing, *, may_pass: bool) -> None:
        """One more failure; with the tenth or later, after five days without a success, it is disabled."""
        now = self._now()
        since = now if before.failing_since is None else before.failing_since
        failed: dict[str, Value] = {"failing_since": since, "asked_at": now}
        # Whoever refuses a document for good is there, and may take the next one.
        refused = {} if may_pass else {"unavailable": 0}
        counted = {"failures": 1, "unavailable": 1} if may_pass else {"failures": 1}
        # A lost answer or a race may count one twice, or begin a moment late: neither matters here.
        self._table.write(Update(_key(owner, address), set={**failed, **refused}, add=counted))
        if now - since >= FAILING_SECONDS and before.failures + 1 >= FEWEST_FAILURES:
            self.disable(owner, address, FAILING)

    def disable(self, owner: str, address: str, reason: str) -> None:
        """Send nothing there until somebody asks for it or shows that it answers."""
        disabled = {"disabled_at": rfc3339(self._now()), "reason": reason}
        self._table.write(Update(_key(owner, address), set=disabled))

    def clear(self, owner: str, address: str) -> None:
        """It answers, or deserves another chance."""
        self._table.write(Delete(_key(owner, address)))


def _read(item: Item | None) -> Standing:
    known = {field.name for field in dataclasses.fields(Standing)}
    return Standing(**{name: value for name, value in (item or {}).items() if name in known})  # type: ignore[arg-type]  # as written above


def _key(owner: str, address: str) -> Key:
    return Key(f"{owner}#standing#{address}", "standing")
