"""A cached value with a time to live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cached(Generic[T]):
    """The value of ``read()``, cached for ``seconds``.

    An exception of ``read()`` is not cached: the next call reads again.
    """

    def __init__(self, read: Callable[[], T], seconds: float, now: Callable[[], float]) -> None:
        self._read = read
        self._seconds = seconds
        self._now = now
        self._held: tuple[float, T] | None = None

    def value(self) -> T:
        if self._held is None or self._now() - self._held[0] >= self._seconds:
            value = self._read()
            self._held = (self._now(), value)
        return self._held[1]
