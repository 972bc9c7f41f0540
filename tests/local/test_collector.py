"""What is loaded is spared by Python's collector; what comes later is not."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, weakref
from local import collector

class Node: pass

loaded, later = Node(), None
loaded.itself = loaded
collector.spare_what_is_loaded()
later = Node()
later.itself = later
seen = [weakref.ref(loaded), weakref.ref(later)]
del loaded, later
gc.collect()
print([one() is not None for one in seen], gc.get_threshold()[0] > 700)
"""


def test_only_what_came_later_is_collected() -> None:
    """In an interpreter of its own: it holds for the whole process."""
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert ended.stdout.strip() == "[True, False] True"
