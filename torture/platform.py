"""Runs what is due, as AWS and people would, many at once; and when nothing is, moves the clock.

Time stands still while things run. The order of the threads of one round is free: all else is the seed's.
"""

from __future__ import annotations

import heapq
import itertools
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chalicelib import pipeline
from chalicelib.expressions import Key
from chalicelib.library.markers import image_of
from chalicelib.model import Json
from infra.event_sources import MAY_GO_IN_CIRCLES
from local import loop_detection
from local.config import timeout_of
from local.limits import NEW_ACCOUNT_CONCURRENCY
from local.stream_reader import StreamBatch, StreamReader
from torture.invocation import Invocation, Killed
from torture.moments import next_moments
from torture.plan import in_turn
from torture.queues import Queues
from torture.streams import FUNCTION as PROJECTION
from torture.streams import Streams
from torture.world import World

log = logging.getLogger("torture.platform")

AT_ONCE = 12  # threads
ROUND_SECONDS = 0.5
MOST_ROUNDS = 5000
SWEEP_SECONDS = 180.0  # at the least; every minute in truth, which finds nothing most of the time
THROTTLED_SECONDS = 1.0
RETRIES = (60.0, 120.0)  # of an asynchronous event (AWS Lambda, "asynchronous invocation")
LATEST = 2 * 86_400.0
LONGEST_EXTRA = 3600.0
CONCURRENCY = NEW_ACCOUNT_CONCURRENCY  # functions at work in one round
DEATHS = range(1, 13)  # before which of its effects an invocation dies: each in turn

Step = float | Callable[[], object]  # seconds to wait, or a request to make
Script = Generator[Step, BaseException | None, None]
Handler = Callable[[Json, World, Invocation], object]

FUNCTIONS: dict[str, Handler] = {
    "on_s3_upload": lambda event, world, it: pipeline.label_or_leave(event, world.services, it.time_left),
    "on_upload_message": lambda event, world, it: pipeline.label_messages(
        event, world.services, it.time_left
    ),
    "on_image_change": lambda event, world, it: pipeline.project(event, world.services, it.time_left),
    "on_job_message": lambda event, world, it: pipeline.work_on_jobs(event, world.services, it.time_left),
    "on_sns_message": lambda event, world, it: pipeline.fan_out(event, world.services),
    "on_sqs_message": lambda event, world, it: pipeline.deliver(event, world.services),
    "sweep": lambda event, world, it: pipeline.sweep(world.services, it.time_left),
}


TIMEOUTS = {"api": timeout_of("api_handler"), **{name: timeout_of(name) for name in FUNCTIONS}}


class Restless(Exception):
    """There is always something left to do."""


class Throttled(Exception):
    """The account has no room for another function at the moment."""


class CutOff(Exception):
    """Lambda takes a chain of calls for one without end."""


@dataclass(frozen=True)
class End:
    """How something ended: with a ``reply``, or with an ``error``."""

    error: BaseException | None = None
    reply: object = None


@dataclass(frozen=True)
class Task:
    """Something to run now, under a ``name``; ``settle`` is told how it ended.

    ``trace`` tells of the chain of calls that led to it.
    """

    name: str
    work: Callable[[Invocation], object]
    settle: Callable[[End], None]
    trace: str = ""


class Platform:
    """S3, SNS, SQS, Lambda, the schedule, and everybody's patience; ``counted`` is what it has done."""

    def __init__(self, world: World, gap: int) -> None:
        self._world = world
        self._gap = gap
        self._chance = random.Random(f"{world.seed}:platform")  # noqa: S311 - no secret
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._ready: list[Task] = []
        self._deaths: dict[str, Iterator[int | None]] = {}
        self._queues = Queues(world.cloud.client, world.services.settings)
        self._streams = Streams(world)
        self._dead: list[tuple[str, Json]] = []
        self._swept_at = world.clock()
        self._healed = False
        self.counted: Counter[str] = Counter()

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Do something at a time (seconds since 1970), between two rounds."""
        heapq.heappush(self._later, (moment, next(self._numbers), act))

    def play(self, script: Script, answer: BaseException | None = None, *, begun: bool = False) -> None:
        """Let somebody go on who waits and makes requests; each learns how the request ended."""
        try:
            step = script.send(answer) if begun else next(script)
        except StopIteration:
            return
        if callable(step):
            self._ready.append(
                Task("api", lambda invocation: step(), lambda end: self.play(script, end.error, begun=True))
            )
        else:
            self.at(self._world.clock() + step, lambda: self.play(script, begun=True))

    def invoke(self, function: str, event: Json, tries: int = 0, trace: str = "") -> None:
        """Give a function an event as S3, SNS and the schedule do: with two more tries."""

        def settle(end: End) -> None:
            if isinstance(end.error, Throttled):
                again, wait = tries, THROTTLED_SECONDS
            elif end.error is None:
                return
            elif tries < len(RETRIES):
                again, wait = tries + 1, RETRIES[tries]
            else:
                self._leave(function, event, trace)
                return
            self.at(self._world.clock() + wait, lambda: self.invoke(function, event, again, trace))

        self._ready.append(Task(function, self._handling(function, event), settle, trace))

    def leave(self, function: str, body: str) -> None:
        """Put any message on the queue that feeds a function."""
        self._queues.send(function, body)

    def dead_letters(self) -> list[str]:
        """The messages that nobody could handle."""
        return self._queues.dead_letters()

    def run(self) -> None:
        """Go on until nothing is left to do.

        :raises Restless: that does not come about.
        """
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for _ in range(MOST_ROUNDS):
                tasks = self._due()
                if tasks:
                    self._do(tasks, threads)
                elif not self._forward():
                    return
        raise Restless(f"After {MOST_ROUNDS} rounds there is still something to do.")

    def redrive(self) -> None:
        """Give all dead letters another chance, with nothing happening any more."""
        self._healed = True
        self.counted["dead letters"] += len(self._dead) + self._queues.redrive()
        for pk, sk in sorted(self._streams.left_behind()):
            self.counted["records whose changes were given up"] += 1
            owner, image_id = image_of(Key(pk, sk))
            self._world.quiet.images.touch(owner, image_id)
        dead, self._dead = self._dead, []
        for function, event in dead:
            self.invoke(function, event)

    # ── what is due ──────────────────────────────────────────────────────────────────────────
    def _due(self) -> list[Task]:
        while self._later and self._later[0][0] <= self._world.clock():
            heapq.heappop(self._later)[2]()
        for event, trace in self._queues.uploads_told_of():
            self._tell("on_s3_upload", event, trace)
        for event, trace in self._queues.results_told_of():
            self._tell("on_sns_message", event, trace)
        for feed, batch in self._streams.due():
            self._hand_changes_over(feed, batch)
        tasks, self._ready = self._ready[:AT_ONCE], self._ready[AT_ONCE:]
        tasks += self._polled("on_upload_message", self._queues.uploads(AT_ONCE))
        tasks += self._polled("on_job_message", self._queues.jobs(AT_ONCE))
        return [*tasks, *self._polled("on_sqs_message", self._queues.deliveries())]

    def _tell(self, function: str, event: Json, trace: str) -> None:
        """Hand an event over as often and as late as it pleases AWS."""
        copies = self._chance.randrange(2, 11) if self._chance.random() < 0.1 else 1
        self.counted["events told again"] += copies - 1
        for _ in range(copies):
            wait = self._lateness()
            self.counted["events told late"] += wait > 0
            self.at(self._world.clock() + wait, lambda: self._hand_over(function, event, trace))

    def _lateness(self) -> float:
        kind = self._chance.random()
        if kind < 0.7 or self._healed:
            return 0.0
        return self._chance.uniform(1, 600 if kind < 0.95 else LATEST)

    def _hand_over(self, function: str, event: Json, trace: str) -> None:
        """By the way that the stage has chosen: S3 calls the function, or leaves its event on the queue."""
        if function == "on_s3_upload" and self._world.seed % 2:
            with loop_detection.carried(trace):
                self._queues.leave(event)
        else:
            self.invoke(function, event, trace=trace)

    def _hand_changes_over(self, feed: StreamReader, batch: StreamBatch) -> None:
        """Changes come in order; but late, and some of them again, when later ones have come."""

        def settle(end: End) -> None:
            if isinstance(end.error, Throttled):
                feed.put_back(batch)
            else:
                feed.settle(batch, end.reply, failed=end.error is not None)

        self._project(batch, settle, 0.0 if self._healed else self._streams.lag())
        again = None if self._healed else self._streams.repeated()
        if again:
            self.counted["changes told again"] += len(again[1].changes)
            self._project(again[1], lambda end: None, again[0])

    def _project(self, batch: StreamBatch, settle: Callable[[End], None], wait: float) -> None:
        task = Task(PROJECTION, self._handling(PROJECTION, json.loads(json.dumps(batch.event))), settle)
        self.at(self._world.clock() + wait, lambda: self._ready.append(task))

    def _polled(self, function: str, batches: list[list[Json]]) -> Iterator[Task]:
        for batch in batches:
            event = self._queues.event(batch)
            trace = loop_detection.longest(
                (one["Attributes"].get(loop_detection.ATTRIBUTE) for one in batch), function
            )
            twice = not self._healed and self._chance.random() < 0.05
            self.counted["messages handed over twice"] += twice
            work = self._handling(function, event)
            if twice:
                yield Task(function, work, lambda end: None, trace)
            yield Task(function, work, self._settling(function, batch), trace)

    def _handling(self, function: str, event: Json) -> Callable[[Invocation], object]:
        return lambda invocation: FUNCTIONS[function](event, self._world, invocation)

    def _settling(self, function: str, batch: list[Json]) -> Callable[[End], None]:
        def settle(end: End) -> None:
            if end.error is None:
                left = _reported(end.reply) if self._world.services.settings.partial_batches else set()
                self._queues.delete(function, [one for one in batch if one["MessageId"] not in left])

        return settle

    def _leave(self, function: str, event: Json, trace: str) -> None:
        """What a function could not do in three tries goes where the deployment wants it."""
        if function == "on_s3_upload":
            with loop_detection.carried(trace):
                self._queues.leave({"requestPayload": event})
        else:
            self._dead.append((function, event))

    # ── running ──────────────────────────────────────────────────────────────────────────────
    def _do(self, tasks: list[Task], threads: ThreadPoolExecutor) -> None:
        # Who is turned away and who dies is drawn here: the threads' order has no part in it.
        if not self._healed and len(tasks) > CONCURRENCY:
            tasks = self._chance.sample(tasks, len(tasks))
        admitted, rest = (tasks, []) if self._healed else (tasks[:CONCURRENCY], tasks[CONCURRENCY:])
        invocations = [
            Invocation(self._death_of(task.name), timeout=TIMEOUTS[task.name]) for task in admitted
        ]
        ends = list(threads.map(_end_of, admitted, invocations))
        self._world.clock.forward(ROUND_SECONDS)
        for task, end in zip(admitted, ends, strict=True):
            self._count(task, end.error)
            task.settle(end)
        self.counted["functions turned away"] += len(rest)
        for task in rest:
            task.settle(End(Throttled()))

    def _count(self, task: Task, error: BaseException | None) -> None:
        self.counted["invocations"] += 1
        if error is not None:
            kinds: dict[type[BaseException], str] = {Killed: "crashes", CutOff: "endless chains"}
            self.counted[f"{kinds.get(type(error), 'errors')} of {task.name}"] += 1

    def _death_of(self, name: str) -> int | None:
        if self._healed:
            return None
        if name not in self._deaths:
            chance = random.Random(f"{self._world.seed}:deaths of {name}")  # noqa: S311 - no secret
            self._deaths[name] = in_turn(chance, [[one] for one in DEATHS], self._gap)
        return next(self._deaths[name])

    def _forward(self) -> bool:
        """Move the clock to the next thing that is due; False where there is none."""
        moments = next_moments(self._world)
        if moments.records is not None:
            moments.records = max(moments.records, self._swept_at + SWEEP_SECONDS)
        upcoming = [self._later[0][0]] if self._later else []
        changes = self._streams.next_moment()
        upcoming += [one for one in (moments.records, moments.messages, changes) if one is not None]
        if not upcoming:
            return False
        wait = max(0.0, min(upcoming) - self._world.clock())
        # The longer nothing was due, the more is let come together: days are not walked through by minutes.
        self._world.clock.forward(wait + min(wait / 2, LONGEST_EXTRA))
        if moments.records is not None and moments.records <= self._world.clock():
            self._swept_at = self._world.clock()
            self.invoke("sweep", {}, tries=len(RETRIES))
        return True


def _end_of(task: Task, invocation: Invocation) -> End:
    """Run a task; how it ended."""
    if loop_detection.too_long(task.trace, task.name) and task.name not in MAY_GO_IN_CIRCLES:
        return End(CutOff())
    try:
        with loop_detection.carried(loop_detection.extended(task.trace, task.name)):
            return End(reply=invocation.run(lambda: task.work(invocation)))
    except (Exception, Killed) as error:
        log.debug("%s: %r", task.name, error, exc_info=True)
        return End(error)


def _reported(reply: object) -> set[str]:
    """The ids of the messages that a handler has reported as failed."""
    failures = reply.get("batchItemFailures", []) if isinstance(reply, dict) else []
    return {one["itemIdentifier"] for one in failures}
