"""A stage in the emulator for each way in which uploads are noticed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra import project
from local.partner import PATH, Partner
from tests.emulator.emulator import Emulator
from tests.emulator.journey import Journey
from tests.emulator.receiver import Receiver
from tests.emulator.recognisers import ENDPOINT, EnforcedEndpoint, EnforcedRekognition
from tests.emulator.stage import Stage, started

ACCOUNTS = {"s3": "111111111111", "queue": "222222222222"}
LABELERS = {"s3": "on_s3_upload", "queue": "on_upload_message"}


@dataclass(frozen=True)
class World:
    """A stage, and who it has to do with."""

    stage: Stage
    partner: Partner
    receiver: Receiver
    rekognition: EnforcedRekognition

    def journey(self) -> Journey:
        return Journey(self.stage, self.partner, self.receiver, self.rekognition)


def begin(trigger: str, emulator: Emulator, folder: Path, end: ExitStack) -> World:
    """Start a stage with everything around it."""
    account, partner, receiver = ACCOUNTS[trigger], Partner(), Receiver()
    office = end.enter_context(partner.serve(0))
    end.enter_context(receiver)
    rekognition = end.enter_context(EnforcedRekognition(emulator))
    endpoint = end.enter_context(EnforcedEndpoint(emulator))
    emulator.client(account, "secretsmanager").create_secret(
        Name="sightline-dev-integration", SecretString=office.url + PATH
    )
    chosen = {
        "INTEGRATION_URL": "secret:sightline-dev-integration",
        "LOG_LEVEL": "WARNING",
        "XMP_SIDECAR": "1",
        "ALLOW_PRIVATE_URLS": "true",
        "ALLOWED_PORTS": ",".join(map(str, range(1024, 65536))),  # whatever is free on this machine
        "AWS_ENDPOINT_URL_REKOGNITION": rekognition.url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint.url,
    }
    other = {"RECOGNISER": "sagemaker", "SAGEMAKER_ENDPOINT": ENDPOINT}
    variants = {f"{LABELERS[trigger]}@sagemaker": other}
    configured = project.stage("dev", trigger)
    stage = end.enter_context(
        started(emulator, account, configured, folder, chosen=chosen, variants=variants)
    )
    return World(stage, partner, receiver, rekognition)


@pytest.fixture(scope="session")
def worlds(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, World]]:
    """By the way in which uploads are noticed."""
    with ExitStack() as end:
        yield {
            trigger: begin(trigger, emulator, tmp_path_factory.mktemp(trigger), end) for trigger in ACCOUNTS
        }


@pytest.fixture(scope="session")
def journeys(worlds: dict[str, World]) -> dict[str, Future[Journey]]:
    """One journey through each stage, at the same time; ended, well or not.

    That through the queue is the shorter one, but for ``make nightly``: only the labelers' roles and events
    depend on the way in.
    """

    def go(trigger: str) -> Journey:
        journey = worlds[trigger].journey()
        if trigger == "s3" or "NIGHTLY" in os.environ:
            journey.go()
        else:
            journey.go_with_uploads()
        return journey

    with ThreadPoolExecutor(len(worlds)) as pool:
        return {trigger: pool.submit(go, trigger) for trigger in worlds}
