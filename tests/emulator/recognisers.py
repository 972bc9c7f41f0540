"""The recognisers that MiniStack has not, with the rights of whoever asks enforced as everywhere else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.loopback import REGION
from tests.emulator.emulator import Emulator
from tests.stubs.endpoint import EndpointStub
from tests.stubs.rekognition import RekognitionStub, reply
from tests.stubs.scripted import Reply

ENDPOINT = "sightline-dev"
DENIED = reply(400, {"__type": "AccessDeniedException", "message": "Not in the role's policy."})


class EnforcedRekognition(RekognitionStub):
    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self._emulator = emulator
        self._going = threading.Event()
        self._going.set()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Meanwhile no call is answered."""
        self._going.clear()
        try:
            yield
        finally:
            self._going.set()

    def answered(self, headers: Mapping[str, str], body: bytes) -> Reply | None:
        self._going.wait()
        operation = headers["X-Amz-Target"].removeprefix("RekognitionService.")
        allowed = self._emulator.decide(key_of(headers), f"rekognition:{operation}", lambda account: "*")
        return super().answered(headers, body) if allowed else DENIED


class EnforcedEndpoint(EndpointStub):
    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self._emulator = emulator

    def answered(self, headers: Mapping[str, str], body: bytes) -> Reply | None:
        allowed = self._emulator.decide(key_of(headers), "sagemaker:InvokeEndpoint", _endpoint)
        return super().answered(headers, body) if allowed else DENIED


def key_of(headers: Mapping[str, str]) -> str:
    """The access key that a request is signed with."""
    [key] = re.findall(r"Credential=([^/]+)/", headers["Authorization"])
    return str(key)


def _endpoint(account: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{account}:endpoint/{ENDPOINT}"
