"""What a start of ``make run`` takes with a library, and how soon the index follows: ``make bench
BENCH=offline``.

The library is made up, its records, index and counts by the service's own code; each photo has a file, a
thumbnail and a sidecar. Measured are the time until the stack is ready, how much of it the process computed
(where the machine has other work to do, that is the better figure), and its memory then.

For images one after another it is measured how long after its labels are known a query finds each.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import requests

from benchmarks.figures import Figure, Progress, median
from benchmarks.synthetic import labelled
from chalicelib.expressions import encoded
from chalicelib.intake.objects import sidecar_key, thumbnail_key
from local.config import ROOT
from local.folder import FORMAT
from local.journal import Journal
from tests.fakes.table import FakeTable
from tests.fakes.world import World
from tests.local.process import started

TABLE = "sightline-local"
LIBRARIES = (1000, 5000)
IMAGES = 40
CATCHES_UP_SECONDS = 2.0
PHOTO = (ROOT / "photos" / "chelsea.jpg").read_bytes()


def figures(say: Progress) -> Iterator[Figure]:
    """Rows for libraries of two sizes, and one for how soon an image is found."""
    for size in LIBRARIES:
        with tempfile.TemporaryDirectory() as folder:
            say(f"offline: a library of {size:,} photos is made")
            items = fill(Path(folder), size)
            measured(Path(folder))  # the first start writes what the next ones read
            ready, computing, memory = measured(Path(folder))
            detail = f"{items:,} items, {computing:.1f} s of it computing, {memory:.0f} MB then"
            yield Figure(f"start of make run with {size:,} photos", ready, "s", detail=detail)
    say(f"offline: {IMAGES} images are labelled and looked for")
    lags = sorted(until_found())
    p95 = lags[math.ceil(0.95 * len(lags)) - 1]
    yield Figure(
        "a labelled image is found by a query, 95 of 100",
        p95,
        "s",
        most=CATCHES_UP_SECONDS,
        detail=f"median {median(lags):.2f} s",
    )


def until_found() -> list[float]:
    """For each of some images, the seconds from when it is labelled until its label finds it."""
    lags = []
    with started() as process:
        api = f"http://127.0.0.1:{process.ports[0]}/images"
        for number in range(IMAGES):
            content = base64.b64encode(PHOTO + bytes([number])).decode()  # what follows the photo is let be
            image = requests.post(api, json={"content": content}, timeout=60).json()["id"]
            requests.get(f"{api}/{image}", params={"wait": 20}, timeout=60).raise_for_status()
            began = time.monotonic()
            while image not in requests.get(api, params={"q": "animal", "limit": 5}, timeout=60).text:
                time.sleep(0.02)
            lags.append(time.monotonic() - began)
    return lags


def measured(folder: Path) -> tuple[float, float, float]:
    """Seconds until a stack is ready, how many of them it computed, and its megabytes then."""
    began = time.monotonic()
    with started(data=folder) as process:
        ready = time.monotonic() - began
        pids = process.pids
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        return ready, computed(pids), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def computed(pids: Iterable[int]) -> float:
    """Seconds that processes have had of the processor."""
    used = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in used) / os.sysconf("SC_CLK_TCK")


def fill(folder: Path, size: int) -> int:
    """Put a library into a folder; answers how many items it has."""
    (folder / "sightline.json").write_text(json.dumps({"format": FORMAT, "tour": True}))
    world = World()
    for number, image in enumerate(labelled(size)):
        etag = hashlib.md5(PHOTO, usedforsecurity=False).hexdigest()
        world.images.create(dataclasses.replace(image, etag=etag, filename=f"IMG_{number:05}.jpg"))
        for key in (image.key, thumbnail_key(image.key), sidecar_key(image.key)):
            path = folder / "objects" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(PHOTO)
        if number % 1000 == 999:
            world.project()
            world.table.transactions.clear()  # what the fake remembers for tests would fill the memory
    world.project()
    lines = [{"table": TABLE, "put": [item], "gone": []} for item in _items(world.table)]
    Journal(folder / "table.jsonl").append(*lines, {"settled": len(lines)})
    return len(lines)


def _items(table: FakeTable) -> Iterator[dict[str, object]]:
    """The table's items in wire form, what is binary as text."""
    for item in table.everything():
        yield json.loads(json.dumps(encoded(item), default=_text))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
