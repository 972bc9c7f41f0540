"""AWS's place taken by moto, as a server in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.clients import USER_AGENT
from local.loopback import HOST, REGION, WsgiApp, listen


class LocalAws:
    """moto's server on a port of its own, and on a channel; a context manager that stops it.

    moto keeps its state per process, in memory: two of these in one process share it. ``around`` wraps moto
    where somebody wants to know what it stores.
    """

    def __init__(self, port: int = 0, around: Callable[[WsgiApp], WsgiApp] = lambda app: app) -> None:
        # Importing moto takes a third of a second; nobody who only wants a constant should pay it.
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication

        from local import (
            loop_detection,
            moto_overhead,
            moto_queues,
            moto_sizes,
            moto_streams,
            moto_tables,
            moto_updates,
        )
        from local.moto_presigned import SignedOnly
        from local.wsgi import Channel, WsgiServer

        moto_queues.mend()
        moto_tables.mend()
        moto_updates.mend()
        moto_streams.mend()
        moto_sizes.mend()
        moto_overhead.mend()
        loop_detection.mend()
        with listen(port) as listener:
            make: Any = moto_overhead.backend_app  # WSGI applications, which need not be Flask's
            moto = moto_tables.IsolatedTables(around(DomainDispatcherApplication(make)))
            app = SignedOnly(loop_detection.Traced(moto))
            self._server = WsgiServer(listener, app)
        self.channel = Channel(app)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        self.queues = moto_queues.QueuesHere()
        self._session = boto3.session.Session("local", "local", region_name=REGION)
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()
        self._running = ExitStack()
        self._thread = threading.Thread(target=self._serve, name="moto", daemon=True)

    def _serve(self) -> None:
        # The interval bounds how long stopping takes.
        self._server.serve_forever(poll_interval=0.05)

    def client(self, service: str) -> Any:
        """A boto3 client for this server, made once."""
        with self._making:
            if service not in self._clients:
                # botocore would presign for S3 by version 2, which no region made since 2014 takes.
                version = {"signature_version": "s3v4"} if service == "s3" else {}
                config = Config(max_pool_connections=50, **USER_AGENT, **version)
                self._clients[service] = self._session.client(service, endpoint_url=self.url, config=config)
            return self._clients[service]

    def __enter__(self) -> LocalAws:
        self._thread.start()
        self._running.enter_context(self.channel)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
        self._server.end()
        self._thread.join()
