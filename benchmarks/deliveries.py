"""How long one worker takes over a batch of ten deliveries for a partner that takes 200 ms: ``make bench``.

Ours is the worker's whole time for the batch over real sockets, with its records kept in the tests' table in
memory. The peer, in the same run, is what sample projects do: ``requests.post``, one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests

from benchmarks.figures import Figure, Progress, median
from chalicelib import pipeline
from chalicelib.outbound import Outbound
from tests.fakes.mail import BATCH, Mail
from tests.fakes.world import World
from tests.stubs.hostile_http import BEHAVIOURS, HostileServer

PARTNER_SECONDS = 0.2
ROUNDS = 5
MOST_TIMES_THE_PARTNER = 1.5


def figures(say: Progress) -> Iterator[Figure]:
    """A row for the worker, and one for its peer."""
    BEHAVIOURS["patient"] = lambda c: (c.stopped.wait(PARTNER_SECONDS), c.answer(200))
    with HostileServer() as server:
        url = server.url("/patient")
        taken = []
        for number in range(1, ROUNDS + 1):
            say(f"deliveries, round {number} of {ROUNDS}")
            taken.append((_ours(url), _peer(url)))
    ours, peer = (median(one) for one in zip(*taken, strict=True))
    what, beside = f"{BATCH} deliveries to a partner that takes 200 ms", "one delivery"
    most = MOST_TIMES_THE_PARTNER
    yield Figure(what, ours / PARTNER_SECONDS, "×", beside, most=most, detail=f"{1000 * ours:.0f} ms")
    yield Figure(f"{what}, by requests.post in turn", peer / PARTNER_SECONDS, "×", beside)


def _ours(url: str) -> float:
    world: Any = World(ALLOW_PRIVATE_URLS="true")
    world.outbound = Outbound(allow_private=True, allowed_ports=frozenset())
    world.with_settings(delivery_timeout_seconds=15, integration_url=url)
    for number in range(BATCH):
        pipeline.label_image(world.drop(f"uploads/{number}.jpg"), world)
    mail = Mail(world)
    mail.announce()
    began = time.perf_counter()
    mail.bring()
    took = time.perf_counter() - began
    if [one.status for one in mail.log("integration")] != ["delivered"] * BATCH:
        raise RuntimeError("not everything was delivered")
    return took


def _peer(url: str) -> float:
    began = time.perf_counter()
    for _ in range(BATCH):
        requests.post(url, data=b"<image/>", timeout=15).raise_for_status()
    return time.perf_counter() - began
