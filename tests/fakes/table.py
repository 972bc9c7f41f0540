"""A DynamoDB table in memory, held to the same contract tests as the real one."""

from __future__ import annotations

import bisect
import itertools
import threading
import zlib
from collections.abc import Callable, Sequence

from chalicelib.expressions import Delete, Item, Key, Put, Update, Write, encoded
from chalicelib.table import TRANSACTION_LIMIT, ConditionFailed
from local.shard import FIRST_NUMBER, Shard, stream_arn
from tests.fakes.clock import Clock

LAST_CHARACTER = "\U0010ffff"


class FakeTable:
    """Keeps items by key and remembers how many were read: by ranges of keys, and by batches of keys.

    Its stream has as many shards as ``shards`` says, each with the changes of some partitions; ``stream`` is
    the first. It tells of items with the sort key ``streamed``; of the others nobody wants to know.
    """

    def __init__(
        self, clock: Callable[[], float] | None = None, *, shards: int = 1, streamed: str = "record"
    ) -> None:
        arn, numbers = stream_arn("test-table"), itertools.count(FIRST_NUMBER)
        self.shards = [
            Shard(arn, ("pk", "sk"), clock or Clock(), name=f"shardId-{number:020}", numbers=numbers)
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
        # DynamoDB's limits on keys ("Quotas and limits"); beyond them it refuses the call.
        assert 1 <= len(key.pk.encode()) <= 2048, "no such partition key"
        assert 1 <= len(key.sk.encode()) <= 1024, "no such sort key"
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

    def due(self, shard: str, *, until: str, limit: int) -> list[Key]:
        due = sorted(
            (str(item["due_at"]), pk, sk)
            for pk, items in self._partitions.items()
            for sk, item in items.items()
            if item.get("due_shard") == shard and str(item["due_at"]) <= until
        )
        return [Key(pk, sk) for _, pk, sk in due[:limit]]

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
        assert len(writes) <= TRANSACTION_LIMIT, f"{len(writes)} items in one transaction"
        assert len({write.key for write in writes}) == len(writes), "one item twice in a transaction"
        with self._lock:
            for write in writes:
                stored = self.get(write.key)
                if any((stored or {}).get(name) != value for name, value in write.when.items()):
                    raise ConditionFailed(stored)
            for write in writes:
                self._apply(write)
            self.transactions.append(writes)

    def count(self, key: Key, *, expires_at: int) -> int:
        with self._lock:
            self._apply(Update(key, set={"expires_at": expires_at}, add={"used": 1}))
            return int(self._partitions[key.pk][key.sk]["used"])

    def write_many(self, writes: Sequence[Put | Delete]) -> None:
        assert len({write.key for write in writes}) == len(writes), "one item twice in a batch"
        with self._lock:
            for write in writes:
                self._apply(write)

    def expire(self, now: float) -> None:
        """Delete what has expired, as the table's TTL does some time after."""
        with self._lock:
            for pk, partition in self._partitions.items():
                for sk, item in list(partition.items()):
                    if "expires_at" in item and int(item["expires_at"]) < now:
                        self._apply(Delete(Key(pk, sk)), by_ttl=True)

    def _apply(self, write: Write, *, by_ttl: bool = False) -> None:
        if write.key.sk != self._streamed:
            self._change(write)
            return
        before = self.get(write.key)
        self._change(write)
        after = self.get(write.key)
        shard = self.shards[zlib.crc32(write.key.pk.encode()) % len(self.shards)]
        shard.note(before and encoded(before), after and encoded(after), by_ttl=by_ttl)

    def _change(self, write: Write) -> None:
        partition = self._partitions.setdefault(write.key.pk, {})
        sort_keys = self._sorted.setdefault(write.key.pk, [])
        if isinstance(write, Delete):
            if partition.pop(write.key.sk, None) is not None:
                sort_keys.remove(write.key.sk)
            return
        if write.key.sk not in partition:
            bisect.insort(sort_keys, write.key.sk)
        if isinstance(write, Put):
            partition[write.key.sk] = dict(write.item)
            return
        item = dict(partition.get(write.key.sk, {})) | dict(write.set)
        for name, by in write.add.items():
            item[name] = int(item.get(name, 0)) + by
        partition[write.key.sk] = {name: value for name, value in item.items() if name not in write.remove}
