"""Misbehaviour to order: what AWS may do to an event on a bad day, with seeded chance."""

from __future__ import annotations

import dataclasses
import random
import threading
from dataclasses import dataclass
from typing import Any

from local.limits import ACCOUNT_CONCURRENCY


@dataclass(frozen=True)
class Faults:
    """How often (0–1) each thing happens to what a function is given.

    * ``duplicate``: it is delivered twice, at the same time.
    * ``delay``: it comes up to ``longest_delay`` seconds late.
    * ``reorder``: it is held back until the next one from the same source is done, or two seconds.
    * ``crash``: the worker dies after its work, before anybody hears of it, so the event comes again.
    * ``throttle``: the function may not run now; a queue takes its messages back (and counts the
      receive), an asynchronous event waits.

    ``concurrency``: so many functions of the account run at once, all others are throttled
    (0: the 1,000 of an account that has been in use for a while; a new one has 10).
    """

    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    crash: float = 0.0
    throttle: float = 0.0
    longest_delay: float = 0.5
    concurrency: int = 0
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Read ``duplicate=0.3,seed=7``; :exc:`ValueError` says what is wrong with it."""
        whole = ("concurrency", "seed")
        kinds = {one.name: int if one.name in whole else float for one in dataclasses.fields(cls)}
        chosen: dict[str, Any] = {}
        for part in filter(None, text.replace(" ", "").split(",")):
            name, _, value = part.partition("=")
            if name not in kinds:
                raise ValueError(f"{name!r} is no fault; there are {', '.join(kinds)}.")
            try:
                chosen[name] = kinds[name](value)
            except ValueError:
                raise ValueError(f"{name} should hold a number, like {name}=0.3, not {value!r}.") from None
        return cls(**chosen)

    def account(self) -> threading.BoundedSemaphore:
        """The places for functions that run at once."""
        return threading.BoundedSemaphore(self.concurrency or ACCOUNT_CONCURRENCY)

    def dice(self, function: str) -> Dice:
        """Chance for one function: the same seed and function give the same throws."""
        return Dice(self, random.Random(f"{self.seed}:{function}"))  # noqa: S311 - no secret


class Dice:
    """Throws for one function's faults."""

    def __init__(self, faults: Faults, chance: random.Random) -> None:
        self._faults = faults
        self._chance = chance

    def says(self, fault: str) -> bool:
        """Whether ``fault`` happens this time."""
        share: float = getattr(self._faults, fault)
        # Drawn even where nothing can happen: switching one fault on leaves the other throws as they were.
        return self._chance.random() < share

    def lateness(self) -> float:
        """Seconds that a delayed event comes late."""
        return self._chance.random() * self._faults.longest_delay
