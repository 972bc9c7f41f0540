"""Everything that a schedule needs: a stage in a cloud that misbehaves, the service, and the others."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.core import utils
from moto.moto_api._internal.models import moto_api_backend
from moto.s3 import models as bucket

from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import NotFound
from chalicelib.ids import new_id, rfc3339
from chalicelib.model import DEFAULT_OWNER
from local import moto_patches
from tests.fakes.clock import Clock
from tests.stubs.stage import make_stage
from torture.album import Album
from torture.cloud import Cloud
from torture.partner import Partner
from torture.plan import Plan
from torture.seer import Seer
from torture.services import TorturedServices
from torture.wire import Wire, wire

INTEGRATION = "https://partner.example/labels"
SUBSCRIBERS = {"https://subscriber.example/horses": "horse", "https://subscriber.example/gone": "rocket"}
MOST_BYTES = 1_000_000
WIRE_EVERY = 80  # seeds


@dataclass(frozen=True)
class World:
    """``services`` are the ones that things happen to; ``quiet`` are for looking."""

    seed: int
    clock: Clock
    plan: Plan
    album: Album
    seer: Seer
    partner: Partner
    cloud: Cloud | Wire
    services: TorturedServices
    quiet: TorturedServices

    def heal(self) -> None:
        """Let nothing happen any more."""
        for one in (self.plan, self.seer, self.partner):
            one.heal()


@contextmanager
def world(seed: int, rate: float) -> Iterator[World]:
    """A world in which about so many (0–1) of all calls are spoilt. There is one at a time in a process."""
    clock, plan, album, partner = Clock(), Plan(seed, rate), Album(seed), Partner(seed, round(1 / rate))

    def shown(key: str) -> bytes | None:
        try:
            return quiet.objects.read(key, max_bytes=MOST_BYTES).content
        except NotFound:
            return None

    _move_time_by(clock)
    with Seer(seed, round(1 / rate), album, shown) as seer, _sky(seed, plan, seer, clock) as cloud:
        # Reports of failed messages are ignored: what was done must be safe without them.
        # Some stages have not yet been told that failures are reported message by message.
        reports = "true" if seed % 3 else "false"
        environment = make_stage(cloud, "", INTEGRATION_URL=INTEGRATION, PARTIAL_BATCHES=reports)
        quiet = TorturedServices(environment, cloud.quiet, clock)
        services = TorturedServices(environment, cloud.session(), clock)
        services.outbound = partner  # type: ignore[assignment]  # takes what Outbound brings
        _subscribe(quiet)
        yield World(seed, clock, plan, album, seer, partner, cloud, services, quiet)
        moto_api_backend.reset()


@contextmanager
def _sky(seed: int, plan: Plan, seer: Seer, clock: Clock) -> Iterator[Cloud | Wire]:
    """AWS in this process; every so many seeds over HTTP, which costs some times as much."""
    if seed % WIRE_EVERY:
        yield Cloud(plan, seer, clock)
    else:
        with wire(plan, seer) as sky:
            yield sky


def _subscribe(services: Any) -> None:
    for url, wanted in SUBSCRIBERS.items():
        now = rfc3339(services.now())
        services.subscriptions.create(Subscription(new_id(), DEFAULT_OWNER, url, now, filter=wanted))


def _move_time_by(clock: Clock) -> None:
    """Let moto's queues tell the time by ``clock``, and its bucket when an object was put there."""
    epoch = datetime.datetime.fromtimestamp(0, datetime.UTC).replace(tzinfo=None)
    for place in (utils, bucket):
        moto_patches.replace(place, utcnow=lambda: epoch + datetime.timedelta(seconds=clock()))
