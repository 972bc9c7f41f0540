"""What an image costs from its upload to the delivered XML, in calls and write units: ``make bench
BENCH=images``.

Everything is counted and nothing timed: the service's own code works on the tests' table in memory, which
counts each call as the client would make it, and each write as DynamoDB charges for it (sizes with the
names of the attributes, transactions double, entries of the due index on top). An image has 30 labels with
parents and aliases, 64 names, drawn from a vocabulary of 3,000. A batch is 50 images whose changes come
together in one batch of the stream, as they do under load. The last figure is a model of one owner's images
coming at a rate: the projections of several shards meet at the owner's counts, the partition takes 1,000
units a second, and whoever meets another's transaction draws a pause, as :mod:`chalicelib.table` does;
nobody may give up.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.figures import Figure, Progress, median
from chalicelib import pipeline
from chalicelib.expressions import Delete, Item, Key, Write
from chalicelib.library import catalogue
from chalicelib.model import Label, NewImage, ObjectUploaded
from chalicelib.table import BATCH_LIMIT, TRANSACTION_TRIES, WRITE_BATCH_LIMIT
from local.config import stage_config
from local.limits import PARTITION_WRITE_UNITS, item_bytes, write_units
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World

VOCABULARY = 3_000
MONTHS = 240  # in which photos were taken
WORDS = ("cat", "dining table", "rocket", "person", "sports car", "tree", "wind instrument", "sea")
BATCH = 50
DOLLARS_A_MILLION_UNITS = 0.625  # on demand, us-east-1
DOLLARS_A_MILLION_READS = 0.125
RATE = 100.0
SHARDS = 4
TRANSACTION_SECONDS = 0.02
REACH = {
    "labeler's calls, a new image": 8,
    "labeler's calls, a duplicate": 6,
    "calls from upload to delivered XML": 24,
    "write units of an image, alone": 220,
    "write units of an image, in a batch of 50": 95,
}
# List prices of us-east-1, without free tiers, in dollars for a thousand: a call of Rekognition's
# DetectLabels; S3's writes and reads; messages of SQS and SNS; invocations of Lambda; two gigabytes in S3 for
# a month.
RECOGNITION, S3_WRITE, S3_READ, SQS_CALL, SNS_MESSAGE, INVOCATION, STORAGE = (
    1.0,
    0.005,
    0.0004,
    0.0004,
    0.0005,
    0.0002,
    0.046,
)
GIGABYTE_SECOND = 1000 * 0.0000166667
# What the functions of an image's way run, in seconds: memory in gigabytes of each comes from config.json.
# The labeler waits a second for Rekognition; the projection has 50 images a batch, the worker ten messages.
RUNS = {"on_s3_upload": 1.5, "on_image_change": 0.01, "on_sns_message": 0.05, "on_sqs_message": 0.25}
MOST_OVER, MOST_OF_A_DUPLICATE = 1.2, 0.05


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

    def dollars(self) -> float:
        """What all of it costs for a thousand such images: the calls alone, no function's time."""
        units = self.write_units * DOLLARS_A_MILLION_UNITS + self.read_units * DOLLARS_A_MILLION_READS
        calls = self.calls
        s3 = calls["S3 writes"] * S3_WRITE + (calls["S3"] - calls["S3 writes"]) * S3_READ
        return units / 1000 + s3 + calls["SQS"] * SQS_CALL + calls["SNS"] * SNS_MESSAGE

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


def name_of(number: int) -> str:
    """One of the vocabulary's names, about as long as those of recognisers are."""
    return f"{WORDS[number % len(WORDS)]} {number:03d}"


def labels(chance: random.Random) -> tuple[Label, ...]:
    """30 labels with one parent each and some aliases: 64 names."""
    names = [
        f"{chance.choice('bcdfgklmnprst')}ame{number:04d}" for number in chance.sample(range(VOCABULARY), 64)
    ]
    made = []
    for place in range(30):
        aliases = (names[60 + place],) if place < 4 else ()
        made.append(Label(names[place], chance.uniform(55, 100), (names[30 + place],), aliases, ("Things",)))
    return tuple(sorted(made, key=lambda one: -one.confidence))


def world_of() -> World:
    """A world with the vocabulary in its counts, and an integration server."""
    world = World(INTEGRATION_URL="https://partner.example/labels")
    world.outbound = FakeReceiver()  # type: ignore[attr-defined]
    counted = {f"label:{name_of(one)}": 1 for one in range(VOCABULARY)}
    counted |= {f"taken:{2026 - one // 12}-{one % 12 + 1:02}": 1 for one in range(MONTHS)}
    for update in catalogue.updates("default", counted):
        world.table.write(update)
    return world


def label(world: Any, number: int, seen: tuple[Label, ...], content: bytes) -> None:
    """Hand an image in and have it labelled; the projection comes later."""
    world.recogniser = FakeRecogniser(*seen)
    image = pipeline.take_in(content, NewImage(filename=f"photo {number}.jpg"), "default", world)
    pipeline.label_image(ObjectUploaded(image.key), world)


def measured() -> dict[str, float]:
    """The figures by their names."""
    chance = random.Random(3)  # noqa: S311 - the same images each time
    world: Any = world_of()
    meter, mail = Meter(world), Mail(world)
    label(world, 0, labels(chance), CAT + b"warm")
    mail.run()
    found: dict[str, float] = {}

    world.recogniser = FakeRecogniser(*labels(chance))
    image = pipeline.take_in(CAT, NewImage(filename="photo.jpg"), "default", world)
    world.project()
    with meter.of():
        pipeline.label_image(ObjectUploaded(image.key), world)
        found["labeler's calls, a new image"] = meter.total
        world.project()
        mail.announce()
        mail.bring()
        found["calls from upload to delivered XML"] = meter.total
    copy = pipeline.take_in(CAT, NewImage(filename="copy.jpg"), "default", world)
    world.project()
    with meter.of():
        pipeline.label_image(ObjectUploaded(copy.key), world)
        found["labeler's calls, a duplicate"] = meter.total
    mail.run()

    with meter.of():
        label(world, 1, labels(chance), CAT + b"alone")
        mail.run()
        found["write units of an image, alone"] = meter.write_units
    with meter.of():
        for number in range(BATCH):
            label(world, number, labels(chance), CAT + str(number).encode())
        mail.run()
        found[f"write units of an image, in a batch of {BATCH}"] = meter.write_units / BATCH
        found["units of the counts for a batch"] = meter.by_partition["default#counts"]
        found["dollars of a new image"] = meter.dollars() / BATCH
        found["read units of an image, in a batch of 50"] = meter.read_units / BATCH
        found["bytes of an image's record"] = median(
            [item_bytes(one) for one in world.table.items_of_kind("record")]
        )
    with meter.of():
        for number in range(BATCH):
            label(world, number, (), CAT + str(number).encode())
        mail.run()
        found["dollars of a duplicate"] = meter.dollars() / BATCH
    return found


def given_up(rate: float, units_a_batch: float, seconds: float = 60.0) -> tuple[int, float]:
    """How many images no projector could count at a ``rate`` for one owner, and how late the last one was.

    Each shard collects for a second at most or 100 images; a batch is one transaction on the owner's counts.
    """
    chance = random.Random(7)  # noqa: S311 - the same arrivals each time
    batches: list[tuple[float, int, int, int]] = []
    for shard in range(SHARDS):
        times = list(_arrivals(rate / SHARDS, seconds, chance))
        while times:
            size = sum(at <= times[0] + 1.0 for at in times[:100])
            heapq.heappush(batches, (max(times[0] + 1.0, times[size - 1]), shard, size, 0))
            times = times[size:]
    free: defaultdict[int, float] = defaultdict(float)
    busy_until, tokens, refilled = 0.0, float(PARTITION_WRITE_UNITS), 0.0
    lost, latest = 0, 0.0
    while batches:
        at, shard, size, tried = heapq.heappop(batches)
        if tried == 0 and at < free[shard]:  # a shard's batches follow one another
            heapq.heappush(batches, (free[shard], shard, size, 0))
            continue
        tokens = min(PARTITION_WRITE_UNITS, tokens + (at - refilled) * PARTITION_WRITE_UNITS)
        refilled = at
        if at < busy_until or tokens < units_a_batch:
            if tried + 1 == TRANSACTION_TRIES:
                lost += size
                continue
            pause = chance.uniform(0, 0.02 * 2 ** min(tried, 6))
            free[shard] = at + pause
            heapq.heappush(batches, (at + pause, shard, size, tried + 1))
            continue
        tokens -= units_a_batch
        busy_until = at + TRANSACTION_SECONDS
        free[shard] = busy_until
        latest = max(latest, at - seconds)
    return lost, latest


def _arrivals(rate: float, seconds: float, chance: random.Random) -> Iterator[float]:
    at = chance.expovariate(rate)
    while at < seconds:
        yield at
        at += chance.expovariate(rate)


def figures(say: Progress) -> Iterator[Figure]:
    """Rows for calls, units and money, and one for how many images a second an owner may send."""
    say("images: what one costs from its upload to the delivered XML")
    found = measured()
    for name, most in REACH.items():
        yield Figure(name, found[name], "", most=most)
    yield Figure(
        "read units of an image, in a batch of 50", found["read units of an image, in a batch of 50"], ""
    )
    yield Figure("an image's record", found["bytes of an image's record"], "bytes")
    runs = sum(seconds * _gigabytes(name) * GIGABYTE_SECOND for name, seconds in RUNS.items())
    functions = runs + len(RUNS) * INVOCATION
    whole = RECOGNITION + found["dollars of a new image"] + functions + STORAGE
    yield Figure(
        "money for an image, with its 2 MB stored for a month",
        whole / RECOGNITION,
        "×",
        beside="one call of Rekognition",
        most=MOST_OVER,
        detail=f"$ a thousand: {found['dollars of a new image']:.3f} calls and units, "
        f"{functions:.3f} functions, {STORAGE:.3f} storage, {RECOGNITION:.2f} recognition",
    )
    yield Figure(
        "money for a duplicate",
        found["dollars of a duplicate"] / RECOGNITION,
        "×",
        beside="one call of Rekognition",
        most=MOST_OF_A_DUPLICATE,
        detail=f"$ a thousand: {found['dollars of a duplicate']:.3f} calls and units",
    )
    say("images: how many a second an owner may send")
    rate, units = RATE, found["units of the counts for a batch"]
    while given_up(2 * rate, units)[0] == 0 and rate < 1600:
        rate *= 2
    lost, _ = given_up(rate, units)
    yield Figure("images a second for one owner, none given up", 0 if lost else rate, "", least=RATE)


def _gigabytes(function: str) -> float:
    return int(stage_config(function, stage="dev").lambda_memory_size or 128) / 1024
