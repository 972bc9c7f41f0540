"""When something is due next, looked up in memory: asking for it would cost more than the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from moto.sqs.models import sqs_backends

from local.loopback import ACCOUNT, REGION
from local.moto_queues import LongQueue
from torture.world import World

MARGIN = 0.002  # seconds: what is stored is cut to milliseconds


@dataclass
class Moments:
    """Seconds since 1970, None for never: the first record that the sweep will find, the first message."""

    records: float | None
    messages: float | None


def next_moments(world: World) -> Moments:
    """When the next record and the next message are due."""
    return Moments(_first_record(world), _first_message(world))


def _first_record(world: World) -> float | None:
    first = world.cloud.first_due()
    return None if first is None else datetime.fromisoformat(first).timestamp() + MARGIN


def _first_message(world: World) -> float | None:
    chosen = world.services.settings
    backend = sqs_backends[ACCOUNT][REGION]
    waits = [
        cast(LongQueue, backend.get_queue(name)).seconds_to_next()
        for name in (chosen.uploads_queue, chosen.jobs_queue, chosen.deliveries_queue)
    ]
    known = [one for one in waits if one is not None]
    return world.clock() + min(known) + MARGIN if known else None
