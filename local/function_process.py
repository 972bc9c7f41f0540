"""The app's functions in a process of their own, as Lambda has them: they share no interpreter with moto.

Python runs one thread of a process at a time. In one process with moto, a function waits for whatever moto
does for others whenever it goes on after a call or a network, while another core has nothing to do.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from chalice.app import Chalice

from infra.event_sources import MAY_GO_IN_CIRCLES
from local import aws_channel, loop_detection, throughput
from local.config import ROOT, timeout_of
from local.function import Failed, Function, Json
from local.limits import ACCOUNT_CONCURRENCY

log = logging.getLogger("sightline.local")

EXITED = "Runtime.ExitError"  # as Lambda has it for a process that died under a function


class FunctionProcess:
    """Starts the process, and another one when it has died; a context manager that ends it.

    It has the environment of this process, as that is at the start. What it would send to the AWS at ``url``
    it brings to a ``channel`` (:mod:`local.aws_channel`), where there is one.
    """

    def __init__(self, url: str = "", channel: str = "") -> None:
        self._short_way = [url, channel] if channel else []
        self._numbers = itertools.count()
        self._answers: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._connection: Connection | None = None  # to a process that lives, as far as is known
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread()
        self._ended = False

    def __enter__(self) -> FunctionProcess:
        with self._lock:
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._ended = True
            process, reader = self._process, self._reader
        if process:
            process.kill()
            reader.join()

    @property
    def pid(self) -> int:
        """The number of the process, or of the last one if it has died."""
        with self._lock:
            return self._process.pid if self._process else 0

    def function(self, name: str) -> RemoteFunction:
        """A function of the app, for callers in this process."""
        return RemoteFunction(name, name in MAY_GO_IN_CIRCLES, self)

    def invoke(self, name: str, payload: str, trace: str) -> Any:
        """What a function returns for an event in JSON, invoked in the chain of calls ``trace``.

        :raises Failed: the function failed or was stopped, or the process died.
        """
        answer: Future[Any] = Future()
        with self._lock:
            connection, number = self._connection or self._start(), next(self._numbers)
            self._answers[number] = answer
            with contextlib.suppress(OSError):  # it has just died: the reader answers
                connection.send_bytes(json.dumps([number, name, payload, trace]).encode())
        return answer.result()

    def _start(self) -> Connection:
        if self._ended:
            raise Failed(EXITED, "The stack is being stopped.")
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own
                [sys.executable, "-m", __name__, str(theirs.fileno()), *self._short_way],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._connection, self._process = ours, process
        read = threading.Thread(target=self._read, args=(ours, process), name="functions", daemon=True)
        read.start()
        self._reader = read
        return ours

    def _read(self, connection: Connection, process: subprocess.Popen[bytes]) -> None:
        """Pass answers on until the process has died; what has none then has failed."""
        with connection, contextlib.suppress(EOFError, OSError):
            while True:
                number, reply, error = json.loads(connection.recv_bytes())
                answer = self._answers.pop(number)
                answer.set_exception(Failed(*error)) if error else answer.set_result(reply)
        status = process.wait()
        with self._lock:
            self._connection = None
            lost, self._answers = self._answers, {}
            if not self._ended:
                log.error("the functions' process died with status %d; the next event starts another", status)
        for answer in lost.values():
            answer.set_exception(Failed(EXITED, f"Runtime exited with status {status}."))


@dataclass(frozen=True)
class RemoteFunction:
    """A function in the other process, with what its callers in this one have to know of it."""

    name: str
    may_go_in_circles: bool
    process: FunctionProcess

    def __call__(self, event: Json) -> Any:
        """Run the handler on ``event``; see :meth:`FunctionProcess.invoke`."""
        return self.process.invoke(self.name, json.dumps(event), loop_detection.current())


def deployed(app: Chalice, name: str) -> Function:
    """A function of ``app``, with the timeout of the stage and what every route sets of it."""
    return Function(name, app.handler_map[name], timeout_of(name), name in MAY_GO_IN_CIRCLES)


def serve(connection: Connection, app: Chalice) -> None:
    """Run functions of ``app``, each in a thread, until the other side hangs up."""
    sending = threading.Lock()
    pool = ThreadPoolExecutor(ACCOUNT_CONCURRENCY, thread_name_prefix="lambda")
    function_of = functools.cache(functools.partial(deployed, app))  # each reads the stage's configuration

    def run(number: int, name: str, payload: str, trace: str) -> None:
        try:
            with loop_detection.carried(trace):
                reply = function_of(name).invoke(payload)
            answer = json.dumps([number, reply, None])
        except BaseException as raised:
            # Lambda's way: whatever ends a handler is the function's failure, told to whoever invoked it.
            answer = json.dumps([number, None, [type(raised).__name__, str(raised)]])
        with sending:
            connection.send_bytes(answer.encode())

    with contextlib.suppress(EOFError):
        while True:
            pool.submit(run, *json.loads(connection.recv_bytes()))
    pool.shutdown(wait=False)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to both; the other one ends this
    loop_detection.mend()  # before the app makes a session of botocore
    if sys.argv[2:]:
        aws_channel.mend(sys.argv[2], aws_channel.Pipes(sys.argv[3]))
    app = importlib.import_module("app").app
    throughput.spare_what_is_loaded()
    serve(Connection(int(sys.argv[1])), app)
    os._exit(0)  # the stack was killed: whoever still works here is cut off with it
