"""How many requests are on their way to one origin at the same time, whoever they are for.

Workers do not know of each other, so each keeps to its share: all together make no more requests at once to
an origin than the setting says, or one each where there are more workers than that.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 2.0  # that a delivery waits for others to the same origin; receivers answer faster


class InFlight:
    """The requests of one worker's batch: ``most`` at once to any origin."""

    def __init__(self, most: int) -> None:
        self._making = threading.Lock()
        self._rooms: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(most))

    @contextmanager
    def room(self, origin: str) -> Iterator[bool]:
        """Whether there is room for one more request, which takes it for the length of the block."""
        with self._making:
            room = self._rooms[origin]
        free = room.acquire(timeout=PATIENCE_SECONDS)
        try:
            yield free
        finally:
            if free:
                room.release()


def share_of(in_flight: int, workers: int) -> int:
    """One worker's share of ``in_flight`` requests."""
    return max(1, in_flight // workers)
