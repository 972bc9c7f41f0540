"""``python -m local`` as a process of its own, on ports of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from local.config import ROOT

READY = "Ctrl-C stops everything"
TAKEN = "is taken by another program"  # between looking for free ports and taking them


class Process:
    """A running ``python -m local``; its output is read as it comes.

    Without ``data`` it has a folder of its own, which goes with it; as ``heir`` of another that has ended it
    has that one's folder and ports.
    """

    def __init__(self, *options: str, data: Path | None = None, heir: Process | None = None) -> None:
        self.ports = heir.ports if heir else [free_port() for _ in range(3)]
        data = heir.data if heir else data
        names = ("--port", "--aws-port", "--partner-port")
        chosen = [part for pair in zip(names, map(str, self.ports), strict=True) for part in pair]
        self._own = None if data else tempfile.TemporaryDirectory()
        self.data = data or Path(str(self._own and self._own.name))
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-m", "local", *chosen, "--data", str(self.data), *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""
        self._over = False
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self.output += line
                self._more.notify_all()
        with self._more:
            self._over = True
            self._more.notify_all()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def pids(self) -> list[int]:
        """Its number, and those of the processes that it has started."""
        return [self.pid, *children(self.pid)]

    def wait_for(self, text: str, timeout: float = 180) -> None:
        with self._more:
            self._more.wait_for(lambda: text in self.output or self._over, timeout)
        assert text in self.output, self.output

    def end(self, number: signal.Signals) -> int:
        """Send a signal; answers the exit code."""
        self._process.send_signal(number)
        code = self._process.wait(60)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if self._own:
            self._own.cleanup()
        return code

    def end_in_any_case(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.end(signal.SIGKILL)


@contextmanager
def started(*options: str, data: Path | None = None, heir: Process | None = None) -> Iterator[Process]:
    """A ``python -m local`` that is ready, for the length of a block."""
    process = Process(*options, data=data, heir=heir)
    try:
        try:
            process.wait_for(READY)
        except AssertionError:
            if heir or TAKEN not in process.output:
                raise
            process.end(signal.SIGKILL)
            process = Process(*options, data=data)  # on other ports
            process.wait_for(READY)
        yield process
    finally:
        process.end_in_any_case()


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that have not ended."""
    found = []
    for one in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            state, parent = one.read_text().rpartition(")")[2].split()[:2]
            found += [int(one.parent.name)] if int(parent) == pid and state != "Z" else []
    return found


def token_for(process: Process, scopes: str = "read,write,admin") -> str:
    """A token, by default one that opens everything, made the way an operator makes it."""
    asked = ["issue", "--owner", "default", "--scopes", scopes]
    made = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "local.token_command", *asked, "--aws-port", str(process.ports[1])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
