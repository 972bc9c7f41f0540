"""The table's stream, as Lambda reads it for the projection: shard by shard, now and then late and twice."""

from __future__ import annotations

import dataclasses
import random
from collections import deque
from collections.abc import Iterator

from chalicelib.model import Json
from local.config import mapping_of
from local.stream_reader import StreamBatch, StreamReader
from torture.world import World

FUNCTION = "on_image_change"
BATCH, WINDOW_SECONDS = 100, 1.0  # as in app.py
LATE, LONGEST_LAG = 0.1, 600.0  # the share of batches that are, and the seconds that they are it at most
REPEATED, LONGEST_REPEAT = 0.1, 3600.0
REMEMBERED = 20  # batches, of which one may come again
LONGEST_BACKOFF = 60.0
RETRIES = 4  # fewer than a deployment has, so that some changes do end on the failure queue


class Streams:
    """All shards; of each one batch at a time, in order. ``given_up``: what the failure queue was told."""

    def __init__(self, world: World) -> None:
        self._chance = random.Random(f"{world.seed}:streams")  # noqa: S311 - no secret
        self._recent: deque[StreamBatch] = deque(maxlen=REMEMBERED)
        self.given_up: list[Json] = []
        self._feeds = [
            StreamReader(
                FUNCTION,
                shard,
                dataclasses.replace(
                    mapping_of(FUNCTION), batch_size=BATCH, window=WINDOW_SECONDS, retries=RETRIES
                ),
                world.clock,
                give_up=self.given_up.append,
                backoff=lambda tries: min(2.0**tries, LONGEST_BACKOFF),
            )
            for shard in world.cloud.shards()
        ]

    def due(self) -> Iterator[tuple[StreamReader, StreamBatch]]:
        """The batches to hand over now."""
        for feed in self._feeds:
            batch = feed.due()
            if batch is not None:
                self._recent.append(batch)
                yield feed, batch

    def next_moment(self) -> float | None:
        """When the next batch is due, as far as anything is known of one."""
        moments = (feed.next_moment() for feed in self._feeds)
        return min((moment for moment in moments if moment is not None), default=None)

    def left_behind(self) -> set[tuple[str, str]]:
        """The keys of the records whose changes were given up, as an operator reads them from the shards."""
        told = [message["DDBStreamBatchInfo"] for message in self.given_up]
        self.given_up.clear()
        shards = {feed.shard.name: feed.shard for feed in self._feeds}
        keys: set[tuple[str, str]] = set()
        for batch in told:
            first, last = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
            changes = (one for one in shards[batch["shardId"]].after(first - 1) if one.number <= last)
            for key in (one.event["dynamodb"]["Keys"] for one in changes):
                keys.add((key["pk"]["S"], key["sk"]["S"]))
        return {key for key in keys if key[1] == "record"}

    def lag(self) -> float:
        """How many seconds late a batch comes."""
        return self._chance.uniform(1, LONGEST_LAG) if self._chance.random() < LATE else 0.0

    def repeated(self) -> tuple[float, StreamBatch] | None:
        """A batch that comes once more, and in how many seconds; the older, the more out of order."""
        if self._chance.random() >= REPEATED:
            return None
        return self._chance.uniform(0, LONGEST_REPEAT), self._chance.choice(self._recent)
