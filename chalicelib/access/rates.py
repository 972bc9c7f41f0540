"""How often an owner may ask: so many requests a minute, counted for all functions together.

A request that waits counts with its seconds, as it holds a function for as long.

Counted in the table and not in memory: Lambda answers each of an owner's parallel requests in a container
of its own, and a count for each would bound nothing. It costs one small write a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.errors import TooManyRequests
from chalicelib.expressions import Key
from chalicelib.table import Table

WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Allowance:
    """What is ``left`` of the ``limit`` of this minute, which ends in ``seconds``."""

    limit: int
    left: int
    seconds: int


class Rates:
    """Counts requests by owner; a ``limit`` of 0 counts nothing and bounds nothing."""

    def __init__(self, table: Table, now: Callable[[], float], limit: int) -> None:
        self._table = table
        self._now = now
        self._limit = limit

    def take(self, owner: str) -> Allowance | None:
        """Count one request; None where there is no limit.

        :raises TooManyRequests: this minute's are used up.
        """
        if not self._limit:
            return None
        window, passed = divmod(int(self._now()), WINDOW_SECONDS)
        key = Key(f"{owner}#requests", str(window))
        used = self._table.count(key, expires_at=(window + 2) * WINDOW_SECONDS)
        seconds = WINDOW_SECONDS - passed
        if used > self._limit:
            raise TooManyRequests(f"More than {self._limit} requests a minute.", retry_after=seconds)
        return Allowance(self._limit, self._limit - used, seconds)

    def take_second(self, owner: str) -> bool:
        """Count one more second of a request that waits, like a request; whether it may wait that long."""
        try:
            self.take(owner)
        except TooManyRequests:
            return False
        return True
