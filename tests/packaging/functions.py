"""Deployed code, run as AWS runs it: its own process, its own variables, AWS's runtime interface client."""

from __future__ import annotations

import json
import queue
import subprocess
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

from local.http_server import Server

Json = dict[str, Any]
START = """
import os
import sys
sys.path[:] = [os.getcwd(), *sys.path, sys.argv.pop(1)]
from awslambdaric.__main__ import main
main(sys.argv)
"""
PATIENCE = 60.0
DEADLINE = 50.0  # seconds that a function is told it has


class Failed(Exception):
    """The function raised, or never answered."""


@dataclass(frozen=True)
class Deployed:
    """A function as it was deployed: where its code lies, what is called, what it is told."""

    name: str
    code: Path
    handler: str
    variables: Mapping[str, str]


class Running:
    """A function at work; call it with an event. A context manager that ends its process.

    ``python -I -S`` sees nothing of this machine's packages: what the code imports must be in its zip
    or among ``libraries``.
    """

    def __init__(self, function: Deployed, python: Path, libraries: Path, around: Mapping[str, str]) -> None:
        self._api = _RuntimeApi()
        self._function = function
        self._command = [str(python), "-I", "-S", "-c", START, str(libraries), function.handler]
        self._environment = {
            **around,
            **function.variables,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server.port}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(function.code),
        }
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._api.server)
        # A file and not a pipe: nobody reads along, and a full pipe would stop the function. Appended to:
        # the same function in another stage writes there too.
        self._log = self._open.enter_context(
            (self._function.code.parent / f"{self._function.name}.log").open("a+")
        )
        self._process = subprocess.Popen(  # noqa: S603 - our own code
            self._command,
            cwd=self._function.code,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._open.callback(self._process.wait)
        self._open.callback(self._process.kill)
        self._open.callback(self._api.events.put, None)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __call__(self, event: Json) -> Any:
        """What the function answers; :exc:`Failed` with its error and log where it raises."""
        self._api.events.put(event)
        try:
            kind, answer = self._api.answers.get(timeout=PATIENCE)
        except queue.Empty:
            raise Failed(f"{self._function.name} never answered.\n{self.log}") from None
        if kind != "response":
            raise Failed(f"{answer}\n{self.log}")
        return answer

    @property
    def pid(self) -> int:
        """Its process's number."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What the function has written so far."""
        self._log.flush()
        return Path(self._log.name).read_text()


class _RuntimeApi:
    """The HTTP API that AWS Lambda offers a runtime (AWS Lambda, "Using the Lambda runtime API")."""

    def __init__(self) -> None:
        self.events: queue.Queue[Json | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.server = Server(0, lambda *args: _Handler(self, *args))


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, api: _RuntimeApi, *args: Any) -> None:
        self._api = api
        super().__init__(*args)

    def do_GET(self) -> None:
        event = self._api.events.get()
        if event is None:
            return
        body = json.dumps(event).encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4()))
        self.send_header("Lambda-Runtime-Deadline-Ms", str(round((time.time() + DEADLINE) * 1000)))
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f"
        )
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._api.answers.put((self.path.rpartition("/")[2], json.loads(body) if body else None))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The tests' output is no place for an access log."""
