"""Takes batches from a source's queue, as many at a time as the function may run."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.activity import Activity
from local.event_source import EventSource, Message
from local.faults import Dice
from local.queue_worker import QueueWorker

log = logging.getLogger("sightline.local")

LONGEST_HOLD_SECONDS = 2.0
SHORT_POLL_SECONDS = 0.02
DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
UNREACHABLE_SECONDS = 1.0

Batch = list[Message]


class QueuePoller:
    """One event source at work: a thread that receives, and one more for every batch."""

    def __init__(
        self, source: EventSource, sqs: Any, dice: Dice, activity: Activity, account: threading.Semaphore
    ) -> None:
        self.kind = source.kind
        self._source = source
        self._sqs = sqs
        self._dice = dice
        self._activity = activity
        self._worker = QueueWorker(source, sqs, dice, activity, account)
        self._slots = threading.BoundedSemaphore(source.concurrency)
        self._held: Batch = []
        self._held_until = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll-{source.function.name}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Take nothing more from the queue; :meth:`join` waits for that."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until nothing more is received; batches under way go on."""
        self._thread.join()

    def busy(self) -> bool:
        """Whether the queue holds anything, be it in flight or delayed."""
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._source.queue_url, AttributeNames=list(DEPTHS)
        )
        return any(int(attributes["Attributes"][name]) for name in DEPTHS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._slots.acquire(timeout=SHORT_POLL_SECONDS):
                self._use_slot()

    def _use_slot(self) -> None:
        batch = self._collect()
        if self._stopping.is_set():
            self._worker.give_back(batch + self._held)
            batch = self._held = []
        batches = self._in_order(batch)
        if not batches:
            self._slots.release()
            return
        self._activity.spawn(f"lambda-{self._source.function.name}", lambda: self._deliver(batches))

    def _deliver(self, batches: list[Batch]) -> None:
        try:
            for batch in batches:
                self._worker.deliver(batch)
        finally:
            self._slots.release()

    def _in_order(self, batch: Batch) -> list[Batch]:
        """The batches due now: usually the one, but one may be held back until the next has overtaken it."""
        if batch and not self._held and self._dice.says("reorder"):
            self._held, self._held_until = batch, time.monotonic() + LONGEST_HOLD_SECONDS
            return []
        overtaken: Batch = []
        if self._held and (batch or time.monotonic() > self._held_until):
            overtaken, self._held = self._held, []
        return [one for one in (batch, overtaken) if one]

    def _collect(self) -> Batch:
        """A full batch, or what came within the source's window."""
        batch = self._receive(self._source.batch_size, self._source.poll_seconds)
        if not batch and not self._source.poll_seconds:
            self._stopping.wait(SHORT_POLL_SECONDS)
        until = time.monotonic() + self._source.window
        while batch and len(batch) < self._source.batch_size and time.monotonic() < until:
            more = self._receive(self._source.batch_size - len(batch), 0)
            batch += more
            if not more:
                self._stopping.wait(SHORT_POLL_SECONDS)
        return batch

    def _receive(self, at_most: int, wait: int) -> Batch:
        try:
            reply = self._sqs.receive_message(
                QueueUrl=self._source.queue_url,
                MaxNumberOfMessages=min(at_most, 10),
                WaitTimeSeconds=wait,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            log.warning("%s cannot be polled: %s", self._source.kind, error)
            self._stopping.wait(UNREACHABLE_SECONDS)
            return []
        return list(reply.get("Messages", []))
