"""What AWS refuses bites in the torture, too."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from chalicelib.expressions import Key
from local import loop_detection
from local.limits import IN_A_CHAIN
from tests.fakes.clock import Clock
from tests.fakes.pressure import TRANSACTION_SECONDS, Pressure
from torture import schedules
from torture.invocation import Invocation, Killed, at_work, sleep
from torture.plan import Plan
from torture.platform import CONCURRENCY, CutOff, End, Platform, Task, Throttled, _end_of
from torture.world import world


def test_a_function_is_stopped_at_its_timeout_on_its_own_clock() -> None:
    invocation = Invocation(timeout=5)
    steps: list[float] = []

    def work() -> None:
        for _ in range(9):
            sleep(2)
            steps.append(invocation.time_left())

    with pytest.raises(Killed):
        invocation.run(work)
    assert steps == [3, 1]
    assert invocation.dead
    assert at_work() is None


@pytest.mark.parametrize(("function", "cut_off"), [("on_upload_message", True), ("on_job_message", False)])
def test_a_chain_without_end_is_cut_off(function: str, cut_off: bool) -> None:
    traces: list[str] = []
    task = Task(function, lambda invocation: traces.append(loop_detection.current()), lambda end: None)
    for _ in range(IN_A_CHAIN):
        assert _end_of(task, Invocation()).error is None
        task = Task(function, task.work, task.settle, traces[-1])
    assert isinstance(_end_of(task, Invocation()).error, CutOff) is cut_off


def crowded() -> tuple[list[int], int, int]:
    """What two tasks too many came to: which were done, who was told so, how many were counted."""
    with world(seed=1, rate=0.02) as here:
        platform = Platform(here, gap=1000)
        done: list[int] = []
        ends: list[End] = []

        def task(number: int) -> Task:
            def settle(end: End) -> None:
                ends.append(end)
                if isinstance(end.error, Throttled):
                    platform._ready.append(task(number))

            return Task("api", lambda invocation: done.append(number), settle)

        platform._ready += [task(number) for number in range(CONCURRENCY + 2)]
        platform.run()
    told = sum(isinstance(end.error, Throttled) for end in ends)
    return sorted(done), told, platform.counted["functions turned away"]


def kept() -> tuple[float, float]:
    """What time it is, and when the bucket says that an object was put there."""
    with world(seed=1, rate=0.02) as here:
        here.clock.forward(86_400)
        here.quiet.objects.put("uploads/a.png", b"a")
        return here.clock(), here.quiet.objects.read("uploads/a.png", max_bytes=9).modified


@pytest.mark.slow
def test_time_that_is_moved_is_moved_for_all() -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=schedules.prepare) as processes:
        crowd, bucket = processes.submit(crowded), processes.submit(kept)
        # What the account has no room for is turned away and comes later.
        assert crowd.result() == (list(range(CONCURRENCY + 2)), 2, 2)
        now, put = bucket.result()
        assert now - 1 < put <= now


def test_one_of_the_first_transactions_meets_another_and_is_done_once_that_is_through() -> None:
    plan, clock = Plan(7, rate=0.02), Clock()
    pressure = Pressure(clock, lambda: "me", others=plan.meets_another)
    key = Key("default#counts", "row#01")
    found: list[list[str]] = []
    for _ in range(3):
        found.append(pressure.refusals([(key, 2)], in_transaction=True))
        clock.forward(TRANSACTION_SECONDS)
    assert sorted(found) == [[""], [""], ["TransactionConflict"]]
