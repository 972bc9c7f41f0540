"""Long polling: a request that waits until an image has its final status."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

LONGEST_SECONDS = 20  # API Gateway gives up at 29
POLL_SECONDS = 1.0
_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,6})"?', re.IGNORECASE)


def preferred(header: str) -> int | None:
    """The seconds of ``Prefer: wait=N`` (RFC 7240 §4.3), at most 20; None if the header asks for no wait."""
    for preference in header.split(","):
        said = _WAIT.fullmatch(preference.partition(";")[0].strip())
        if said:
            return min(int(said[1]), LONGEST_SECONDS)
    return None


class Settles(Protocol):
    """An image in any form that knows whether its status is final."""

    @property
    def final(self) -> bool: ...


T = TypeVar("T", bound=Settles)


def until_final(
    read: Callable[[], T],
    seconds: float,
    may_wait: Callable[[], bool] = lambda: True,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Read an image once a second until it is final or ``seconds`` have passed; gives the last one read.

    ``may_wait`` is called before each second; the wait ends when it gives False.
    """
    deadline = clock() + seconds
    image = read()
    while not image.final and (left := deadline - clock()) > 0 and may_wait():
        sleep(POLL_SECONDS if left >= 2 * POLL_SECONDS else left)
        image = read()
    return image
