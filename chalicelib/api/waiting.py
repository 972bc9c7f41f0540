"""Waiting for an image's final status, within one request."""

from __future__ import annotations

import time
from collections.abc import Callable

from chalicelib.model import Image

LONGEST_SECONDS = 20  # API Gateway gives up at 29
POLL_SECONDS = 1.0


def until_final(
    read: Callable[[], Image],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Image:
    """Read at most once a second until the image is final or ``seconds`` have passed; the last one read."""
    deadline = clock() + seconds
    image = read()
    while not image.final and (left := deadline - clock()) > 0:
        sleep(min(POLL_SECONDS, left))
        image = read()
    return image
