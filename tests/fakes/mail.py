"""Moves a world's messages as SNS, SQS, Lambda and the schedule would, under the test's clock."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from typing import Any

from chalicelib import pipeline
from chalicelib.delivery.deliveries import by_destination
from chalicelib.delivery.delivery import Delivery
from chalicelib.model import Json

BATCH = 10  # messages, SQS's most


class Mail:
    """Everything between the topic and the receivers; ``delays`` is what the queue was asked to wait.

    A message stays until it has been handled without error.
    """

    def __init__(self, world: Any) -> None:
        self._world = world
        self._announced = 0
        self._waiting: list[tuple[float, Json]] = []
        self.delays: list[float] = []

    def announce(self) -> None:
        """Fan out what has been published since the last time."""
        news = self._world.topic.published[self._announced :]
        if news:
            pipeline.fan_out(sns_event(news), self._world)
            self._announced += len(news)

    def bring(self) -> None:
        """Deliver every message that is visible by now, in batches of ten."""
        while batch := self._visible()[:BATCH]:
            pipeline.deliver(sqs_event([message for _, message in batch]), self._world)
            self._waiting = [one for one in self._waiting if one not in batch]

    def forward(self, seconds: float) -> None:
        """Let time pass, the sweep run, and what is due be delivered."""
        self._collect()
        self._world.clock.forward(seconds)
        pipeline.sweep(self._world)
        self.bring()

    def run(self, step: float = 0.0) -> None:
        """Fan out, deliver and move the clock from one due time to the next until nothing is due any more.

        It moves by ``step`` seconds at least, so that what is due at about the same time goes out together.
        """
        self.announce()
        self.bring()
        while (moment := self._next()) is not None:
            self.forward(max(step, moment - self._world.clock()))

    def log(self, destination: str, owner: str = "default") -> list[Delivery]:
        """A destination's deliveries, oldest first."""
        page = self._world.deliveries.page(owner, by_destination(destination), limit=1000, after=None)
        return list(reversed(page.deliveries))

    def _next(self) -> float | None:
        self._collect()
        moments = [at for at, _ in self._waiting]
        moments += [_seconds(text) for text in self._world.table.due_times("delivery#")[:1]]
        return min(moments, default=None)

    def _visible(self) -> list[tuple[float, Json]]:
        self._collect()
        return [one for one in self._waiting if one[0] <= self._world.clock()]

    def _collect(self) -> None:
        queue = self._world.deliveries_queue
        now = self._world.clock()
        sent = zip(queue.messages, queue.delays, strict=True)
        self._waiting += [(now + delay, message) for message, delay in sent]
        self.delays += queue.delays
        queue.messages.clear()
        queue.delays.clear()


def sns_event(messages: Sequence[Json]) -> Json:
    """A notification as SNS hands it to Lambda."""
    return {"Records": [{"Sns": {"Message": json.dumps(message)}} for message in messages]}


def sqs_event(messages: Sequence[Json]) -> Json:
    """A batch as Lambda's poller hands it over."""
    return {"Records": [{"body": json.dumps(message)} for message in messages]}


def _seconds(text: str) -> float:
    # The text is cut to milliseconds: a moment later is late enough.
    return math.ceil(datetime.datetime.fromisoformat(text).timestamp() * 1000 + 1) / 1000
