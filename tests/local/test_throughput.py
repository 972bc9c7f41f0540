"""What is loaded is spared by Python's collector; nobody who wakes cuts another thread short."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LOADED = """
import gc, weakref
from local import throughput

class Node: pass

loaded, later = Node(), None
loaded.itself = loaded
throughput.spare_what_is_loaded()
later = Node()
later.itself = later
seen = [weakref.ref(loaded), weakref.ref(later)]
del loaded, later
gc.collect()
print([one() is not None for one in seen], gc.get_threshold()[0] > 700)
"""

TURNS = """
import os, subprocess, sys, threading
from local import throughput

throughput.take_long_turns()
asked = "import os; print(os.sched_getscheduler(0))"
threading.Thread(target=lambda: print(os.sched_getscheduler(0), flush=True)).start()
subprocess.run([sys.executable, "-c", asked], check=True)
"""


def printed(program: str) -> str:
    """What it prints in an interpreter of its own: all this holds for a whole process."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own


def test_only_what_came_later_is_collected() -> None:
    assert printed(LOADED).strip() == "[True, False] True"


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="Linux alone has this policy.")
def test_all_threads_and_processes_take_long_turns() -> None:
    assert printed(TURNS).split() == [str(os.SCHED_BATCH)] * 2


def test_a_system_that_knows_no_turns_is_left_as_it_is() -> None:
    assert printed("import os\ndel os.SCHED_BATCH\n" + TURNS.partition("asked")[0]) == ""
