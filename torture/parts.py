"""The parts of the torture: modules with ``run(seed, scale)``."""

from __future__ import annotations

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from torture.figures import Figures

PARTS = ("schedules", "burst", "backlog", "corpus")


def apart(part: str, seed: int, scale: float) -> Figures:
    """Run a part in a process of its own: moto's state and the app's settings are the process's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_run, part, seed, scale).result()


def _run(part: str, seed: int, scale: float) -> Figures:
    figures: Figures = importlib.import_module(f"torture.{part}").run(seed, scale)
    return figures
