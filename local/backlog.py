"""The messages of a queue, filed by when they may be received: each step costs the same however many wait."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Backlog:
    """Those that may be received now, in order, and those that may later.

    A message is moto's: ``visible_at`` and ``delayed_until`` (ms since 1970) say when, ``receipt_handle`` is
    how whoever has received it calls it. ``now`` is in ms, too. Stands in for the list that moto keeps.
    """

    def __init__(self, now: Callable[[], float], messages: Iterable[Any] = ()) -> None:
        self._now = now
        self._by_id: dict[str, Any] = {}
        self._by_handle: dict[str, Any] = {}
        self._ready: dict[str, Any] = {}
        self._later: list[tuple[float, int, str]] = []
        self._delayed: set[str] = set()
        self._numbers = itertools.count()
        for message in messages:
            self.append(message)

    def append(self, message: Any) -> None:
        """Take a message in, or file it anew, at the end."""
        self._by_id[message.id] = message
        self._ready.pop(message.id, None)
        if message.receipt_handle:
            self._by_handle[message.receipt_handle] = message
        due = _due(message)
        if due > self._now():
            heapq.heappush(self._later, (due, next(self._numbers), message.id))
            if not message.approximate_receive_count:
                self._delayed.add(message.id)
        else:
            self._ready[message.id] = message

    def remove(self, message: Any) -> None:
        """Let a message go, with all its receipt handles."""
        del self._by_id[message.id]
        self._ready.pop(message.id, None)
        self._delayed.discard(message.id)
        for handle in message.all_receipt_handles:
            self._by_handle.pop(handle, None)

    def first(self) -> Any | None:
        """The one that may be received next, or None."""
        self._settle()
        return next(iter(self._ready.values()), None)

    def known_as(self, handle: str) -> Any | None:
        """The message that was received under this handle, or None."""
        return self._by_handle.get(handle)

    def seconds_to_next(self) -> float | None:
        """How long until another may be received; None where nothing waits for its time."""
        self._settle()
        return (self._later[0][0] - self._now()) / 1000 if self._later else None

    def depths(self) -> tuple[int, int, int]:
        """How many may be received, are in flight, and are delayed and were never received."""
        self._settle()
        hidden = len(self._by_id) - len(self._ready)
        return len(self._ready), hidden - len(self._delayed), len(self._delayed)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def _settle(self) -> None:
        now = self._now()
        while self._later and self._later[0][0] <= now:
            _, _, name = heapq.heappop(self._later)
            message = self._by_id.get(name)
            if message is not None and _due(message) <= now:  # it may have been filed anew meanwhile
                self._ready.setdefault(name, message)
                self._delayed.discard(name)


def _due(message: Any) -> float:
    return float(max(message.visible_at, message.delayed_until))
