"""What the service asks of AWS, counted as AWS charges for it, and what that costs at list prices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chalicelib.expressions import Delete, Item, Key, Write
from chalicelib.table import BATCH_LIMIT, WRITE_BATCH_LIMIT
from local.limits import item_bytes, write_units
from tests.fakes.world import World

# List prices of us-east-1, without free tiers, in dollars: a million units of DynamoDB on demand; a thousand
# writes and reads of S3, calls of SQS, messages of SNS.
MILLION_WRITES, MILLION_READS = 0.625, 0.125
S3_WRITE, S3_READ, SQS_CALL, SNS_MESSAGE = 0.005, 0.0004, 0.0004, 0.0005


class Meter:
    """Counts what a world's table, bucket, topic and queues are asked, and the units of the writes."""

    def __init__(self, world: World) -> None:
        self.calls: Counter[str] = Counter()
        self.write_units = 0
        self.read_units = 0.0
        self.by_partition: Counter[str] = Counter()
        self._table = world.table
        self._inside = False  # the fake's methods call each other
        for name in ("get", "get_many", "query", "transact", "write_many", "count"):
            setattr(world.table, name, self._metered(name, getattr(world.table, name)))
        objects = {"read": 1, "etag": 1, "write_sidecar": 1, "write_thumbnail": 1, "put": 1, "delete": 3}
        for name, calls in objects.items():
            setattr(world.objects, name, self._counted("S3", calls, getattr(world.objects, name)))
        world.topic.publish_many = self._publishing(world.topic.publish_many)  # type: ignore[method-assign]
        for queue in (world.uploads_queue, world.deliveries_queue):
            queue.send = self._counted("SQS", 1, queue.send)  # type: ignore[method-assign]

    @contextmanager
    def of(self) -> Iterator[Meter]:
        """Begin anew."""
        self.calls.clear()
        self.by_partition.clear()
        self.write_units, self.read_units = 0, 0.0
        yield self

    @property
    def total(self) -> int:
        return sum(calls for service, calls in self.calls.items() if service != "S3 writes")

    def dollars(self) -> dict[str, float]:
        """What a thousand times all of it costs, by what it is: the calls alone, no function's time."""
        calls = self.calls
        return {
            "write units": self.write_units * MILLION_WRITES / 1000,
            "S3 writes": calls["S3 writes"] * S3_WRITE,
            "all else": self.read_units * MILLION_READS / 1000
            + (calls["S3"] - calls["S3 writes"]) * S3_READ
            + calls["SQS"] * SQS_CALL
            + calls["SNS"] * SNS_MESSAGE,
        }

    def _counted(self, service: str, calls: int, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self._inside:
                return act(*arguments, **named)
            self.calls[service] += calls
            if service == "S3" and getattr(act, "__name__", "").startswith(("write", "put")):
                self.calls["S3 writes"] += calls
            self._inside = service == "S3"
            try:
                return act(*arguments, **named)
            finally:
                self._inside = False

        return call

    def _publishing(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(messages: Sequence[Any]) -> Any:
            self.calls["SNS"] += math.ceil(len(messages) / 10)
            return act(messages)

        return call

    def _metered(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self._inside:
                return act(*arguments, **named)
            self._inside = True
            try:
                return whole(*arguments, **named)
            finally:
                self._inside = False

        def whole(*arguments: Any, **named: Any) -> Any:
            if name in ("get", "get_many", "query"):
                return self._read(name, act(*arguments, **named), *arguments)
            if name == "count":
                self.calls["DynamoDB"] += 1
                self.write_units += 1
                return act(*arguments, **named)
            writes: Sequence[Write] = arguments[0]
            before = {write.key: self._item(write.key) for write in writes}
            answer = act(*arguments, **named)
            size = WRITE_BATCH_LIMIT if name == "write_many" else max(1, len(writes))
            self.calls["DynamoDB"] += math.ceil(len(writes) / size)
            for write in writes:
                self._charge(write, before[write.key], double=name == "transact" and len(writes) > 1)
            return answer

        return call

    def _read(self, name: str, found: Any, asked: Any, *_: Any) -> Any:
        self.calls["DynamoDB"] += math.ceil(len(asked) / BATCH_LIMIT) if name == "get_many" else 1
        items = list(found.values()) if name == "get_many" else found if name == "query" else [found or {}]
        sizes = [item_bytes(item) for item in items]
        sizes = [sum(sizes)] if name == "query" else sizes or [0]
        self.read_units += sum(max(1, math.ceil(size / 4096)) for size in sizes)
        return found

    def _item(self, key: Key) -> Item:
        item = self._table._partitions.get(key.pk, {}).get(key.sk)
        return {"pk": key.pk, "sk": key.sk, **item} if item else {}

    def _charge(self, write: Write, before: Item, *, double: bool) -> None:
        after = {} if isinstance(write, Delete) else self._item(write.key)
        units = write_units(max(item_bytes(before), item_bytes(after)), in_transaction=double)
        # The due index: an entry that comes or goes is one write, one that moves is two (Secondary indexes).
        old, new = ([one.get("due_shard"), one.get("due_at")] for one in (before, after))
        if old != new:
            units += (old[1] is not None) + (new[1] is not None)
        self.write_units += units
        self.by_partition[write.key.pk] += units
