"""DynamoDB Streams as a trigger: a table's changes, brought to a function in order, batch by batch."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

from chalice.app import DynamoDBEventConfig

from local.activity import Activity, told
from local.event_source import Timing
from local.faults import Dice
from local.function import Invocable, Json
from local.shard import Shard
from local.stream_reader import EventSourceMapping, StreamBatch, StreamReader

LOOK_SECONDS = 0.2
SHORTEST_RETRY_SECONDS = 1
THROTTLED_SECONDS = 0.2
STOPPING_SECONDS = 10.0


def shard_here(table: str) -> Shard:
    """The shard of a table in this process's moto; :exc:`ValueError` where it has no stream."""
    from local.moto_streams import shard_of  # moto takes a third of a second

    return shard_of(table)


def reader(
    config: DynamoDBEventConfig,
    shard: Shard,
    says: EventSourceMapping,
    pace: Timing,
    give_up: Callable[[Json], None],
) -> StreamReader:
    """A function's way through a shard, set up as the decorator and the deployment say."""
    window = min(config.maximum_batching_window_in_seconds or 0, pace.longest_window)
    start = shard.last if config.starting_position == "LATEST" else shard.first - 1
    return StreamReader(
        config.name,
        shard,
        dataclasses.replace(says, batch_size=config.batch_size, window=window),
        time.time,
        give_up=give_up,
        backoff=lambda tries: SHORTEST_RETRY_SECONDS if pace.retry_seconds is None else pace.retry_seconds,
        position=shard.positions.get(config.name, start),
    )


class StreamPoller:
    """A thread that hands a shard's changes to a function, with the misbehaviour that ``dice`` calls for."""

    def __init__(
        self,
        function: Invocable,
        reader: StreamReader,
        dice: Dice,
        activity: Activity,
        account: threading.Semaphore,
    ) -> None:
        self._account = account
        self.kind = f"stream of {reader.shard.table_name}"
        self._function = function
        self._reader = reader
        self._dice = dice
        self._activity = activity
        self._repeated: StreamBatch | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Hand over nothing more; :meth:`join` waits for what is under way."""
        self._stopping.set()

    def join(self) -> None:
        """Wait for the batch under way, and leave a mark for a successor."""
        self._thread.join(STOPPING_SECONDS)
        self._reader.shard.positions[self._function.name] = self._reader.position

    def busy(self) -> bool:
        """Whether there is something that the function has still to see."""
        return not self._reader.at_rest

    def _run(self) -> None:
        while not self._stopping.is_set():
            batch = self._reader.due()
            if batch is not None:
                with self._activity.under_way():
                    self._deliver(batch)
            elif (moment := self._reader.next_moment()) is not None:
                self._stopping.wait(min(LOOK_SECONDS, max(0.0, moment - time.time())))
            else:
                self._reader.shard.wait(self._reader.seen, LOOK_SECONDS)

    def _deliver(self, batch: StreamBatch) -> None:
        if self._dice.says("delay"):
            self._stopping.wait(self._dice.lateness())
        if self._dice.says("throttle") or not self._account.acquire(blocking=False):
            self._stopping.wait(THROTTLED_SECONDS)
            self._reader.put_back(batch)
            return
        try:
            self._run_with(batch)
        finally:
            self._account.release()

    def _run_with(self, batch: StreamBatch) -> None:
        try:
            reply = self._invoke(batch)
        except Exception:
            # Lambda's way: whatever a handler raises is its failure, and the batch comes again.
            self._reader.settle(batch, failed=True)
            return
        if self._dice.says("duplicate"):
            self._repeat(batch)
        if self._repeated:
            self._repeat(self._repeated)
        self._repeated = batch if self._dice.says("reorder") else None
        self._reader.settle(batch, reply, failed=self._dice.says("crash"))

    def _repeat(self, batch: StreamBatch) -> None:
        """A stream's records may come again, when later ones have come: nobody asks how it went."""
        with contextlib.suppress(Exception):
            self._invoke(batch)

    def _invoke(self, batch: StreamBatch) -> Any:
        again = f", try {batch.tries + 1}" if batch.tries else ""
        with told(self._function.name, f"{self.kind}, changes: {len(batch.changes)}{again}"):
            return self._function(batch.event)
