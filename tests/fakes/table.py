"""A DynamoDB table in memory, held to the same contract tests as the real one."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Sequence

from chalicelib.expressions import Delete, Item, Key, Put, Update, Write
from chalicelib.table import TRANSACTION_LIMIT, ConditionFailed

LAST_CHARACTER = "\U0010ffff"


class FakeTable:
    """Keeps items by key and remembers how many were read: by ranges of keys, and by batches of keys."""

    def __init__(self) -> None:
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

    def _apply(self, write: Write) -> None:
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
