"""Jobs learn what the recogniser takes: tried against one that refuses by a quota, which changes."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.recognition.governor import FIRST, REST, Governor, Pace, next_rate
from tests.fakes.clock import Clock
from tests.fakes.table import FakeTable

PHASE = 90.0  # seconds of each quota
LATENCY = 0.3
INTERACTIVE = 0.5  # uploads a second that no job sent


@dataclasses.dataclass
class Told:
    """When calls were made, refused and answered, and how long uploads waited."""

    calls: list[float] = dataclasses.field(default_factory=list)
    refused: list[float] = dataclasses.field(default_factory=list)
    answered: list[float] = dataclasses.field(default_factory=list)
    waits: list[float] = dataclasses.field(default_factory=list)

    def within(self, times: list[float], begin: float, end: float) -> int:
        return sum(begin <= one < end for one in times)


class Simulation:
    """A job's steps, its labelers' calls and people's uploads, against a bucket of tokens as AWS has them."""

    def __init__(self, quotas: list[float], seed: int) -> None:
        self._quotas = quotas
        self._chance = random.Random(seed)  # noqa: S311 - chance, not a secret
        self._pace = Pace()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._tokens, self._filled_at = quotas[0], 0.0
        self._allowance, self._paced_at, self._out = 0.0, 0.0, 0
        self.told = Told()

    def run(self) -> Told:
        self._at(1.0, self._step)
        self._at(0.5, self._upload)
        while self._events[0][0] < PHASE * len(self._quotas):
            moment, _, act = heapq.heappop(self._events)
            act(moment)
        return self.told

    def _at(self, moment: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), act))

    def _step(self, now: float) -> None:
        used = self.told.within(self.told.answered, now - 2, now) / 2
        rate, ceiling = next_rate(self._pace, now, used)
        pace, refused = self._pace, self._pace.throttled > self._pace.seen
        if refused and now - pace.refused_at >= REST:
            pace = dataclasses.replace(pace, refused_at=now)
        self._pace = dataclasses.replace(pace, rate=rate, ceiling=ceiling, at=now, seen=pace.throttled)
        self._allowance = min(3 * rate, self._allowance + rate * (now - self._paced_at))
        self._paced_at = now
        sent = max(0, int(min(self._allowance, max(4, 2 * rate) - self._out)))
        self._allowance -= sent
        self._out += sent
        for _ in range(sent):
            self._at(now + self._chance.uniform(0.05, 0.1), lambda at: self._call(at, at, 0, of_job=True))
        self._at(now + 1.05, self._step)

    def _upload(self, now: float) -> None:
        self._call(now, now, 0, of_job=False)
        self._at(now + self._chance.expovariate(INTERACTIVE), self._upload)

    def _call(self, now: float, begun: float, tried: int, *, of_job: bool) -> None:
        quota = self._quotas[min(int(now // PHASE), len(self._quotas) - 1)]
        self._tokens = min(quota, self._tokens + quota * (now - self._filled_at))
        self._filled_at = now
        self.told.calls.append(now)
        if self._tokens >= 1:
            self._tokens -= 1
            done = now + LATENCY * self._chance.uniform(0.6, 1.6)
            self._at(done, lambda at: self._answered(at, begun, of_job=of_job))
            return
        self.told.refused.append(now)
        self._pace = dataclasses.replace(self._pace, throttled=self._pace.throttled + 1)
        pause = self._chance.uniform(0, min(8, 0.5 * 2**tried))
        self._at(now + pause, lambda at: self._call(at, begun, tried + 1, of_job=of_job))

    def _answered(self, now: float, begun: float, *, of_job: bool) -> None:
        self.told.answered.append(now)
        self._out -= of_job
        if not of_job:
            self.told.waits.append(now - begun)


@pytest.mark.parametrize("seed", range(3))
def test_a_quota_is_used_and_hardly_overrun_whatever_it_becomes(seed: int) -> None:
    quotas = [5.0, 25.0, 50.0, 25.0, 5.0, 50.0]
    told = Simulation(quotas, seed).run()
    for phase, quota in enumerate(quotas):
        begin, end = phase * PHASE + 60, (phase + 1) * PHASE
        assert told.within(told.answered, begin, end) >= 0.85 * quota * (end - begin), phase
        if quota > 5:
            assert told.within(told.refused, begin, end) <= 0.02 * told.within(told.calls, begin, end), phase
    assert len(told.refused) <= 0.05 * len(told.calls)
    assert sorted(told.waits)[int(0.95 * len(told.waits))] <= 2.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def governor(clock: Clock) -> Any:
    table: Any = FakeTable(clock)
    return Governor(table, clock)


def test_it_begins_with_the_smallest_quota_and_goes_up_at_once_where_nothing_is_refused(
    governor: Governor, clock: Clock
) -> None:
    rates = []
    used = FIRST
    for _ in range(8):
        rates.append(used := governor.rate(used))
        clock.forward(1.05)
    assert rates[0] >= FIRST
    assert rates == sorted(rates)
    assert rates[-1] > 4 * FIRST


def test_who_does_not_use_the_rate_does_not_raise_it(governor: Governor, clock: Clock) -> None:
    first = governor.rate(0.0)
    for _ in range(50):
        clock.forward(1.05)
        assert governor.rate(0.5 * first) == first


def test_of_those_who_look_in_the_same_second_one_moves_it(governor: Governor, clock: Clock) -> None:
    clock.forward(1.05)
    assert governor.rate(FIRST) == governor.rate(FIRST)


def test_what_is_refused_is_seen_by_all_who_share_the_row(governor: Governor, clock: Clock) -> None:
    before = governor.rate(FIRST)
    clock.forward(1.05)
    for _ in range(5):
        governor.throttled()
    assert governor.rate(FIRST) < before
