"""What the offline stack labels in a second, from photos in the bucket to the partner's documents.

With the embedded recogniser, beside that one in a loop in a process for each core, in turn: the stack does
next to nothing while the loops run. This is the one measure that goes by the clock: it wants a machine that
does nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import requests

from benchmarks.figures import Figure, Progress, median
from benchmarks.offline import computed
from benchmarks.recogniser import photos, recognised
from local.config import ROOT
from local.loopback import REGION
from tests.local.process import Process, started

IMAGES = 300
ROUNDS = 3
LOOPS = 15  # over the sample photos, in each process
AT_ONCE = 8
LEAST, LEAST_A_SECOND = 0.4, 12.0
BUCKET = "sightline-local-123456789012"


def figures(say: Progress) -> Iterator[Figure]:
    """Two rows."""
    with started() as process:
        rounds = []
        for number in range(ROUNDS):
            say(f"stack: round {number + 1} of {ROUNDS}, the recogniser alone and {IMAGES} photos")
            rounds.append((_alone(), *_whole(process, number)))
    alone, whole, computing = (median(one) for one in zip(*rounds, strict=True))
    ratio = median([through / by_itself for by_itself, through, _ in rounds])
    detail = f"{whole:.1f} a second beside {alone:.1f}; {1000 * computing:.0f} ms of the processor an image"
    beside = "the recogniser in a loop on all cores"
    yield Figure("offline stack, end to end", ratio, "×", beside=beside, least=LEAST, detail=detail)
    yield Figure("offline stack, photos a second", whole, "", least=LEAST_A_SECOND, detail=detail)


def _alone() -> float:
    command = [sys.executable, "-m", "benchmarks.stack"]
    loops = [
        subprocess.Popen(  # noqa: S603 - our own
            [*command, str(core)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for core in sorted(os.sched_getaffinity(0))
    ]
    return sum(float(json.loads(loop.communicate()[0])) for loop in loops)


def _whole(process: Process, round_: int) -> tuple[float, float]:
    """Photos a second, and seconds of the processor for one."""
    url = f"http://127.0.0.1:{process.ports[1]}"
    session = boto3.session.Session("local", "local", region_name=REGION)
    bucket: Any = session.client("s3", endpoint_url=url)
    partner = f"http://127.0.0.1:{process.ports[2]}/received"
    contents = photos()
    pids = process.pids
    before, used, began = _documents(partner), computed(pids), time.monotonic()

    def put(number: int) -> None:
        name = f"{round_}-{number}"  # what follows a photo in its file is let be, and makes it another
        body = contents[number % len(contents)] + name.encode()
        bucket.put_object(Bucket=BUCKET, Key=f"uploads/{name}.jpg", Body=body)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(put, range(IMAGES)))
    while (left := before + IMAGES - _documents(partner)) > 0:
        if time.monotonic() > began + 480:
            raise RuntimeError("The stack did not get through.")
        time.sleep(max(0.05, left / 40))  # it is a page of a hundred documents: to ask often is work for both
    took = time.monotonic() - began
    return IMAGES / took, (computed(pids) - used) / IMAGES


def _documents(partner: str) -> int:
    """How many the partner has had; it shows the latest hundred."""
    received = requests.get(partner, timeout=10).json()["received"]
    return int(received[-1]["reference"].removeprefix("P-")) if received else 0


def main() -> None:
    """Write how many photos a second one process recognises, while others do the same."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    recognise, contents = recognised(), photos()
    for content in contents:
        recognise(content)
    began = time.monotonic()
    for _ in range(LOOPS):
        for content in contents:
            recognise(content)
    sys.stdout.write(json.dumps(LOOPS * len(contents) / (time.monotonic() - began)))


if __name__ == "__main__":
    main()
