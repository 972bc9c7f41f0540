"""Somebody's server that takes webhooks, and refuses those that it is told to."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.stubs.scripted import Reply, ScriptedServer


class Receiver(ScriptedServer):
    """``received`` are the ids of the images that it was told of, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[str] = []
        self._refusals: dict[str, int] = {}

    def refuses(self, filename: str, status: int) -> None:
        """Answer so when it is next told of an image with this name."""
        self._refusals[filename] = status

    def usual(self, headers: Mapping[str, str], body: bytes) -> Reply:
        image = json.loads(body)["data"]
        status = self._refusals.pop(image["filename"], 204)
        if status == 204:
            self.received.append(image["id"])
        return Reply(status, b"")
