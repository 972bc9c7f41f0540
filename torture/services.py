"""The service's own parts, at a cloud that misbehaves and on a clock that is moved."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

from chalicelib.clients import ONE_TRY, Clients, patience_of
from chalicelib.recognition.recogniser import Recogniser
from chalicelib.recognition.rekognition import RekognitionRecogniser
from chalicelib.settings import Settings
from chalicelib.table import Table
from chalicelib.wiring import Services
from tests.fakes.clock import Clock
from torture import invocation


class TorturedServices(Services):
    """Real in all but time: nobody sleeps, and it is as late as ``clock`` says."""

    def __init__(self, environment: dict[str, str], session: Any, clock: Clock) -> None:
        super().__init__(Settings.read(environment))
        self.clients = Clients(session._session)  # botocore's, which boto3's is made of
        self._clock = clock

    def now(self) -> float:
        return self._clock()

    @cached_property
    def table(self) -> Table:
        return Table(self.clients.make("dynamodb"), self.settings.table, invocation.sleep)

    def _rekognition(self) -> Recogniser:
        client = self.clients.make("rekognition", **ONE_TRY)
        patience = dataclasses.replace(patience_of(ONE_TRY, self.governor.throttled), sleep=invocation.sleep)
        return RekognitionRecogniser(client, patience)
