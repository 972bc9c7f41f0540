"""Who is at work in the runtime: for waiting until nothing is, and for telling what was done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.function import in_words

log = logging.getLogger("sightline.local")


class Activity:
    """Threads at work; every start and end of one changes :attr:`generation`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self.generation = 0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count the block as work."""
        self._count(+1)
        try:
            yield
        finally:
            self._count(-1)

    def spawn(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread; it counts as under way before this returns."""
        self._count(+1)

        def run() -> None:
            try:
                work()
            finally:
                self._count(-1)

        threading.Thread(target=run, name=name, daemon=True).start()

    def _count(self, step: int) -> None:
        with self._changed:
            self._under_way += step
            self.generation += 1
            self._changed.notify_all()

    def untouched_since(self, generation: int) -> bool:
        """Whether nothing is under way and nothing was since ``generation``."""
        with self._changed:
            return self._under_way == 0 and self.generation == generation

    def wait_for_change(self, timeout: float) -> None:
        """Return when something starts or ends, or after ``timeout`` seconds."""
        with self._changed:
            self._changed.wait(timeout)

    def wait_for_rest(self, timeout: float) -> bool:
        """Whether nothing is under way any more, after at most ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, timeout)


@contextmanager
def told(function: str, what: str) -> Iterator[None]:
    """Log one line: the function, what it was given, how long it took or how it failed."""
    started = time.perf_counter()
    try:
        yield
    except Exception as error:
        log.warning("%-18s %s failed: %s", function, what, in_words(error))
        log.debug("%s failed", function, exc_info=True)
        raise
    log.info("%-18s %s, %.0f ms", function, what, (time.perf_counter() - started) * 1000)
