"""How long one worker takes over a batch of ten deliveries for a partner that takes 200 ms: ``make bench``.

Ours is the worker's whole time for the batch over real sockets, with its records kept in the tests' table in
memory. The peer, in the same run, is what sample projects do: ``requests.post``, one after the other.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import requests

from chalicelib import pipeline
from chalicelib.outbound import Outbound
from tests.fakes.mail import BATCH, Mail
from tests.fakes.world import World
from tests.stubs.hostile_http import BEHAVIOURS, HostileServer

PARTNER_SECONDS = 0.2
ROUNDS = 5
MOST_TIMES_THE_PARTNER = 1.5


def main() -> int:
    BEHAVIOURS["patient"] = lambda c: (c.stopped.wait(PARTNER_SECONDS), c.answer(200))
    with HostileServer() as server:
        url = server.url("/patient")
        ours, peer = _median(lambda: _ours(url)), _median(lambda: _peer(url))
    sys.stdout.write(
        f"{BATCH} deliveries for a partner that takes {1000 * PARTNER_SECONDS:.0f} ms, median of {ROUNDS}\n"
        + _row("the worker", ours)
        + _row("requests, one by one", peer)
    )
    kept = ours < MOST_TIMES_THE_PARTNER * PARTNER_SECONDS
    sys.stdout.write("the promise is kept\n" if kept else f"missed: more than {MOST_TIMES_THE_PARTNER} ×\n")
    return 0 if kept else 1


def _row(who: str, seconds: float) -> str:
    return f"  {who:<22}{1000 * seconds:>6.0f} ms  {seconds / PARTNER_SECONDS:>6.2f} × the partner's time\n"


def _median(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(ROUNDS))


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


if __name__ == "__main__":
    sys.exit(main())
