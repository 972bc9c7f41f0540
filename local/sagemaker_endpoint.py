"""A SageMaker endpoint on one machine: a packed model behind the protocols of its container and its runtime.

``python -m local.sagemaker_endpoint --model build/model.tar.gz`` serves what ``sagemaker.package`` packed,
unpacked and with its own handler, just as the container does. ``GET /ping`` and ``POST /invocations`` are
what SageMaker asks of a container; ``POST /endpoints/{name}/invocations`` is what its clients call (with
``AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME``).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import logging
import signal
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import Any

from local.http_server import BadBody, LargeBody, Patient, Server
from local.signals import Stop

log = logging.getLogger("sightline.local")

LARGEST_BODY = 4 * 1024 * 1024  # serverless inference's limit
DEFAULT_PORT = 5057


class Refusal(Exception):
    """An answer that is an error of the runtime API."""

    def __init__(self, status: int, code: str, **body: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.body = status, code, body


class Endpoint:
    """The endpoint ``name``, with the model and the handler that lie in ``folder``."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._handler = imported(folder / "code" / "inference.py")
        self._model = self._handler.model_fn(str(folder))

    def invoked(self, body: bytes, content_type: str, accept: str) -> str:
        """What the handler makes of a request; raises whatever it raises."""
        prediction = self._handler.predict_fn(self._handler.input_fn(body, content_type), self._model)
        return str(self._handler.output_fn(prediction, accept))

    def serve(self, port: int) -> Server:
        """A server of this endpoint, not yet started."""
        return Server(port, lambda *args: _Handler(self, *args))


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """The folder with what is in a packed model, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        yield Path(folder)


def imported(path: Path) -> ModuleType:
    """The module in a file that lies in no package."""
    spec = importlib.util.spec_from_file_location("endpoint_handler", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their own module
    spec.loader.exec_module(module)
    return module


class _Handler(Patient, BaseHTTPRequestHandler):
    def __init__(self, endpoint: Endpoint, *args: Any) -> None:
        self._endpoint = endpoint
        super().__init__(*args)

    def do_GET(self) -> None:
        self._reply(200 if self.path == "/ping" else 404, "")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        try:
            self._reply(200, self._answer(self.body(LARGEST_BODY)))
        except LargeBody:
            told = {"Message": "The payload is too large."}
            self._reply(413, json.dumps(told), "ValidationError")
        except BadBody:
            self._reply(400, json.dumps({"Message": "The body is framed wrongly."}), "ValidationError")
        except Refusal as refusal:
            self._reply(refusal.status, json.dumps(refusal.body), refusal.code)

    def _answer(self, body: bytes) -> str:
        """The model's answer: its own errors as they are to SageMaker, as a ``ModelError`` to clients."""
        direct = self.path == "/invocations"
        if not direct and self.path != f"/endpoints/{self._endpoint.name}/invocations":
            raise Refusal(400, "ValidationError", Message=f"Endpoint of {self.path} not found.")
        try:
            return self._endpoint.invoked(
                body, self.headers.get("Content-Type", ""), self.headers.get("Accept", "application/json")
            )
        except Exception as error:
            # The handler's outer edge, as in the container: what it raises is the model's error.
            log.warning("the model failed: %r", error)
            status = int(getattr(error, "status_code", 500))
            if direct:
                raise Refusal(status, "", error=str(error)) from error
            told = {"OriginalStatusCode": status, "OriginalMessage": str(error)}
            raise Refusal(
                424, "ModelError", Message=f"Received error {status} from model.", **told
            ) from error

    def _reply(self, status: int, text: str, code: str = "") -> None:
        content = text.encode()
        self.send_response(status)
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Requests are the client's to log."""


def main() -> None:
    """Serve a packed model until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local.sagemaker_endpoint", description=main.__doc__)
    parser.add_argument("--model", type=Path, default=Path("build/model.tar.gz"))
    parser.add_argument("--name", default="sightline-local")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    given = parser.parse_args()
    stop = Stop(signal.SIGINT, signal.SIGTERM)
    with unpacked(given.model) as folder, Endpoint(given.name, folder).serve(given.port) as server:
        print(f"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={server.url} SAGEMAKER_ENDPOINT={given.name}")
        with contextlib.suppress(KeyboardInterrupt):
            stop.wait()


if __name__ == "__main__":
    main()
