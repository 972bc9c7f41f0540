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
import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import Figure, Progress, median
from benchmarks.meter import Meter
from chalicelib import pipeline
from chalicelib.library import catalogue
from chalicelib.model import Label, NewImage, ObjectUploaded
from chalicelib.table import TRANSACTION_TRIES
from local.config import stage_config
from local.limits import PARTITION_WRITE_UNITS, item_bytes
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World

VOCABULARY = 3_000
MONTHS = 240  # in which photos were taken
WORDS = ("cat", "dining table", "rocket", "person", "sports car", "tree", "wind instrument", "sea")
BATCH = 50
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
# List prices of us-east-1, without free tiers, in dollars for a thousand; those of calls stand in
# :mod:`benchmarks.meter`. Storage: two gigabytes in S3 for a month.
RECOGNITION, INVOCATION, STORAGE = 1.0, 0.0002, 0.046
GIGABYTE_SECOND = 1000 * 0.0000166667
Dollars = dict[str, float]  # for a thousand, by what is paid for
# What the functions of an image's way run, in seconds: memory in gigabytes of each comes from config.json.
# The labeler waits a second for Rekognition; the projection has 50 images a batch, the worker ten messages.
RUNS = {"on_s3_upload": 1.5, "on_image_change": 0.01, "on_sns_message": 0.05, "on_sqs_message": 0.25}
MOST_OVER, MOST_OF_A_DUPLICATE = 1.2, 0.05


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


def measured() -> tuple[dict[str, float], Dollars, Dollars]:
    """The figures by their names; what calls and units cost for a thousand new images, and for duplicates."""
    chance = random.Random(3)  # noqa: S311 - the same images each time
    world: Any = world_of()
    meter, mail = Meter(world), Mail(world)
    label(world, 0, labels(chance), CAT + b"warm")
    mail.run()
    found = _calls(world, meter, mail, chance)
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
        new = {kind: dollars / BATCH for kind, dollars in meter.dollars().items()}
        found["read units of an image, in a batch of 50"] = meter.read_units / BATCH
        found["bytes of an image's record"] = median(
            [item_bytes(one) for one in world.table.items_of_kind("record")]
        )
    with meter.of():
        for number in range(BATCH):
            label(world, number, (), CAT + str(number).encode())
        mail.run()
        found["write units of a duplicate, in a batch of 50"] = meter.write_units / BATCH
        duplicate = {kind: dollars / BATCH for kind, dollars in meter.dollars().items()}
    return found, new, duplicate


def _calls(world: Any, meter: Meter, mail: Mail, chance: random.Random) -> dict[str, float]:
    """The calls that a new image and a duplicate of it take."""
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
    found, new, duplicate = measured()
    for name, most in REACH.items():
        yield Figure(name, found[name], "", most=most)
    for name in ("read units of an image, in a batch of 50", "write units of a duplicate, in a batch of 50"):
        yield Figure(name, found[name], "")
    yield Figure("an image's record", found["bytes of an image's record"], "bytes")
    yield from _money(new, duplicate)
    say("images: how many a second an owner may send")
    rate, units = RATE, found["units of the counts for a batch"]
    while given_up(2 * rate, units)[0] == 0 and rate < 1600:
        rate *= 2
    lost, _ = given_up(rate, units)
    yield Figure("images a second for one owner, none given up", 0 if lost else rate, "", least=RATE)


def _money(new: Dollars, duplicate: Dollars) -> Iterator[Figure]:
    beside = "one call of Rekognition"
    functions = sum(
        INVOCATION + seconds * _gigabytes(name) * GIGABYTE_SECOND for name, seconds in RUNS.items()
    )
    parts = {**new, "functions": functions, "storage": STORAGE, "recognition": RECOGNITION}
    yield Figure(
        "money for an image, with its 2 MB stored for a month",
        sum(parts.values()) / RECOGNITION,
        "×",
        beside=beside,
        most=MOST_OVER,
        detail=_told(parts),
    )
    yield Figure(
        "money for a duplicate, calls and units",
        sum(duplicate.values()) / RECOGNITION,
        "×",
        beside=beside,
        most=MOST_OF_A_DUPLICATE,
        detail=_told(duplicate),
    )


def _told(parts: Dollars) -> str:
    return "$ a thousand: " + ", ".join(f"{dollars:.3f} {kind}" for kind, dollars in parts.items())


def _gigabytes(function: str) -> float:
    return int(stage_config(function, stage="dev").lambda_memory_size or 128) / 1024
