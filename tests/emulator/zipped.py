"""Functions as they were deployed: their zips run in clean interpreters, as their roles."""

from __future__ import annotations

import functools
import io
import json
import threading
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from local.http_server import Server
from tests.emulator.emulator import Emulator
from tests.packaging.functions import Deployed, Failed, Running
from tests.packaging.workbench import Workbench

Json = dict[str, Any]


@contextmanager
def at_work(
    emulator: Emulator, account: str, prefix: str, bench: Workbench, folder: Path, around: Mapping[str, str]
) -> Iterator[None]:
    """Meanwhile every deployed function whose name begins so runs in a process of its own."""
    lambda_ = emulator.client(account, "lambda")
    libraries = bench.libraries(folder / "libraries")
    with ExitStack() as end:
        for one in lambda_.list_functions()["Functions"]:
            if not one["FunctionName"].startswith(prefix):
                continue
            told = {**emulator.variables(account), **around, **_credentials(emulator, account, one["Role"])}
            function = _unpacked(lambda_.get_function(FunctionName=one["FunctionName"]), folder)
            running = end.enter_context(Running(function, bench.python, libraries, told))
            server = end.enter_context(Server(0, functools.partial(_Proxy, running, threading.Lock())))
            lambda_.update_function_configuration(
                FunctionName=one["FunctionName"],
                Environment={
                    "Variables": {**function.variables, "MINISTACK_LAMBDA_PROXY_URL": f"{server.url}/"}
                },
            )
        yield


def _credentials(emulator: Emulator, account: str, role: str) -> dict[str, str]:
    made = emulator.client(account, "sts").assume_role(RoleArn=role, RoleSessionName="lambda")["Credentials"]
    emulator.sessions[made["AccessKeyId"]] = (account, role.rpartition("/")[2])
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


def _unpacked(described: Json, folder: Path) -> Deployed:
    configuration = described["Configuration"]
    name, code = configuration["FunctionName"], folder / configuration["FunctionName"] / "code"
    content = urllib.request.urlopen(described["Code"]["Location"], timeout=60).read()
    zipfile.ZipFile(io.BytesIO(content)).extractall(code)
    return Deployed(name, code, configuration["Handler"], configuration["Environment"]["Variables"])


class _Proxy(BaseHTTPRequestHandler):
    """MiniStack's way to a function, which does one thing at a time."""

    protocol_version = "HTTP/1.1"

    def __init__(self, running: Running, turn: threading.Lock, *args: Any) -> None:
        self._running = running
        self._turn = turn
        super().__init__(*args)

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            with self._turn:
                status, answer = 200, self._running(event)
        except Failed as failed:
            status, answer = 500, {"errorMessage": str(failed), "errorType": "Failed"}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
