"""Somebody's server that takes webhooks, agrees to be called often, and refuses what it is told to."""

from __future__ import annotations

import json
from collections.abc import Mapping

from chalicelib.delivery.origins import CHALLENGE
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
        event = json.loads(body)
        if challenge := headers.get(CHALLENGE):
            return Reply(200, b"", {CHALLENGE: challenge})
        image = event.get("data", {"filename": ""})  # where it is too long there is a link in its place
        status = self._refusals.pop(image["filename"], 204)
        if status == 204:
            self.received.append(event["subject"])
        return Reply(status, b"")
