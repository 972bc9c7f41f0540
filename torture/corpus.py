"""A hostile corpus: thousands of damaged, forged and misnamed files go through the labeler, one by one.

Each is put into the tests' bucket and labelled as the upload's event would have it; one in twenty is shown to
the embedded networks, if it can be read. That is done in processes of their own, so that their memory can be
measured, and a crash of a decoder is told from an error.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import multiprocessing
import os
import random
import signal
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from chalicelib import pipeline
from chalicelib.intake.objects import thumbnail_key
from chalicelib.model import Label
from chalicelib.recognition.onnx import OnnxRecogniser
from local.config import ROOT
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World, s3_event
from tests.intake.measure import peak
from torture.figures import Figures, at_least, at_most, exactly, noted
from torture.layouts import FARTHEST, distance, sound
from torture.specimens import specimen

FILES = 2_400
CHUNK = 100
AT_ONCE = 2  # processes
EVERY = 20  # of so many files one is shown to the networks
SOUND_EVERY = 12  # of so many files one is sound, of a rare layout: it must become the picture that it is
ANOTHER_PICTURE = "another picture"
LABELLED = "labelled"
# What an image may end as, besides that it is labelled; what each means stands in docs/photos.md.
DECLARED = ("empty", "not-an-image", "unsupported-type", "too-many-pixels", "truncated", "corrupt")
MOST_SECONDS = 5.0
MOST_MIB = 1280.0
HANGING_SECONDS = 120


@dataclass(frozen=True)
class Fate:
    """What became of a file: ``outcome`` is ``labelled``, an error's code, or what should never be.

    ``seconds`` are those of the processor, ``mib`` the process's highest memory while it was at this file.
    """

    number: int
    outcome: str
    seconds: float
    mib: float


def run(seed: int, scale: float) -> Figures:
    """Label 2,400 files (where ``scale`` is 1) and tell how they ended."""
    files = max(CHUNK, round(FILES * scale))
    chunks = [range(first, min(first + CHUNK, files)) for first in range(0, files, CHUNK)]
    fates = [fate for part in _apart(seed, chunks) for fate in part]
    outcomes = Counter(fate.outcome for fate in fates)
    slowest, largest = max(fates, key=lambda one: one.seconds), max(fates, key=lambda one: one.mib)
    return [
        at_least("files", len(fates), files),
        *(noted(f"that end as {outcome}", number) for outcome, number in sorted(outcomes.items())),
        exactly("sound ones that were refused, or became another picture", outcomes[ANOTHER_PICTURE], 0),
        exactly("without a final state that is declared", outcomes.total() - _declared(outcomes), 0),
        at_most(f"slowest, processor's time (number {slowest.number})", slowest.seconds, MOST_SECONDS, "s"),
        at_most(f"highest memory of a process (number {largest.number})", largest.mib, MOST_MIB, "MiB"),
    ]


def _declared(outcomes: Counter[str]) -> int:
    return sum(outcomes[name] for name in (LABELLED, *DECLARED, ANOTHER_PICTURE))


def _apart(seed: int, chunks: Sequence[range]) -> list[list[Fate]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, mp_context=context, initializer=_prepare) as processes:
        tasks = [processes.submit(fates_of, seed, chunk) for chunk in chunks]
        try:
            return [task.result() for task in tasks]
        except BrokenProcessPool:
            return [[Fate(-1, "a process crashed, or hung for two minutes", 0.0, 0.0)]]


def _prepare() -> None:
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # remarks on damaged TIFFs
    logging.getLogger("sightline").setLevel(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where decoders in C say what they think of a file


def fates_of(seed: int, numbers: range) -> list[Fate]:
    """What becomes of the files with these numbers, in this process."""
    return [_fate(seed, number) for number in numbers]


@functools.cache
def _networks() -> OnnxRecogniser:
    return OnnxRecogniser(ROOT / "models")


def _fate(seed: int, number: int) -> Fate:
    name, content, picture = _specimen(seed, number)
    world: Any = World()
    world.recogniser = _networks() if number % EVERY == 0 else FakeRecogniser(Label("Cat", 93.0))
    with contextlib.suppress(OSError):  # where that is refused, it is that of all files so far
        Path("/proc/self/clear_refs").write_text("5")  # the highest memory is measured anew (proc(5))
    signal.alarm(HANGING_SECONDS)  # ends the process
    began = time.process_time()
    outcome = outcome_of(world, f"uploads/{name}", content)
    if picture is not None and not _is_seen(world, f"uploads/{name}", picture):
        outcome = ANOTHER_PICTURE
    took = time.process_time() - began
    signal.alarm(0)
    return Fate(number, outcome, took, peak())


def _specimen(seed: int, number: int) -> tuple[str, bytes, Image.Image | None]:
    if number % SOUND_EVERY:
        return (*specimen(seed, number), None)
    content, picture = sound(random.Random(f"sound {seed}:{number}"))  # noqa: S311 - repeatable on purpose
    return f"{number}.sound", content, picture


def _is_seen(world: Any, key: str, picture: Image.Image) -> bool:
    """Whether the thumbnail shows the picture."""
    thumbnail = world.objects.thumbnails.get(thumbnail_key(key))
    return thumbnail is not None and distance(thumbnail, picture) < FARTHEST


def outcome_of(world: Any, key: str, content: bytes) -> str:
    """How the file ended; a sentence where that is none of an image's ends, or somebody would try again."""
    try:
        pipeline.label_or_leave(s3_event(world.drop(key, content)), world)
    except Exception as error:  # what nobody declared is what is looked for here
        return f"raised {type(error).__name__}"
    image = world.image_at(key)
    if world.uploads_queue.messages or not image.final or key not in _told(world):
        return f"left as {image.status}"
    return image.error.code if image.error else str(image.status)


def _told(world: Any) -> set[str]:
    """The keys of the images whose results are in their sidecars."""
    return {key.replace("metadata/", "uploads/", 1).removesuffix(".json") for key in world.objects.sidecars}
