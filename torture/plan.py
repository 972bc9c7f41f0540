"""What becomes of the calls to AWS: decided by a seed, by the operation and by how many of it there were."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tests.stubs.fault_proxy import Fault

T = TypeVar("T")
OUTAGE = 4  # calls refused in a row, one more than are made of a call before it is given up


class Plan:
    """Faults for the calls of a schedule: every kind for every operation, in turn, with gaps between.

    The same seed gives the n-th call of an operation the same fault, whoever makes it and when. ``rate`` is
    the share of calls that something happens to. ``spoilt`` counts what has happened. Now and then a
    transaction meets one of somebody else.
    """

    def __init__(self, seed: int, rate: float) -> None:
        self._seed = seed
        self._gap = round(2 / rate)
        self._lock = threading.Lock()
        self._coming: dict[str, Iterator[Fault | None]] = {}
        self._healed = False
        self._meetings = in_turn(random.Random(f"{seed}:meetings"), [[True]], self._gap)  # noqa: S311 - no secret
        self.spoilt: Counter[tuple[str, Fault]] = Counter()

    def fault_for(self, operation: str) -> Fault | None:
        """What is to become of this call."""
        with self._lock:
            if self._healed:
                return None
            fault = next(self._coming.setdefault(operation, self._faults(operation)))
            if fault:
                self.spoilt[operation, fault] += 1
            return fault

    def meets_another(self) -> bool:
        """Whether somebody else's transaction is at an item of this one; the first or the second one does."""
        with self._lock:
            return not self._healed and bool(next(self._meetings))

    def heal(self) -> None:
        """Let every call go through from now on."""
        self._healed = True

    def _faults(self, operation: str) -> Iterator[Fault | None]:
        chance = random.Random(f"{self._seed}:{operation}")  # noqa: S311 - no secret
        kinds = [[fault] for fault in Fault] + [[Fault.REFUSE] * OUTAGE]
        return in_turn(chance, kinds, self._gap)


def in_turn(chance: random.Random, kinds: Sequence[Sequence[T]], gap: int) -> Iterator[T | None]:
    """Every kind in turn, shuffled each time round, with nothing for up to ``gap`` times between two.

    The first time round they come at every second time, so that each is met by those who come seldom, too.
    """
    for space in itertools.chain([2], itertools.repeat(gap)):
        for one in chance.sample(kinds, len(kinds)):
            yield from [None] * chance.randrange(space)
            yield from one
