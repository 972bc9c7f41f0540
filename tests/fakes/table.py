"""A DynamoDB table in memory, held to the same contract tests as the real one."""

from __future__ import annotations

import bisect
import itertools
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence

from chalicelib.expressions import Delete, Item, Key, Put, Update, Write, encoded
from chalicelib.table import ConditionFailed
from local import limits
from local.shard import FIRST_NUMBER, Shard, stream_arn
from tests.fakes.clock import Clock

LAST_CHARACTER = "\U0010ffff"


class FakeTable:
    """Keeps items by key and remembers how many were read: by ranges of keys, and by batches of keys.

    Its stream has as many shards as ``shards`` says, each with the changes of some partitions; ``stream`` is
    the first. It tells of items with the sort key ``streamed``; of the others nobody wants to know. What has
    changed shows in the index after ``index_lag`` seconds. What passes a limit raises
    :exc:`~local.limits.OverLimit`.
    """

    def __init__(
        self,
        clock: Callable[[], float] | None = None,
        *,
        shards: int = 1,
        streamed: str = "record",
        index_lag: float = 0.0,
    ) -> None:
        self._clock = clock or Clock()
        self._index_lag = index_lag
        self._stale: dict[Key, list[tuple[float, tuple[str, str] | None]]] = {}
        arn, numbers = stream_arn("test-table"), itertools.count(FIRST_NUMBER)
        self.shards = [
            Shard(arn, ("pk", "sk"), self._clock, name=f"shardId-{number:020}", numbers=numbers)
            for number in range(shards)
        ]
        self.stream = self.shards[0]
        self._streamed = streamed
        self._partitions: dict[str, dict[str, Item]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self.items_read = 0
        self.items_got = 0
        self.transactions: list[Sequence[Write]] = []

    def get(self, key: Key) -> Item | None:
        limits.check_key(key.pk, key.sk)
        item = self._partitions.get(key.pk, {}).get(key.sk)
        return None if item is None else {"pk": key.pk, "sk": key.sk, **item}

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        found = {key: item for key in keys if (item := self.get(key)) is not None}
        self.items_got += len(found)
        return found

    def query(
        self,
        pk: str,
        *,
        limit: int,
        prefix: str = "",
        after: str | None = None,
        at_most: str | None = None,
        newest_first: bool = False,
    ) -> list[Item]:
        with self._lock:
            keys = self._sorted.get(pk, [])
            low = bisect.bisect_left(keys, prefix)
            high = bisect.bisect_left(keys, prefix + LAST_CHARACTER) if prefix else len(keys)
            if at_most is not None:
                high = min(high, bisect.bisect_right(keys, at_most))
            if newest_first:
                high = high if after is None else min(high, bisect.bisect_left(keys, after))
                wanted = keys[max(low, high - limit) : max(low, high)][::-1]
            else:
                low = low if after is None else max(low, bisect.bisect_right(keys, after))
                wanted = keys[low : min(high, low + limit)]
        items = [item for sk in wanted if (item := self.get(Key(pk, sk)))]
        self.items_read += len(items)
        return items

    def items_of_kind(self, sk: str) -> list[Item]:
        """Every item that lies under this sort key, as a scan would find them."""
        return [items[sk] for items in self._partitions.values() if sk in items]

    def everything(self) -> Iterator[Item]:
        """Every item with its key."""
        for pk, items in self._partitions.items():
            yield from ({"pk": pk, "sk": sk, **item} for sk, item in items.items())

    def due(self, shard: str, *, until: str, limit: int) -> list[Key]:
        there = {
            Key(pk, sk): _due(item)
            for pk, items in self._partitions.items()
            for sk, item in items.items()
            if "due_at" in item
        }
        found = {**there, **self._shown_still()}.items()
        due = sorted((one[1], key.pk, key.sk) for key, one in found if one and one[0] == shard)
        return [Key(pk, sk) for at, pk, sk in due if at <= until][:limit]

    def _shown_still(self) -> dict[Key, tuple[str, str] | None]:
        """What the index says of items that have changed since: it is eventually consistent."""
        now = self._clock()
        self._stale = {
            key: left
            for key, states in self._stale.items()
            if (left := [(end, state) for end, state in states if end > now])
        }
        return {key: states[0][1] for key, states in self._stale.items()}

    def due_times(self, kind: str) -> list[str]:
        """When the items of a kind are due, soonest first."""
        items = (item for partition in self._partitions.values() for item in partition.values())
        return sorted(
            str(item["due_at"])
            for item in items
            if "due_at" in item and str(item["due_shard"]).startswith(kind)
        )

    def write(self, write: Write) -> None:
        self.transact([write])

    def transact(self, writes: Sequence[Write]) -> None:
        assert len(writes) <= limits.TRANSACTION_ITEMS, f"{len(writes)} items in one transaction"
        assert len({write.key for write in writes}) == len(writes), "one item twice in a transaction"
        with self._lock:
            for write in writes:
                stored = self.get(write.key)
                if any((stored or {}).get(name) != value for name, value in write.when.items()):
                    raise ConditionFailed(stored)
            made = [self._made(write) for write in writes]
            size = sum(limits.check_item(item) for item in made if item)
            if size > limits.TRANSACTION_BYTES:
                raise limits.OverLimit(f"The transaction has {size} bytes.")
            for write, item in zip(writes, made, strict=True):
                self._store(write.key, item)
            self.transactions.append(writes)

    def write_many(self, writes: Sequence[Put | Delete]) -> None:
        assert len({write.key for write in writes}) == len(writes), "one item twice in a batch"
        with self._lock:
            made = [self._made(write) for write in writes]
            for write, item in zip(writes, made, strict=True):
                limits.check_item(item or {})
                self._store(write.key, item)

    def count(self, key: Key, *, expires_at: int) -> int:
        return int(self.tally(key, "used", expires_at=expires_at)["used"])

    def tally(self, key: Key, name: str, *, expires_at: int) -> Item:
        with self._lock:
            self._store(key, self._made(Update(key, set={"expires_at": expires_at}, add={name: 1})))
            return dict(self._partitions[key.pk][key.sk])

    def expire(self, now: float) -> None:
        """Delete what has expired, as the table's TTL does some time after."""
        with self._lock:
            for pk, partition in self._partitions.items():
                for sk, item in list(partition.items()):
                    if "expires_at" in item and int(item["expires_at"]) < now:
                        self._store(Key(pk, sk), None, by_ttl=True)

    def units(self, write: Write, *, in_transaction: bool = False) -> int:
        """The write units that a write would cost now."""
        sizes = [limits.item_bytes(item) for item in (self.get(write.key), self._made(write)) if item]
        return limits.write_units(max(sizes, default=0), in_transaction=in_transaction)

    def _made(self, write: Write) -> Item | None:
        """The item as it would be after a write; None for none."""
        there = self.get(write.key)
        if isinstance(write, Delete):
            return None
        place: Item = {"pk": write.key.pk, "sk": write.key.sk}
        if isinstance(write, Put):
            return {**place, **write.item}
        item = {**(there or place), **write.set}
        for name, by in write.add.items():
            item[name] = int(item.get(name, 0)) + by
        return {name: value for name, value in item.items() if name not in write.remove}

    def _store(self, key: Key, item: Item | None, *, by_ttl: bool = False) -> None:
        """Put an item in its place, and tell the stream and the index of it."""
        before = self.get(key)
        partition = self._partitions.setdefault(key.pk, {})
        if item is not None:
            if before is None:
                bisect.insort(self._sorted.setdefault(key.pk, []), key.sk)
            partition[key.sk] = {name: value for name, value in item.items() if name not in ("pk", "sk")}
        elif before is not None:
            del partition[key.sk]
            self._sorted[key.pk].remove(key.sk)
        if key.sk == self._streamed:
            shard = self.shards[zlib.crc32(key.pk.encode()) % len(self.shards)]
            shard.note(before and encoded(before), item and encoded(item), by_ttl=by_ttl)
        was, becomes = _due(before or {}), _due(item or {})
        if self._index_lag and was != becomes:
            self._stale.setdefault(key, []).append((self._clock() + self._index_lag, was))


def _due(item: Item) -> tuple[str, str] | None:
    """Where an item lies in the index, if it does."""
    return (str(item["due_shard"]), str(item["due_at"])) if "due_at" in item else None
