"""How many requests an origin gets: by its agreement, for each owner, and at the same time.

Anybody may name anybody's address as a receiver. So an origin (scheme, host and port) gets only a few
requests in ten minutes until it has answered a challenge, however many receivers there are at it; the rest
wait. The integration server is the operator's own and needs no agreement.

No origin gets more requests at once than the setting says. Workers do not know of each other, so each keeps
to its share, or to one request at a time where there are more workers than requests.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import rfc3339
from chalicelib.table import Table

WINDOW_SECONDS = 600  # six in the hour that the setting speaks of
MOST_WINDOWS = 144  # ahead, that a delivery is put off at once: a day
SPREAD_SECONDS = 60.0  # over which the deliveries that waited for a window are sent
ROOM_SECONDS = 2.0  # that a delivery waits for others to the same origin; receivers answer faster
CHALLENGE = "sightline-challenge"  # the header that carries a token there and, if it pleases, back


class Origins:
    """Agreements, and counts of requests to origins without one; a ``per_hour`` of 0 sets no bound."""

    def __init__(self, table: Table, now: Callable[[], float], per_hour: int) -> None:
        self._table = table
        self._now = now
        self._most = max(1, per_hour * WINDOW_SECONDS // 3600) if per_hour else 0

    def is_confirmed(self, owner: str, origin: str) -> bool:
        """Whether an origin has agreed."""
        return self._table.get(key_of(owner, origin)) is not None

    def are_confirmed(self, owner: str, origins: list[str]) -> list[bool]:
        """Whether these have, in their order."""
        keys = [key_of(owner, origin) for origin in origins]
        found = self._table.get_many(list(dict.fromkeys(keys)))
        return [key in found for key in keys]

    def confirm(self, owner: str, origin: str) -> None:
        """It has answered a challenge: from now on it gets every request."""
        self._table.write(Put(key_of(owner, origin), {"confirmed_at": rfc3339(self._now())}))

    def forget(self, owner: str, origin: str) -> None:
        """The agreement is over."""
        self._table.write(Delete(key_of(owner, origin)))

    def wait_for(self, owner: str, origin: str) -> float:
        """Count one request to an origin without agreement; returns the seconds to wait, 0 for none."""
        if not self._most:
            return 0.0
        window = int(self._now()) // WINDOW_SECONDS
        row = Key(f"{owner}#origin#{origin}", f"sent#{window}")
        used = self._table.count(row, expires_at=(window + 2) * WINDOW_SECONDS)
        ahead = min((used - 1) // self._most, MOST_WINDOWS)
        if not ahead:
            return 0.0
        return (window + ahead) * WINDOW_SECONDS - self._now() + random.uniform(0, SPREAD_SECONDS)  # noqa: S311


class InFlight:
    """The requests of one worker's batch: ``most`` at once to any origin."""

    def __init__(self, most: int) -> None:
        self._making = threading.Lock()
        self._rooms: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(most))

    @contextmanager
    def room(self, origin: str) -> Iterator[bool]:
        """Whether there is room for one more request; if so, it is taken for the length of the block."""
        with self._making:
            room = self._rooms[origin]
        free = room.acquire(timeout=ROOM_SECONDS)
        try:
            yield free
        finally:
            if free:
                room.release()


def share_of(in_flight: int, workers: int) -> int:
    """One worker's share of ``in_flight`` requests."""
    return max(1, in_flight // workers)


def key_of(owner: str, origin: str) -> Key:
    """The key of an origin's agreement."""
    return Key(f"{owner}#origin#{origin}", "confirmed")


def confirmed_in(items: Mapping[Key, Item], owner: str, origin: str) -> bool:
    """The same as :meth:`Origins.is_confirmed` from items that were read together with others."""
    return key_of(owner, origin) in items


def new_challenge() -> str:
    """A token that only its receiver can send back."""
    return secrets.token_urlsafe(24)
