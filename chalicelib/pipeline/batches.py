"""Reads events that carry several messages, and handles each message: used by all workers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from chalicelib.errors import ComesAgain, Transient
from chalicelib.intake.objects import UPLOADS, is_litter
from chalicelib.metrics import MESSAGE_AGE
from chalicelib.model import Json, ObjectUploaded
from chalicelib.queues import Queue
from chalicelib.wiring import Services

log = logging.getLogger("sightline.batches")
T = TypeVar("T")
R = TypeVar("R")

FIRST_PAUSE = 5.0  # seconds until the first retry of a message; each later pause is four times as long
LONGEST_PAUSE = 320.0


@dataclass(frozen=True)
class Message:
    """A message of an SQS event; ``tries`` counts how often it was received, this time included."""

    id: str
    receipt: str
    text: str
    tries: int

    @classmethod
    def of(cls, record: Json) -> Message:
        tries = record.get("attributes", {}).get("ApproximateReceiveCount", 1)
        return cls(record.get("messageId", ""), record.get("receiptHandle", ""), record["body"], int(tries))

    @property
    def body(self) -> Any:
        """:raises ValueError: the text is no JSON."""
        return json.loads(self.text)


def each_message(
    event: Json,
    act: Callable[[Message], float | None],
    queue: Queue,
    *,
    reports: bool,
    at_once: int = 1,
) -> Json:
    """Call ``act`` for every message of an SQS event; returns the partial batch response.

    ``act`` returns None when the message is done, or the seconds after which it shall be received again.
    With ``reports``, the messages to retry are reported as failed (AWS Lambda developer guide, "Implementing
    partial batch responses"). A mapping that ignores reports would delete them. So without ``reports``, and
    after any error, the done messages are deleted here and the whole batch fails: only the rest comes again.

    :raises ComesAgain: there are messages to retry, and the mapping may ignore reports.
    """

    attempt = partial(_attempted, act=act, queue=queue)
    messages = [Message.of(record) for record in event["Records"]]
    outcomes = _side_by_side(messages, attempt, at_once)
    failed = [message for message, error in zip(messages, outcomes, strict=True) if error]
    errors = sorted(filter(None, outcomes), key=lambda error: isinstance(error, ComesAgain))
    if not errors or (reports and isinstance(errors[0], ComesAgain)):
        return {"batchItemFailures": [{"itemIdentifier": message.id} for message in failed]}
    for message in messages:
        if message not in failed and message.tries == 1:
            queue.delete(message.receipt)
    raise errors[0]


def _attempted(message: Message, act: Callable[[Message], float | None], queue: Queue) -> Exception | None:
    """The error of a message that is to be retried; None if it is done."""
    try:
        wait = act(message)
    except Exception as error:
        expected = isinstance(error, Transient)
        log.warning("message %r failed, try %d: %r", message.id, message.tries, error, exc_info=not expected)
        if isinstance(error, Transient):
            queue.hide(message.receipt, error.retry_after or pause_after(message.tries))
        return error
    if wait is not None:
        queue.hide(message.receipt, wait)
        return ComesAgain(f"Message {message.id} comes again in {wait:.0f} s.")
    if message.tries > 1:  # its batch crashed before, and may crash again before this function returns
        queue.delete(message.receipt)
    return None


def report_ages(event: Json, queue: str, services: Services) -> None:
    """Report the ages of an SQS event's messages as a metric; a delay set by the sender is included."""
    sent = (record.get("attributes", {}).get("SentTimestamp") for record in event["Records"])
    ages = [max(0.0, services.now() - int(one) / 1000) for one in sent if one]
    services.metrics.put(MESSAGE_AGE, *(round(age, 3) for age in ages), by=queue)


def pause_after(tries: int) -> float:
    """Seconds until the retry of a message that met a transient error."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** min(tries - 1, 8)))


class Attempts:
    """Tries all items of a batch, and raises the first error only after the last item.

    ::

        attempts = Attempts()
        for item in items:
            with attempts.each():
                act(item)
        attempts.raise_first()
    """

    def __init__(self) -> None:
        self._first: Exception | None = None

    @contextmanager
    def each(self) -> Iterator[None]:
        """Context of the work on one item: logs and remembers its error."""
        try:
            yield
        except Exception as error:
            log.warning("one of a batch failed: %r", error)
            self._first = self._first or error

    def raise_first(self) -> None:
        """Raise the first error, if there was any."""
        if self._first:
            raise self._first


def for_each(items: Iterable[T], act: Callable[[T], object], *, at_once: int) -> None:
    """Call ``act`` for every item in ``at_once`` threads, then raise the first error if there was any."""
    attempts = Attempts()

    def attempt(item: T) -> None:
        with attempts.each():
            act(item)

    _side_by_side(items, attempt, at_once)
    attempts.raise_first()


def _side_by_side(items: Iterable[T], act: Callable[[T], R], at_once: int) -> list[R]:
    if at_once == 1:
        return [act(item) for item in items]
    with ThreadPoolExecutor(at_once) as threads:
        # Each runs in a copy of this thread's context, so that its log lines carry the request id.
        tasks = [threads.submit(copy_context().run, act, item) for item in items]
    return [task.result() for task in tasks]


def records_of(notification: Json) -> list[Json]:
    """The records of an S3 notification; S3's test event has none.

    Lambda sends an event that the labeler failed on to the uploads queue too, in an envelope (AWS Lambda,
    "Capturing records of Lambda asynchronous invocations").
    """
    unwrapped: Json = notification.get("requestPayload", notification)
    return list(unwrapped.get("Records", []))


def upload_in(record: Json) -> ObjectUploaded | None:
    """The upload in a record of an S3 notification.

    None outside ``uploads/``, and for names that are never a photo's
    (:func:`~chalicelib.intake.objects.is_litter`).
    """
    uploaded = ObjectUploaded.from_json(record)
    return uploaded if uploaded.key.startswith(UPLOADS) and not is_litter(uploaded.key) else None


def event_of(uploaded: ObjectUploaded) -> Json:
    """The S3 notification of one upload."""
    return {"Records": [uploaded.to_json()]}
