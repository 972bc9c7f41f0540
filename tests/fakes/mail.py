"""Moves a world's messages as SNS, SQS, Lambda and the schedule would, under the test's clock."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import pipeline
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.delivery_log import by_destination
from chalicelib.model import Json

BATCH = 10  # messages, SQS's most


@dataclass(frozen=True)
class Waiting:
    """A message on the queue, visible from a moment on; its ``receipt`` is its id, too."""

    at: float
    message: Json
    receipt: str
    tries: int = 0


class Mail:
    """Everything between the topic and the receivers; ``delays`` is for how long messages were hidden.

    A message stays until it has been handled without error.
    """

    def __init__(self, world: Any) -> None:
        self._world = world
        self._announced = 0
        self._waiting: list[Waiting] = []
        self._numbers = itertools.count(1)
        self.delays: list[float] = []

    def announce(self) -> None:
        """Project, and fan out what has been published since the last time."""
        self._world.project()
        news = self._world.topic.published[self._announced :]
        if news:
            pipeline.fan_out(sns_event(news), self._world)
            self._announced += len(news)

    def bring(self) -> None:
        """Deliver every message that is visible by now, in batches of ten."""
        while batch := self._visible()[:BATCH]:
            taken = [dataclasses.replace(one, tries=one.tries + 1) for one in batch]
            self._waiting = [one for one in self._waiting if one not in batch]
            try:
                answer = pipeline.deliver(_batch(taken), self._world)
            except Exception:
                deleted = self._world.deliveries_queue.deleted
                self._put_back([one for one in taken if one.receipt not in deleted])
                raise
            except BaseException:  # the worker was killed
                self._put_back(taken)
                raise
            failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            self._put_back([one for one in taken if one.receipt in failed])

    def forward(self, seconds: float) -> None:
        """Let time pass, the sweep run, and what is due be delivered."""
        self._collect()
        self._world.clock.forward(seconds)
        pipeline.sweep(self._world)
        self.announce()
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
        moments = [one.at for one in self._waiting]
        moments += [_seconds(text) for text in self._world.table.due_times("delivery#")[:1]]
        return min(moments, default=None)

    def _put_back(self, messages: Sequence[Waiting]) -> None:
        now, hidden = self._world.clock(), self._world.deliveries_queue.hidden
        for one in messages:
            wait = hidden.pop(one.receipt, 0)
            self.delays.append(wait)
            self._waiting.append(dataclasses.replace(one, at=now + wait))

    def _visible(self) -> list[Waiting]:
        self._collect()
        return [one for one in self._waiting if one.at <= self._world.clock()]

    def _collect(self) -> None:
        queue = self._world.deliveries_queue
        now = self._world.clock()
        sent = zip(queue.messages, queue.delays, strict=True)
        self._waiting += [Waiting(now + delay, one, f"m{next(self._numbers)}") for one, delay in sent]
        queue.messages.clear()
        queue.delays.clear()


def sns_event(messages: Sequence[Json]) -> Json:
    """A notification as SNS hands it to Lambda."""
    return {"Records": [{"Sns": {"Message": json.dumps(message)}} for message in messages]}


def sqs_event(messages: Sequence[Json], tries: int = 1) -> Json:
    """A batch as Lambda's poller hands it over; messages are known by their place in it."""
    return raw_sqs_event(map(json.dumps, messages), tries)


def raw_sqs_event(bodies: Iterable[str], tries: int = 1) -> Json:
    """The same of any texts."""
    return {"Records": [_record(body, str(place), tries) for place, body in enumerate(bodies)]}


def handle(message: Json, world: Any) -> Json:
    """Give a message of the labeler's or the jobs' queue to its function; what that answers."""
    function = pipeline.work_on_jobs if "job" in message else pipeline.label_messages
    return function(sqs_event([message]), world)


def _batch(messages: Sequence[Waiting]) -> Json:
    return {"Records": [_record(json.dumps(one.message), one.receipt, one.tries) for one in messages]}


def _record(body: str, name: str, tries: int) -> Json:
    attributes = {"ApproximateReceiveCount": str(tries)}
    return {"messageId": name, "receiptHandle": name, "body": body, "attributes": attributes}


def _seconds(text: str) -> float:
    # The text is cut to milliseconds: a moment later is late enough.
    return math.ceil(datetime.datetime.fromisoformat(text).timestamp() * 1000 + 1) / 1000
