"""How long ``make run`` takes from a shell's line to the table of sample photos, where all is installed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator

from benchmarks.figures import Figure, Progress, median
from local.config import ROOT
from tests.local.process import free_port

ROUNDS = 3
MOST_SECONDS = 5.0
PHOTOS = len(list((ROOT / "photos").glob("*.jpg")))
_ROW = re.compile(r"^\s+\w+\.jpg +\d+ ")


def figures(say: Progress) -> Iterator[Figure]:
    """One row."""
    taken = []
    for number in range(1, ROUNDS + 1):
        say(f"make run, round {number} of {ROUNDS}")
        taken.append(_started())
    seconds, computing = (median(one) for one in zip(*taken, strict=True))
    yield Figure(
        "make run to the table of samples",
        seconds,
        "s",
        most=MOST_SECONDS,
        detail=f"of it computing, on all cores: {computing:.1f} s",
    )


def _started() -> tuple[float, float]:
    """Seconds until the last sample stands in the table, and how many the processor took for that."""
    with tempfile.TemporaryDirectory() as data:
        ports = {name: str(free_port()) for name in ("PORT", "AWS_PORT", "PARTNER_PORT")}
        given = [f"{name}={value}" for name, value in {**ports, "DATA": data}.items()]
        began, before = time.monotonic(), os.times()
        process = subprocess.Popen(  # noqa: S603
            ["make", "run", *given],  # noqa: S607 - the user's own
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None  # noqa: S101 - for mypy
        rows = 0
        while rows < PHOTOS and (line := process.stdout.readline()):
            rows += bool(_ROW.match(line))
        took = time.monotonic() - began
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        process.wait(60)
        after = os.times()
    if rows < PHOTOS:
        raise RuntimeError("make run ended before it had shown the samples.")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return took, used
