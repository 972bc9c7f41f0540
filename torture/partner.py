"""The receivers of deliveries: they fail, are lost on the way there or back, and feel each delivery once."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.errors import DeliveryFailed
from chalicelib.outbound import Reply
from torture.invocation import Trace, current
from torture.plan import in_turn

LOST, ANSWER_LOST = 0, -200  # a call that never comes, and a success that nobody hears of
MOODS = (500, 502, 503, 429, 408, LOST, ANSWER_LOST)
# Receivers of one mind, by the first part of the path.
ALWAYS = {"refuses": 400, "dead": 500, "gone": 410}


@dataclass(frozen=True)
class Arrival:
    """A delivery that came under an ``id``: what was answered, and what became of the one who brought it."""

    id: str
    path: str
    status: int
    body: bytes
    trace: Trace

    @property
    def taken(self) -> bool:
        """Whether the receiver has acted on it."""
        return 200 <= abs(self.status) < 300


class Partner:
    """Answers as :data:`MOODS` has it about every ``gap`` calls, in turn and by the seed; else with 200."""

    def __init__(self, seed: int, gap: int) -> None:
        chance = random.Random(f"{seed}:partner")  # noqa: S311 - no secret
        self._moods = in_turn(chance, [[one] for one in MOODS], gap)
        self._lock = threading.Lock()
        self._healed = False
        self.arrivals: list[Arrival] = []
        self.lost = 0

    def heal(self) -> None:
        """Answer with 200 from now on, but for those that always do otherwise."""
        self._healed = True

    def check(self, url: str, *, deadline: float = 5.0) -> None:
        """Any address will do."""

    def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline: float, max_bytes: int = 65_536
    ) -> Reply:
        """Take a delivery, as :class:`~chalicelib.outbound.Outbound` brings it."""
        current().about_to("POST")
        path = urlsplit(url).path
        status = self.take(path, headers["webhook-id"], body)
        if status in (LOST, ANSWER_LOST):
            raise DeliveryFailed("The connection broke.")
        return Reply(status, {"retry-after": "2"} if status in (429, 503) else {}, b"")

    def take(self, path: str, webhook_id: str, body: bytes) -> int:
        """What a delivery is answered with."""
        with self._lock:
            mood = ALWAYS.get(path.split("/")[1]) or self._mood()
            if mood == LOST:
                self.lost += 1
            else:
                self.arrivals.append(Arrival(webhook_id, path, mood, body, Trace(webhook_id)))
            return mood

    def _mood(self) -> int:
        mood = None if self._healed else next(self._moods)
        return 200 if mood is None else mood
