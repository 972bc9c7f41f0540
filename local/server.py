"""An HTTP server in a thread: what the API and the partner have in common."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from local.aws import HOST, listen

log = logging.getLogger("sightline.local")


class Server:
    """Serves ``handler`` on ``port`` (0: any free one); a context manager.

    Raises :exc:`~local.aws.PortTaken` when it is made.
    """

    def __init__(self, port: int, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._server = _Listening(port, handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self._serve, name=f"port-{self.port}", daemon=True)

    def _serve(self) -> None:
        # The interval bounds how long stopping takes.
        self._server.serve_forever(poll_interval=0.05)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        super().__init__((HOST, port), handler, bind_and_activate=False)
        self.socket.close()  # made by TCPServer in any case
        self.socket = listen(port)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event; anything else is ours and worth its traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            log.exception("a request from %r broke the server", client_address)
