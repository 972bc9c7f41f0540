"""What moto's DynamoDB lacks as a server: calls that do not see each other half done.

moto answers every request in a thread of its own, without locks, and a cancelled transaction puts back
a copy of the whole table: what others wrote meanwhile is gone. DynamoDB isolates such calls from each
other (Amazon DynamoDB developer guide, "DynamoDB transactions: how it works").
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class IsolatedTables:
    """A WSGI application that lets one DynamoDB call into ``app`` at a time, and all others as they come."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._turn = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._app(environ, start_response)
        with self._turn:
            return self._app(environ, start_response)
