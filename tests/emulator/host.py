"""The functions of a stage as Lambda runs them: one process each, with the credentials of its own role.

``python -m tests.emulator.host`` reads one line of JSON, ``{"functions": {name: {variable: value}}}``. It
imports the app once, and gives each function a process and a port where MiniStack posts its events
(``MINISTACK_LAMBDA_PROXY_URL``). It answers with one line, ``{"ports": …, "sources": …}``, and ends with its
standard input. ``name@other`` is one more process of a function, which may be told otherwise.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.loopback import HOST

Json = dict[str, Any]
API = "api_handler"


class Context:
    """What Lambda tells a handler of its invocation."""

    function_version = "$LATEST"
    memory_limit_in_mb = 512

    def __init__(self, headers: Any) -> None:
        self.aws_request_id = headers["X-Amzn-Lambda-Request-Id"]
        self.function_name = headers["X-Amzn-Lambda-Function-Name"]
        self.invoked_function_arn = headers["X-Amzn-Lambda-Function-Arn"]
        self._deadline = float(headers["X-Amzn-Lambda-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(self._deadline - time.time() * 1000))


class Invocation(BaseHTTPRequestHandler):
    """One event: answered with what the function answers, or 500 where it raises."""

    protocol_version = "HTTP/1.1"
    function: Any

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, type(self).function(event, Context(self.headers))
            # MiniStack knows no partial failures of a stream's batch: the whole of it comes again.
            if is_of_stream(event) and answer and answer["batchItemFailures"]:
                status = 500
        except Exception as error:
            traceback.print_exc()
            status, answer = 500, {"errorMessage": str(error), "errorType": type(error).__name__}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """What functions write is enough."""


def is_of_stream(event: Json) -> bool:
    return any(one.get("eventSource") == "aws:dynamodb" for one in event.get("Records", ()))


def main() -> None:
    functions: dict[str, dict[str, str]] = json.loads(sys.stdin.readline())["functions"]
    os.environ.update(next(iter(functions.values())))
    import app
    from chalicelib import named_secret
    from chalicelib.settings import settings

    named_secret.KEPT_SECONDS = 0.0  # a function without its right must not live on what it read before

    ports = {}
    for name, variables in functions.items():
        handler_name = name.partition("@")[0]
        function = app.app if handler_name == API else getattr(app, handler_name)
        handler = type(name, (Invocation,), {"function": staticmethod(function)})
        # Made before the process, so that events find it from the first moment.
        server = ThreadingHTTPServer((HOST, 0), handler)
        server.daemon_threads = True
        ports[name] = server.server_address[1]
        if not os.fork():
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the parent answers there, functions log
            os.environ.update(variables)
            settings.cache_clear()
            threading.Thread(target=server.serve_forever, daemon=True).start()
            break
        server.server_close()
    else:
        sources = [{"kind": type(one).__name__, **vars(one)} for one in app.app.event_sources]
        print(json.dumps({"ports": ports, "sources": sources}, default=str), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
