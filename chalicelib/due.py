"""The due index: the rows that the sweep has to handle, of all kinds, by time.

A row in it has ``due_shard``, ``due_at`` (RFC 3339), and ``put_offs``: how many times the sweep has postponed
it since its owner last wrote ``due_at``. The index is eventually consistent, so a row is read again from the
table before anything is done about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from chalicelib.expressions import Item, Key, Update, Value
from chalicelib.ids import new_id, rfc3339
from chalicelib.table import ConditionFailed, Table

ATTRIBUTES = ("due_shard", "due_at", "put_offs", "sweep")
AT_A_TIME = 100  # of a shard
FIRST_PUT_OFF = 360.0  # seconds: as long as a worker that died may hide its message; doubled each time
LONGEST_PUT_OFF = 6 * 3600.0
LONGEST_WAIT = 24 * 3600.0  # that a row may ask for; a row with more is damaged


class DueIndex:
    """Finds due rows, postpones them, and removes them from the index."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def keys(self, shards: Iterable[str]) -> Iterator[Key]:
        """The keys of due rows by the index, the earliest first, at most 100 of each shard."""
        until = rfc3339(self._now())
        for shard in shards:
            yield from self._table.due(shard, until=until, limit=AT_A_TIME)

    def read(self, key: Key) -> Item | None:
        """The row under a key, if it is still due."""
        item = self._table.get(key)
        return item if item and str(item.get("due_at", "~")) <= rfc3339(self._now()) else None

    def put_off(self, key: Key, item: Item) -> bool:
        """Postpone a row, with exponential backoff up to six hours.

        False if it has changed since it was read: of two concurrent sweeps one gets True.
        """
        times = put_offs_of(item)
        wait = min(LONGEST_PUT_OFF, FIRST_PUT_OFF * 2.0 ** min(times, 16))
        return self._changed(key, item, {"due_at": rfc3339(self._now() + wait), "put_offs": times + 1})

    def wait_until(self, key: Key, item: Item, moment: float) -> bool:
        """Postpone a row to ``moment`` (seconds since 1970); False as for :meth:`put_off`."""
        if not self._now() < moment <= self._now() + LONGEST_WAIT:
            return self.put_off(key, item)
        return self._changed(key, item, {"due_at": rfc3339(moment)})

    def leave(self, key: Key, item: Item) -> bool:
        """Remove a row from the index: nothing has to be done about it."""
        return self._written(Update(key, remove=ATTRIBUTES, when={"due_at": item["due_at"]}))

    def _changed(self, key: Key, item: Item, due: dict[str, Value]) -> bool:
        # The token shows that a write succeeded whose answer was lost.
        return self._written(Update(key, set={**due, "sweep": new_id()}, when={"due_at": item["due_at"]}))

    def _written(self, update: Update) -> bool:
        try:
            self._table.write(update)
        except ConditionFailed as error:
            return bool(update.set) and (error.stored or {}).get("sweep") == update.set["sweep"]
        return True


def put_offs_of(item: Item) -> int:
    """How many times a row has been postponed; 0 if the stored counter is damaged."""
    times = item.get("put_offs", 0)
    return times if isinstance(times, int) and 0 <= times < 1000 else 0
