"""``python -m local`` as a stranger meets it: a process, its output, its signals.

Holds `local/__main__.py`, `local/offline_stack.py`, `local/moto_server.py`, `local/tour.py`.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.__main__ import write_log
from local.config import ROOT
from local.loopback import listen
from tests.local.process import READY, Process, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Process]:
    process = Process(*getattr(request, "param", ()))
    yield process
    process.end_in_any_case()


@pytest.mark.parametrize(
    "running",
    [(), ("--trigger", "queue", "--auth", "token"), ("--faults", "duplicate=1,reorder=0.3,seed=7")],
    ids=["s3", "queue", "faults"],
    indirect=True,
)
def test_the_sample_photos_are_labelled_and_reach_the_partner(running: Process) -> None:
    running.wait_for(READY)

    assert re.search(r"chelsea\.jpg +\d+ +.*Cat", running.output)
    assert "P-00001" in running.output
    assert f"http://127.0.0.1:{running.ports[0]}/" in running.output
    received = requests.get(f"http://127.0.0.1:{running.ports[2]}/received", timeout=30).json()["received"]
    assert {one["filename"] for one in received} == {
        "astronaut.jpg",
        "chelsea.jpg",
        "coffee.jpg",
        "rocket.jpg",
    }
    if hasattr(os, "SCHED_BATCH"):
        assert {os.sched_getscheduler(pid) for pid in running.pids} == {os.SCHED_BATCH}
    assert running.end(signal.SIGINT) == 0
    assert "Traceback" not in running.output


def test_the_lines_to_paste_work_as_they_are(running: Process) -> None:
    bash = shutil.which("bash")
    if not (bash and shutil.which("curl")):
        pytest.skip("bash and curl are what the lines are for")
    running.wait_for(READY)
    lines = [line.strip() for line in running.output.splitlines() if line.startswith("  ")]
    pasted = "\n".join(line for line in lines if line.startswith(("new=", "of_new", "curl")))

    ran = subprocess.run(  # noqa: S603 - what we printed ourselves
        [bash, "-e"], input=pasted, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert '"status":"labelled"' in ran.stdout
    assert '"next_cursor"' in ran.stdout
    running.wait_for("on_s3_upload")
    assert running.end(signal.SIGTERM) == 0
    assert "Traceback" not in running.output


@pytest.mark.parametrize("running", [("--no-api",)], indirect=True)
def test_without_its_api_the_stack_runs_and_leaves_the_port_alone(running: Process) -> None:
    running.wait_for(READY)

    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{running.ports[0]}/health", timeout=30)
    assert running.end(signal.SIGINT) == 0


def test_it_can_be_stopped_while_it_starts(running: Process) -> None:
    running.wait_for("Starting")
    time.sleep(0.5)  # somewhere in the middle of it; any moment will do

    assert running.end(signal.SIGINT) == 0
    assert "Traceback" not in running.output


@pytest.mark.parametrize(
    ("option", "variable"),
    [("--port", "PORT"), ("--aws-port", "AWS_PORT"), ("--partner-port", "PARTNER_PORT")],
)
def test_a_taken_port_gets_a_sentence_that_helps(option: str, variable: str, tmp_path: Path) -> None:
    others = [
        part for name in ("--port", "--aws-port", "--partner-port") for part in (name, str(free_port()))
    ]
    with listen(0) as taken:
        port = taken.getsockname()[1]

        ran = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "local", *others, option, str(port), "--data", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ran.returncode == 1
    assert f"Port {port} is taken by another program." in ran.stderr
    proposed = re.search(rf"\b{variable}=(\d+) .*make run", ran.stderr)
    assert proposed
    listen(int(proposed[1])).close()
    assert "Traceback" not in ran.stderr


def test_a_line_of_the_terminal_is_one_line_whatever_it_tells_of(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("sightline.local")
    before = (log.handlers[:], log.level, log.propagate)
    try:
        write_log()
        log.warning("got %s", "a\nb\x1b[2J\x9b\u202ec é")
    finally:
        log.handlers[:], log.level, log.propagate = before

    assert capsys.readouterr().out.partition("  ")[2] == "got a\\nb\\x1b[2J\\x9b\\u202ec é\n"


def test_a_fault_there_is_not_gets_a_sentence() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "local", "--faults", "rain=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert "'rain' is no fault" in ran.stderr


def test_a_wrong_setting_gets_a_sentence(tmp_path: Path) -> None:
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "local", "--data", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "RATE_LIMIT": "many"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert (
        ran.stderr
        == "RATE_LIMIT is 'many'; it should hold requests a minute, from 0 (no limit) to 1000000.\n"
    )
