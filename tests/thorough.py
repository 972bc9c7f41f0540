"""How much a test tries of what has no end."""

from __future__ import annotations

import os


def examples(by_night: int) -> int:
    """How many examples to make up: a quarter of them by day."""
    return by_night if "NIGHTLY" in os.environ else by_night // 4
