"""A function's way through a stream: which batch is next, and what follows on how it ended.

Follows the AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB": batches come in order, and a
batch that failed comes again until it is done or given up; nothing overtakes it.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.loopback import ACCOUNT, REGION
from local.shard import Change, Json, Shard

LOOKED_AT = 1000  # records in one read of a shard


@dataclass(frozen=True)
class EventSourceMapping:
    """What an event source mapping says of a stream.

    ``pattern``: which records the function sees (FilterCriteria; None: all). ``partial_batches``: the
    function may report the first record that it could not do. ``bisect``: a batch that fails whole is
    halved. After so many ``retries``, or when its first record is ``longest_age`` seconds old, a batch is
    given up (None: never), and ``on_failure``, the ARN of a queue, is told.
    """

    batch_size: int = 100
    window: float = 0.0
    pattern: Json | None = None
    partial_batches: bool = False
    bisect: bool = False
    retries: int | None = None
    longest_age: float | None = None
    on_failure: str = ""


@dataclass(frozen=True)
class StreamBatch:
    """Changes that are handed over together, after so many failed ``tries``, not before a time."""

    changes: tuple[Change, ...]
    tries: int = 0
    not_before: float = 0.0

    @property
    def event(self) -> Json:
        """What the function is given."""
        return {"Records": [change.event for change in self.changes]}


class StreamReader:
    """Hands the changes of ``shard`` behind ``position`` to ``function``, one batch at a time.

    ``give_up`` gets the message for the failure queue. ``backoff`` says how long to wait after so many tries.
    """

    def __init__(
        self,
        function: str,
        shard: Shard,
        mapping: EventSourceMapping,
        clock: Callable[[], float],
        *,
        give_up: Callable[[Json], None] = lambda message: None,
        backoff: Callable[[int], float] = lambda tries: 1.0,
        position: int = 0,
    ) -> None:
        self._function = function
        self._shard = shard
        self._mapping = mapping
        self._clock = clock
        self._give_up = give_up
        self._backoff = backoff
        self._seen = position
        self._gathered: list[Change] = []
        self._waiting: deque[StreamBatch] = deque()
        self._under_way = False
        self._lock = threading.RLock()

    @property
    def shard(self) -> Shard:
        return self._shard

    @property
    def seen(self) -> int:
        """The sequence number up to which the shard has been looked at."""
        return self._seen

    @property
    def position(self) -> int:
        """The sequence number up to which all is done or given up."""
        with self._lock:
            unsettled = [change for batch in self._waiting for change in batch.changes] + self._gathered
            return unsettled[0].number - 1 if unsettled else self._seen

    @property
    def at_rest(self) -> bool:
        """Whether there is nothing that the function has still to see."""
        with self._lock:
            self._gather()
            return not (self._gathered or self._waiting)

    def next_moment(self) -> float | None:
        """When the next batch is due; None where there is nothing, or one is under way."""
        with self._lock:
            self._gather()
            if self._under_way:
                return None
            if self._waiting:
                return self._waiting[0].not_before
            if not self._gathered:
                return None
            full = len(self._gathered) >= self._mapping.batch_size
            return self._gathered[0].at + (0.0 if full else self._mapping.window)

    def due(self) -> StreamBatch | None:
        """The batch to hand over now, to be followed by :meth:`settle`; None where it is not yet time."""
        with self._lock:
            while (moment := self.next_moment()) is not None and moment <= self._clock():
                if not self._waiting:
                    self._waiting.append(StreamBatch(tuple(self._gathered)))
                    self._gathered = []
                batch = self._waiting[0]
                if not self._too_old(batch):
                    self._under_way = True
                    return batch
                self._abandon(batch, "RecordAgeExceeded")
            return None

    def put_back(self, batch: StreamBatch) -> None:
        """Take back a batch that could not be handed over: it is due again, and no try was made."""
        with self._lock:
            self._under_way = False

    def settle(self, batch: StreamBatch, reply: Any = None, *, failed: bool = False) -> None:
        """Take down how a batch ended: with a handler's ``reply``, or ``failed`` as a whole."""
        left = batch.changes if failed else self._reported(batch, reply)
        with self._lock:
            self._under_way = False
            self._waiting.popleft()
            if failed and self._mapping.bisect and len(left) > 1:
                middle = len(left) // 2
                for half in (left[middle:], left[:middle]):
                    self._waiting.appendleft(dataclasses.replace(batch, changes=half))
            elif left:
                self._try_again(StreamBatch(left, batch.tries + 1))

    def _try_again(self, batch: StreamBatch) -> None:
        later = dataclasses.replace(batch, not_before=self._clock() + self._backoff(batch.tries))
        self._waiting.appendleft(later)
        if self._mapping.retries is not None and batch.tries > self._mapping.retries:
            self._abandon(later, "RetryAttemptsExhausted")

    def _abandon(self, batch: StreamBatch, condition: str) -> None:
        self._waiting.popleft()
        self._give_up(failure(self._function, self._shard, batch, condition, self._clock()))

    def _too_old(self, batch: StreamBatch) -> bool:
        age = self._mapping.longest_age
        return age is not None and self._clock() - batch.changes[0].at > age

    def _gather(self) -> None:
        """Look at what is new until a batch is full; what the filter leaves out is passed over."""
        while len(self._gathered) < self._mapping.batch_size:
            found = self._shard.after(self._seen, LOOKED_AT)
            if not found:
                return
            for change in found:
                if len(self._gathered) >= self._mapping.batch_size:
                    return
                self._seen = change.number
                if matches(self._mapping.pattern, change.event):
                    self._gathered.append(change)

    def _reported(self, batch: StreamBatch, reply: Any) -> tuple[Change, ...]:
        """What is to come again: all from the first record that the handler reported.

        (Same guide, "Configuring partial batch response with DynamoDB and Lambda".) A report that makes no
        sense is a failure of the whole batch.
        """
        if not self._mapping.partial_batches or not reply:
            return ()
        try:
            numbers = [int(one["itemIdentifier"]) for one in reply.get("batchItemFailures") or []]
        except (AttributeError, KeyError, TypeError, ValueError):
            return batch.changes
        if not numbers:
            return ()
        first = min(numbers)
        if first not in {change.number for change in batch.changes}:
            return batch.changes
        return tuple(change for change in batch.changes if change.number >= first)


def matches(pattern: Mapping[str, Any] | None, event: Json) -> bool:
    """Whether an event filter lets a record through: exact values and prefixes, at any depth.

    :raises ValueError: the pattern uses more of the language than that.
    """
    if pattern is None:
        return True
    return all(
        matches(wanted, event.get(name) or {})
        if isinstance(wanted, Mapping)
        else any(_matches_one(one, event.get(name)) for one in wanted)
        for name, wanted in pattern.items()
    )


def _matches_one(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(wanted == value)
    if wanted.keys() == {"prefix"}:
        return isinstance(value, str) and value.startswith(wanted["prefix"])
    raise ValueError(f"The offline stack has no such filter on a stream: {json.dumps(wanted)}.")


def failure(function: str, shard: Shard, batch: StreamBatch, condition: str, now: float) -> Json:
    """What Lambda sends to the failure queue of a stream (same guide, "Retain discarded records …")."""
    first, last = batch.changes[0], batch.changes[-1]
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}",
            "condition": condition,
            "approximateInvokeCount": batch.tries,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _text(now, "milliseconds"),
        "DDBStreamBatchInfo": {
            "shardId": shard.name,
            "startSequenceNumber": str(first.number),
            "endSequenceNumber": str(last.number),
            "approximateArrivalOfFirstRecord": _text(first.at),
            "approximateArrivalOfLastRecord": _text(last.at),
            "batchSize": len(batch.changes),
            "streamArn": shard.arn,
        },
    }


def _text(moment: float, timespec: str = "seconds") -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
