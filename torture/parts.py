"""The parts of the torture: modules with ``run(seed, scale)``."""

from __future__ import annotations

import importlib
import itertools
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from torture.figures import Figures

# Those in a row run side by side, as none of them keeps two cores busy; the one that is timed has them alone.
ROWS = (("schedules", "burst", "corpus", "bulk"), ("backlog",))
PARTS = tuple(itertools.chain(*ROWS))


@dataclass(frozen=True)
class Report:
    """What a part has measured, and in how many seconds."""

    part: str
    figures: Figures
    seconds: float


def side_by_side(parts: Sequence[str], seed: int, scale: float) -> Iterator[Report]:
    """Run parts at the same time; their reports as they come."""
    with ThreadPoolExecutor(len(parts)) as threads:
        for done in as_completed([threads.submit(_reported, part, seed, scale) for part in parts]):
            yield done.result()


def apart(part: str, seed: int, scale: float) -> Figures:
    """Run a part in a process of its own: moto's state and the app's settings are the process's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_run, part, seed, scale).result()


def _reported(part: str, seed: int, scale: float) -> Report:
    began = time.monotonic()
    return Report(part, apart(part, seed, scale), time.monotonic() - began)


def _run(part: str, seed: int, scale: float) -> Figures:
    figures: Figures = importlib.import_module(f"torture.{part}").run(seed, scale)
    return figures
