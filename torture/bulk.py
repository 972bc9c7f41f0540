"""A job over 10,000 objects, while messages are lost and doubled and every worker is killed half-way.

The job, its labelers and the table are the service's own in memory under a clock that is moved, the buckets
are moto's. One message in twenty is lost, one comes twice; one object in a hundred is no photo, one in twenty
has the bytes of another. When half of the lines are done, every worker that is at work dies at a place of
chance's choosing, for five seconds on end, and the job's own with them.
"""

from __future__ import annotations

import io
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto import mock_aws
from PIL import Image

from chalicelib import pipeline
from chalicelib.library.jobs import Job
from chalicelib.model import Json
from tests.fakes.bulk import THEIRS, results_of, world_of_buckets
from tests.fakes.mail import handle
from torture.figures import Figures, at_most, exactly, noted

OBJECTS = 10_000
LOST, DOUBLED = 0.05, 0.05
NO_PHOTO, COPIES = 100, 20  # one object in so many
KILLING_SECONDS = 5
COMES_AGAIN_SECONDS = 5.0
HIDDEN_SECONDS = 360.0  # for which a message is hidden whose worker has died
MOST_SECONDS = 200_000
EFFECTS = 9  # on the world, after one of which a worker dies
WRITES = ("write", "transact", "write_many", "tally")


class Killed(BaseException):
    """A worker is no more."""


@dataclass
class Reaper:
    """Kills whoever is at work after so many effects, while it is ``out``."""

    chance: random.Random
    out: bool = False
    left: int = 0
    killed: int = 0

    def meets(self) -> None:
        """A worker begins."""
        self.left = self.chance.randint(1, EFFECTS) if self.out else 0

    def after(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same act, after which the worker may be dead."""

        def done(*args: Any, **rest: Any) -> Any:
            answer = act(*args, **rest)
            self.left -= 1
            if self.left == 0:
                self.killed += 1
                raise Killed
            return answer

        return done


@dataclass
class Post:
    """The two queues, of which messages come when they are due, or never, or twice."""

    world: Any
    chance: random.Random
    waiting: list[tuple[float, Json]] = field(default_factory=list)

    def collect(self) -> None:
        """Take over what was sent."""
        now = self.world.clock()
        for queue in (self.world.uploads_queue, self.world.jobs_queue):
            for message, delay in zip(queue.messages, queue.delays, strict=True):
                drawn = self.chance.random()
                copies = 0 if drawn < LOST else 2 if drawn < LOST + DOUBLED else 1
                self.waiting += [(now + delay, message)] * copies
            queue.messages.clear()
            queue.delays.clear()

    def due(self) -> list[Json]:
        """What is visible by now, taken off the queues."""
        now = self.world.clock()
        visible = [message for at, message in self.waiting if at <= now]
        self.waiting = [one for one in self.waiting if one[0] > now]
        return visible

    def hide(self, message: Json) -> None:
        """Let a message come again, whose worker has died."""
        self.waiting.append((self.world.clock() + HIDDEN_SECONDS, message))


def run(seed: int, scale: float) -> Figures:
    """Label 10,000 objects by a manifest, and compare what came of each line with what should have."""
    logging.getLogger("sightline").setLevel(logging.CRITICAL)
    chance = random.Random(seed)  # noqa: S311 - chance, not a secret
    with mock_aws():
        world = world_of_buckets(boto3.client("s3", region_name="us-east-1"))
        expected = _fill(world, max(100, round(OBJECTS * scale)), chance)
        reaper = Reaper(chance)
        _make_mortal(world, reaper)
        job, seconds = _worked(world, chance, reaper, len(expected))
        rows, images, used = results_of(world, job.id), _images(world), _used(world)
    told = Counter(one.get("code") or one["outcome"] for one in rows)
    good = Counter(expected)
    asked = len(world.recogniser.photos)
    return [
        noted("objects", len(expected)),
        noted("seconds of the clock", seconds),
        noted("workers killed", reaper.killed),
        exactly("jobs not done", int(job.status != "done"), 0),
        exactly("lines in the results", len(rows), len(expected)),
        exactly("lines out of order", sum(n != one["line"] for n, one in enumerate(rows, start=1)), 0),
        exactly("no photos", told["not-an-image"], good["not-an-image"]),
        exactly("labelled or copied", told["labelled"] + told["copied"], good["labelled"] + good["copied"]),
        exactly("given up", told["gave-up"], 0),
        exactly("images", images, len(expected)),
        at_most("calls of the recogniser", asked, good["labelled"] + reaper.killed),
        exactly("calls in the usage", used, good["labelled"]),
    ]


def _fill(world: Any, number: int, chance: random.Random) -> Sequence[str]:
    """Put so many objects and their manifest there; what is to come of each line."""
    drawn = io.BytesIO()
    Image.new("RGB", (96, 96), "orange").save(drawn, "JPEG")
    outcomes = []
    for place in range(number):
        kind = "not-an-image" if place % NO_PHOTO == 7 else "copied" if place % COPIES == 3 else "labelled"
        told = place - 1 if kind == "copied" else place
        body = b"no photo" if kind == "not-an-image" else drawn.getvalue() + str(told).encode()
        world.s3.put_object(Bucket=THEIRS, Key=f"{place:05}.jpg", Body=body)
        outcomes.append(kind)
    lines = "".join(json.dumps({"source-ref": f"s3://{THEIRS}/{one:05}.jpg"}) + "\n" for one in range(number))
    world.s3.put_object(Bucket=THEIRS, Key="list.jsonl", Body=lines.encode())
    return outcomes


def _make_mortal(world: Any, reaper: Reaper) -> None:
    for name in WRITES:
        if hasattr(world.table, name):
            setattr(world.table, name, reaper.after(getattr(world.table, name)))
    world.objects.put = reaper.after(world.objects.put)
    world.recogniser.recognise = reaper.after(world.recogniser.recognise)
    for queue in (world.uploads_queue, world.jobs_queue):
        queue.send_many = reaper.after(queue.send_many)


def _worked(world: Any, chance: random.Random, reaper: Reaper, lines: int) -> tuple[Job, float]:
    """Let time pass until the job has ended; in how many seconds of the clock it did."""
    request = {
        "source": {"kind": "manifest", "at": f"s3://{THEIRS}/list.jsonl"},
        "asked": {},
        "dry_run": False,
        "max_cost": None,
        "unchanged_since": None,
    }
    job = pipeline.start("default", "label", request, world)
    post, began, killing = Post(world, chance), world.clock(), KILLING_SECONDS
    for second in range(MOST_SECONDS):
        post.collect()
        job = world.jobs.get("default", job.id)
        if job.ended:
            break
        reaper.out = killing > 0 and job.looked_at >= lines // 2
        for message in post.due():
            _handle(message, world, post, reaper)
        if second % 60 == 0:
            pipeline.sweep(world)
        killing -= reaper.out
        world.clock.forward(1.0)
    reaper.out = False
    return job, world.clock() - began


def _handle(message: Json, world: Any, post: Post, reaper: Reaper) -> None:
    reaper.meets()
    try:
        answer = handle(message, world)
    except Killed:
        post.hide(message)
        return
    finally:
        reaper.left = 0
    if answer["batchItemFailures"]:
        post.waiting.append((world.clock() + COMES_AGAIN_SECONDS, message))


def _images(world: Any) -> int:
    world.project()
    return len(world.table.items_of_kind("record"))


def _used(world: Any) -> int:
    days = world.usage.days("default", "2000-01-01", "2100-01-01", most=366)
    return sum(one.calls.get("rekognition:labels", 0) for one in days)
