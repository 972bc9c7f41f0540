"""Schedules of faults: images are led through a cloud that misbehaves by a seed; then all is looked at."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from botocore.retries.standard import ExponentialBackoff

from torture import strangers
from torture.cloud import Cloud
from torture.figures import Figure, Figures, at_most, exactly, noted
from torture.judge import Verdict, judge, judge_dead_letters
from torture.people import People
from torture.platform import Platform, Restless
from torture.world import World, world

SCHEDULES = 200
IMAGES = 50
AT_ONCE = 2  # processes
RATES = (0.02, 0.1)  # which share of the calls is spoilt
GAPS = (10, 60)  # invocations between two that die, at the most
MOST_SENTENCES = 20
NEVER = (
    "images lost",
    "images that came back",
    "renames wrong",
    "results doubled",
    "results wrong",
    "extra calls unexplained",
    "deliveries lost",
    "deliveries doubled",
    "deliveries unaccounted",
    "deliveries wrong",
    "sent again without need",
    "index faults",
    "history wrong",
    "usage wrong",
    "counts wrong",
    "dead letters wrong",
    "schedules without rest",
    "schedules broken off",
)


def run(seed: int, scale: float) -> Figures:
    """Run the schedules with the seeds from ``seed`` on; all 200 of them where ``scale`` is 1."""
    seeds = range(seed, seed + max(1, round(SCHEDULES * scale)))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(AT_ONCE, len(seeds)), context, initializer=prepare) as processes:
        return figures(list(processes.map(attempted, seeds)))


def prepare() -> None:
    """Make this process one that schedules can run in."""
    os.environ.update(
        AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull
    )
    ExponentialBackoff.delay_amount = lambda self, context: 0  # pauses between tries prove nothing here
    logging.getLogger("sightline").setLevel(
        logging.CRITICAL
    )  # what is logged of faults would fill the screen


def attempted(seed: int) -> Verdict:
    """A schedule's verdict; one that breaks off says so, and the others are heard all the same."""
    try:
        return schedule(seed)
    except Exception as error:
        verdict = Verdict(seed)
        verdict.fault("schedules broken off", repr(error))
        return verdict


def schedule(seed: int, images: int = IMAGES) -> Verdict:
    """Run one schedule, and look at what came of it."""
    chance = random.Random(f"{seed}:rates")  # noqa: S311 - no secret
    verdict = Verdict(seed)
    with world(seed, rate=chance.uniform(*RATES)) as here:
        platform, people = Platform(here, gap=chance.randrange(*GAPS)), People(here)
        for script in [*people.scripts(images), *strangers.scripts(here, platform)]:
            platform.play(script)
        try:
            platform.run()
            here.heal()
            platform.redrive()
            platform.run()
        except Restless as error:
            verdict.fault("schedules without rest", str(error))
        judge(here, people.stories, verdict)
        _count(here, platform, verdict)
    return verdict


def _count(here: World, platform: Platform, verdict: Verdict) -> None:
    """Add what was done to the images, and see what nobody could handle."""
    verdict.counted.update(platform.counted)
    for (_, fault), times in here.plan.spoilt.items():
        verdict.counted[f"AWS: {fault.name}"] += times
    if isinstance(here.cloud, Cloud):
        for code, times in here.cloud.pressure.refused.items():
            verdict.counted[f"AWS: {code}"] += times
    for temper, times in here.seer.tempers.items():
        verdict.counted[f"recogniser: {temper}"] += times
    judge_dead_letters(here, Counter(platform.dead_letters()), Counter(strangers.malformed()), verdict)


def figures(verdicts: Sequence[Verdict]) -> Figures:
    """The sums over all schedules, beside what is promised of them."""
    counted: Counter[str] = Counter()
    for verdict in verdicts:
        counted.update(verdict.counted)
    crashes = sum(times for name, times in counted.items() if name.startswith("crashes of "))
    rows: list[Figure] = [noted("schedules", len(verdicts)), noted("images", counted["images"])]
    rows += [exactly(name, counted[name], 0) for name in NEVER]
    rows.append(at_most("extra calls after crashes", counted["extra calls after crashes"], crashes))
    shown = {*NEVER, "images", "extra calls after crashes"}
    rows += [noted(name, times) for name, times in sorted(counted.items()) if name not in shown]
    sentences = [sentence for verdict in verdicts for sentence in verdict.wrong]
    return [*rows, *(Figure("", "", "", sentence) for sentence in sentences[:MOST_SENTENCES])]
