"""The event runtime: every trigger of a Chalice app object, fired as AWS would fire it."""

from __future__ import annotations

import functools
import json
import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from chalice.app import (
    Chalice,
    DynamoDBEventConfig,
    S3EventConfig,
    ScheduledEventConfig,
    SNSEventConfig,
    SQSEventConfig,
)

from local import eventbridge, s3, sns, sqs, stream_poller
from local.activity import Activity
from local.event_source import EventSource, Timing, asynchronous, inbox
from local.eventbridge import Clock
from local.faults import Faults
from local.function import Function, Invocable, Json
from local.queue_poller import QueuePoller
from local.shard import Shard, table_of
from local.stream_poller import StreamPoller
from local.stream_reader import EventSourceMapping

log = logging.getLogger("sightline.local")

STOPPING_SECONDS = 10.0


class StillBusy(Exception):
    """The runtime did not come to rest in time."""


class Runtime:
    """Runs the event handlers of ``app``; a context manager that stops what it started.

    ``client`` makes a boto3 client by service name, ``function_of`` gives a function (here: its handler, in
    this process), ``mapping_of`` what a deployment says of its event source mapping, ``shard_of`` the stream
    of a table. Pollers receive from ``queues`` (:class:`~local.moto_queues.QueuesHere`); without it
    they send requests. A trigger that the offline stack cannot fire raises :exc:`ValueError`.

    A function is stopped at its timeout, and not invoked for the 17th time in a chain of calls, but for one
    that may go in circles. Differences from AWS: retries come sooner (:class:`Timing`), a queue is polled
    by one reader however long it gets, and a stream has one shard.
    """

    def __init__(
        self,
        app: Chalice,
        client: Callable[[str], Any],
        *,
        function_of: Callable[[str], Invocable] | None = None,
        mapping_of: Callable[[str], EventSourceMapping] = lambda function: EventSourceMapping(),
        shard_of: Callable[[str], Shard] = stream_poller.shard_here,
        queues: Any = None,
        faults: Faults = Faults(),  # noqa: B008 - frozen
        pace: Timing = Timing(),  # noqa: B008 - frozen
    ) -> None:
        self._app = app
        self._client = client
        self._function_of = function_of or self._function_here
        self._mapping_of = mapping_of
        self._shard_of = shard_of
        self._queues = queues or client("sqs")
        self._faults = faults
        self._account = faults.account()
        self._pace = pace
        self._activity = Activity()
        self._inboxes: dict[str, str] = {}
        self._clocks: list[Clock] = []
        self._pollers = [self._poller(config) for config in app.event_sources]

    def __enter__(self) -> Runtime:
        for poller in self._pollers:
            poller.start()
        for clock in self._clocks:
            clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for clock in self._clocks:
            clock.stop()
        for poller in self._pollers:
            poller.ask_to_stop()
        for poller in self._pollers:
            poller.join()
        self._activity.wait_for_rest(STOPPING_SECONDS)

    def fire(self, function: str) -> None:
        """Send a scheduled function its event now; :exc:`KeyError` where there is none of that name."""
        self._client("sqs").send_message(
            QueueUrl=self._inboxes[function], MessageBody=json.dumps(eventbridge.tick(function))
        )

    def caught_up(self) -> bool:
        """Whether every change of a table has been handed over, and was taken."""
        return not any(poller.busy() for poller in self._pollers if isinstance(poller, StreamPoller))

    def wait_until_idle(self, timeout: float = 60.0) -> None:
        """Return when no handler runs, no queue of the app holds anything, in flight or delayed, and all
        changes of its table have been handed over.

        Dead letters do not count. Raises :exc:`StillBusy` after ``timeout`` seconds.
        """
        began = time.monotonic()
        while busy := self._busy():
            waited = time.monotonic() - began
            if waited > timeout:
                raise StillBusy(f"After {timeout:g} s there is still work: {', '.join(busy)}.")
            # Each look asks every queue: what takes minutes is looked at every second.
            time.sleep(min(1.0, waited / 50))
            self._activity.wait_for_change(0.02)

    def _busy(self) -> list[str]:
        # A handler may pass work on from a queue not yet looked at to one looked at already. Then it
        # was under way in between, and that shows in the generation.
        generation = self._activity.generation
        waiting = [poller.kind for poller in self._pollers if poller.busy()]
        if not waiting and not self._activity.untouched_since(generation):
            return ["handlers"]
        return waiting

    # ── triggers ─────────────────────────────────────────────────────────────────────────────
    def _poller(self, config: Any) -> QueuePoller | StreamPoller:
        function = self._function_of(config.name)
        dice = self._faults.dice(config.name)
        if isinstance(config, DynamoDBEventConfig):
            says = self._mapping_of(config.name)
            shard = self._shard_of(table_of(config.stream_arn))
            give_up = functools.partial(self._give_up, says.on_failure)
            reader = stream_poller.reader(config, shard, says, self._pace, give_up)
            return StreamPoller(function, reader, dice, self._activity, self._account)
        source = self._source(config, function)
        return QueuePoller(source, self._queues, dice, self._activity, self._account)

    def _function_here(self, name: str) -> Invocable:
        return Function(name, self._app.handler_map[name])

    def _give_up(self, queue_arn: str, message: Json) -> None:
        """Tell the failure queue of a stream what was given up, where the deployment has one."""
        sent = message["DDBStreamBatchInfo"]
        log.error("changes given up: %d, up to %s", sent["batchSize"], sent["endSequenceNumber"])
        if queue_arn:
            sqs = self._client("sqs")
            url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))

    def _source(self, config: Any, function: Invocable) -> EventSource:
        if isinstance(config, SQSEventConfig):
            says = self._mapping_of(config.name)
            return sqs.source(config, function, self._client("sqs"), self._pace, says)
        url, arn = inbox(self._client("sqs"), self._app.app_name, config.name)
        if isinstance(config, S3EventConfig):
            s3.subscribe(config, self._client("s3"), arn)
            return asynchronous(function, f"S3 {config.bucket}", url, s3.event, self._pace)
        if isinstance(config, SNSEventConfig):
            subscription = sns.subscribe(config, self._client("sns"), arn)
            read = functools.partial(sns.event, subscription_arn=subscription)
            return asynchronous(function, f"SNS {config.topic.rpartition(':')[2]}", url, read, self._pace)
        if isinstance(config, ScheduledEventConfig):
            self._inboxes[config.name] = url
            self._clocks.append(Clock(eventbridge.seconds(config), functools.partial(self.fire, config.name)))
            return asynchronous(function, "schedule", url, eventbridge.event, self._pace)
        raise ValueError(f"{config.name}: the offline stack has no {type(config).__name__} triggers.")
