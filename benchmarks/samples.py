"""The pipelines that people start from, written as small as they can honestly be, and ours: calls for the
same work on the same table in memory.

``Scanning`` is the usual sample of a Chalice app: one function labels what lands in the bucket and puts one
item, the list is a scan that filters. ``Stepwise`` is the usual state machine: a function for each step,
which reads the item, does its one thing and writes the item. Both make what ours makes of a photo: labels, a
thumbnail, a sidecar, a document for the partner. Neither knows bytes that it has seen; both answer a query
for a label by a scan, a megabyte a call (Amazon DynamoDB developer guide, "Scanning tables").
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import Figure, Progress
from benchmarks.images import label, labels, world_of
from benchmarks.meter import Meter
from chalicelib import pipeline
from chalicelib.expressions import Item, Key, Put
from chalicelib.library.query import parse
from chalicelib.library.search import Search
from chalicelib.library.streams import TOP
from chalicelib.model import Label, NewImage, ObjectUploaded
from local.limits import item_bytes
from tests.fakes.mail import Mail
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.table import FakeTable
from tests.fakes.world import CAT

IMAGES = 1_000
PAGE = 50
SCANNED_BYTES = 1_000_000


class Scanning:
    """Labels a photo in one function, lists by a scan."""

    def __init__(self) -> None:
        self.calls = self.recognitions = 0
        self._table = FakeTable()
        self._bucket: dict[str, bytes] = {}

    def upload(self, key: str, content: bytes, seen: tuple[Label, ...]) -> None:
        """From S3's event to the partner's document."""
        self._bucket[key] = content  # the client's own call
        self._get(key)
        found = [one.to_json() for one in self._recognise(seen)]
        self._put_object(f"thumbnails/{key}", b"small")
        self._put_object(f"metadata/{key}.json", json.dumps(found).encode())
        self._put_item(key, found)
        self._post()

    def query(self, name: str) -> list[str]:
        """The newest images with a label: all are read, those that have it are kept."""
        found, read = [], 0
        self.calls += 1
        for item in self._table.everything():
            read += item_bytes(item)
            if read > SCANNED_BYTES:
                self.calls, read = self.calls + 1, item_bytes(item)
            if any(one["name"] == name for one in json.loads(str(item["labels"]))):
                found.append(str(item["pk"]))
        return sorted(found, reverse=True)[:PAGE]

    def _recognise(self, seen: tuple[Label, ...]) -> tuple[Label, ...]:
        self.calls, self.recognitions = self.calls + 1, self.recognitions + 1
        return seen

    def _get(self, key: str) -> bytes:
        self.calls += 1
        return self._bucket[key]

    def _put_object(self, key: str, content: bytes) -> None:
        self.calls += 1
        self._bucket[key] = content

    def _put_item(self, key: str, found: list[Any]) -> None:
        self.calls += 1
        self._table.write(Put(Key(key, "image"), {"labels": json.dumps(found)}))

    def _get_item(self, key: str) -> Item:
        self.calls += 1
        return self._table.get(Key(key, "image")) or {}

    def _post(self) -> None:
        """One request to the partner, which is none of AWS's calls."""


class Stepwise(Scanning):
    """The same as a state machine: each step reads the item, does one thing, writes the item."""

    def upload(self, key: str, content: bytes, seen: tuple[Label, ...]) -> None:
        self._bucket[key] = content
        self.calls += 1  # the execution is started
        self._put_item(key, [])
        hashlib.sha256(self._get(key)).hexdigest()
        self._step(key, [])  # type, size, digest
        found = [one.to_json() for one in self._recognise(seen)]
        self._step(key, found)
        self._get(key)
        self._put_object(f"thumbnails/{key}", b"small")
        self._step(key, found)
        self._put_object(f"metadata/{key}.json", json.dumps(found).encode())
        self._step(key, found)
        self._post()
        self._step(key, found)

    def _step(self, key: str, found: list[Any]) -> None:
        self._get_item(key)
        self._put_item(key, found)


def figures(say: Progress) -> Iterator[Figure]:
    """Rows for a query, a duplicate and a new image, of ours beside each sample."""
    say(f"samples: {IMAGES:,} images are labelled by each")
    chance = random.Random(3)  # noqa: S311 - the same images each time
    seen = [labels(chance) for _ in range(IMAGES)]
    query, duplicate, new, recognised = _ours(seen)
    for sample, what in ((Scanning(), "a sample with one function"), (Stepwise(), "a state machine")):
        for number, found in enumerate(seen):
            sample.upload(f"{number:06}.jpg", CAT + str(number).encode(), found)
        sample.calls = 0
        sample.query(seen[0][0].name)
        theirs = sample.calls
        sample.calls = sample.recognitions = 0
        sample.upload("copy.jpg", CAT + b"0", seen[0])
        yield Figure(
            f"calls for a query, beside {what}",
            query / theirs,
            "×",
            beside="a scan of all images",
            most=1,
            detail=f"{query} beside {theirs} at {IMAGES:,} images",
        )
        yield Figure(
            f"recogniser calls for a duplicate, beside {what}",
            recognised,
            "",
            beside=f"{sample.recognitions} there",
            most=0,
        )
        for kind, calls in (("a duplicate", duplicate), ("a new image", new)):
            detail = f"{calls} beside {sample.calls}, to the delivered XML"
            yield Figure(f"all calls for {kind}, beside {what}", calls / sample.calls, "×", detail=detail)


def _ours(seen: list[tuple[Label, ...]]) -> tuple[int, int, int, int]:
    """Calls for a query, for a duplicate and for a new image, and how often a duplicate is recognised."""
    world: Any = world_of()
    meter, mail = Meter(world), Mail(world)
    for number, found in enumerate(seen):
        label(world, number, found, CAT + str(number).encode())
        if number % 50 == 49:
            mail.run()
    counts = []
    recognitions = 0
    for content in (CAT + b"0", CAT + b"new"):
        world.recogniser = FakeRecogniser(*seen[0])
        image = pipeline.take_in(content, NewImage(filename="copy.jpg"), "default", world)
        world.project()
        with meter.of():
            pipeline.label_image(ObjectUploaded(image.key), world)
            mail.run()
            counts.append(meter.total)
        if content == CAT + b"0":
            recognitions = len(world.recogniser.photos)
    with meter.of():
        Search(world.table).page("default", parse(seen[0][0].name), limit=PAGE, at=TOP)
        return meter.total, counts[0], counts[1], recognitions
