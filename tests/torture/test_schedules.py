"""A few seeded schedules with every kind of fault in each; ``make torture`` runs two hundred larger ones."""

from __future__ import annotations

import functools
import multiprocessing
import random
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.stubs.fault_proxy import Fault
from torture import schedules
from torture.judge import Verdict
from torture.plan import Plan, in_turn
from torture.seer import HANG, HANG_UP, PASSING

ROOT = Path(__file__).parents[2]
NIGHTLY = pytest.mark.nightly
SEEDS = (101, 102, 103)
IMAGES = 12


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """What the schedules came to; in processes of their own, where time may be moved."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, initializer=schedules.prepare) as processes:
        return list(processes.map(functools.partial(schedules.schedule, images=IMAGES), SEEDS))


@pytest.fixture(scope="module")
def counted(verdicts: list[Verdict]) -> Counter[str]:
    """What happened in all of them together."""
    return sum((one.counted for one in verdicts), Counter())


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_wrong(verdicts: list[Verdict]) -> None:
    assert [sentence for one in verdicts for sentence in one.wrong] == []
    assert [one.counted["images"] for one in verdicts] == [IMAGES] * len(SEEDS)


@pytest.mark.slow
def test_every_kind_of_fault_was_met(counted: Counter[str]) -> None:
    kinds = [f"AWS: {fault.name}" for fault in Fault]
    kinds += [f"recogniser: {temper}" for temper in (*PASSING, HANG, HANG_UP)]
    kinds += ["crashes of on_s3_upload", "crashes of on_upload_message", "crashes of api"]
    kinds += ["crashes of on_sns_message", "crashes of on_sqs_message", "crashes of on_image_change"]
    kinds += ["changes told again", "AWS: TransactionConflict"]
    kinds += ["events told again", "events told late", "dead letters"]
    assert [kind for kind in kinds if not counted[kind]] == []


@pytest.mark.slow
def test_the_promises_stand_beside_the_figures(verdicts: list[Verdict]) -> None:
    shown = {one.what: one for one in schedules.figures(verdicts)}
    assert (shown["images"].measured, shown["images lost"].promise) == (str(IMAGES * len(SEEDS)), "0")
    assert not any(one.broken for one in shown.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("lost", r"schedules: images lost: \d+, not 0\."),
        pytest.param(
            "unprojected",
            r"schedules: (index faults|counts wrong|history wrong): \d+, not 0\.",
            marks=NIGHTLY,
        ),
        pytest.param("doubled", r"schedules: results doubled: \d+, not 0\.", marks=NIGHTLY),
        pytest.param("unremembered", r"schedules: history wrong: \d+, not 0\.", marks=NIGHTLY),
    ],
)
def test_a_service_that_breaks_a_promise_is_found_out(broken: str, sentence: str) -> None:
    told = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "tests.torture.broken", broken, "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 1, told.stderr
    assert re.search(sentence, told.stdout), told.stdout


def test_the_seed_decides_what_happens_to_which_call() -> None:
    def fates(seed: int) -> list[Fault | None]:
        plan = Plan(seed, rate=0.1)
        return [plan.fault_for("GetItem") for _ in range(200)]

    assert fates(7) == fates(7)
    assert fates(7) != fates(8)


def test_the_calls_of_one_operation_change_nothing_for_another() -> None:
    alone, beside = Plan(7, rate=0.1), Plan(7, rate=0.1)
    for _ in range(100):
        beside.fault_for("PutItem")
    assert [alone.fault_for("Query") for _ in range(50)] == [beside.fault_for("Query") for _ in range(50)]


def test_every_kind_comes_early_and_then_again_and_again() -> None:

    chance = random.Random(1)  # noqa: S311 - no secret
    coming = in_turn(chance, [["a"], ["b"], ["c", "c"]], gap=20)
    first = [next(coming) for _ in range(8)]
    later = [next(coming) for _ in range(130)]
    assert {"a", "b", "c"} <= set(first)
    assert {"a", "b", "c"} <= set(later)


@pytest.mark.slow
def test_a_healed_plan_leaves_every_call_alone() -> None:
    plan = Plan(7, rate=0.5)
    plan.heal()
    assert not any(plan.fault_for("GetItem") for _ in range(100))
