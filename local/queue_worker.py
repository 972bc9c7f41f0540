"""Invokes a function with a batch and settles its messages: done, later, or dropped."""

from __future__ import annotations

import logging
import time
from threading import Semaphore
from typing import Any

from local import loop_detection
from local.activity import Activity, told
from local.event_source import EventSource, Message, tries_of
from local.faults import Dice

log = logging.getLogger("sightline.local")

THROTTLED_SECONDS = 0.2

Batch = list[Message]


class QueueWorker:
    """Delivers a source's batches as Lambda does, with the misbehaviour that ``dice`` calls for."""

    def __init__(
        self, source: EventSource, sqs: Any, dice: Dice, activity: Activity, account: Semaphore
    ) -> None:
        self._source = source
        self._sqs = sqs
        self._account = account
        self._dice = dice
        self._activity = activity

    def deliver(self, batch: Batch) -> None:
        """Invoke the function; delete what it did, and see to another try of what it failed."""
        if self._dice.says("delay"):
            time.sleep(self._dice.lateness())
        failed, reported = batch, False
        if self._admitted():
            try:
                failed, reported = self._invoked(batch)
            finally:
                self._account.release()
        self._delete([message for message in batch if message not in failed])
        if not reported:  # what a handler reports comes again when it said, by the message's visibility
            self._try_again(failed)

    def give_back(self, batch: Batch) -> None:
        """Leave a batch on its queue for whoever polls next."""
        for message in batch:
            self._show_in(message, 0)

    def _admitted(self) -> bool:
        """Whether the function may run now. An asynchronous event waits until it may."""
        while self._dice.says("throttle") or not self._account.acquire(blocking=False):
            log.warning("%-18s throttled", self._source.function.name)
            if not self._source.asynchronous:
                return False
            time.sleep(THROTTLED_SECONDS)
        return True

    def _invoked(self, batch: Batch) -> tuple[Batch, bool]:
        """Run the function on a batch; what it must get once more, and whether it reported that itself."""
        if self._dice.says("duplicate"):
            self._activity.spawn(f"twin-{self._source.function.name}", lambda: self._forget(batch))
        failed = self._run(batch)
        if self._dice.says("crash"):
            log.warning("%-18s crashed after its work", self._source.function.name)
            return batch, False
        return failed

    def _forget(self, batch: Batch) -> None:
        """The second of two deliveries: the first decides what becomes of the messages."""
        self._run(batch)

    def _run(self, batch: Batch) -> tuple[Batch, bool]:
        event = self._source.to_event(batch)
        if event is None:
            return [], False
        function = self._source.function
        trace = loop_detection.longest(
            (one["Attributes"].get(loop_detection.ATTRIBUTE) for one in batch), function.name
        )
        if loop_detection.too_long(trace, function.name) and not function.may_go_in_circles:
            log.error("%-18s not invoked: it is in one chain of calls for the 17th time", function.name)
            return batch, False
        try:
            with told(function.name, self._what(batch)), loop_detection.carried(trace):
                reply = function(event)
        except Exception:
            # Lambda's way: whatever a handler raises is its failure, logged above, and the batch comes again.
            return batch, False
        return _reported(batch, reply) if self._source.partial_batches else ([], False)

    def _what(self, batch: Batch) -> str:
        tries = tries_of(batch[0])
        return self._source.kind if tries == 1 else f"{self._source.kind}, try {tries}"

    def _try_again(self, failed: Batch) -> None:
        for message in failed:
            tries = tries_of(message)
            if self._source.tries is not None and tries >= self._source.tries:
                log.error("%-18s gave up an event after %d tries", self._source.function.name, tries)
                self._delete([message])
            elif (seconds := self._source.retry_after(tries)) is not None:
                self._show_in(message, seconds)

    def _show_in(self, message: Message, seconds: int) -> None:
        self._sqs.change_message_visibility(
            QueueUrl=self._source.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def _delete(self, batch: Batch) -> None:
        for message in batch:
            self._sqs.delete_message(QueueUrl=self._source.queue_url, ReceiptHandle=message["ReceiptHandle"])


def _reported(batch: Batch, reply: Any) -> tuple[Batch, bool]:
    """The messages that a handler reported as failed; the whole batch where the report makes no sense.

    (AWS Lambda developer guide, "Implementing partial batch responses".)
    """
    if not reply:
        return [], False
    try:
        ids = {failure["itemIdentifier"] for failure in reply.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return batch, False
    if not ids <= {message["MessageId"] for message in batch}:
        return batch, False
    return [message for message in batch if message["MessageId"] in ids], True
