"""What moto's SQS lacks for a queue of some length: steps that cost the same however many messages wait.

moto looks at every message for each one that is sent, received or deleted, and deletes by replacing its list,
where what another thread adds meanwhile is lost. There are no FIFO queues here (:mod:`local.provision`
refuses them).
"""

from __future__ import annotations

import copy
import math
import time
from typing import Any, cast

from moto.core.utils import unix_time_millis
from moto.sqs import models
from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local import loop_detection, moto_patches
from local.backlog import Backlog
from local.loopback import ACCOUNT, REGION

Json = dict[str, Any]

LONGEST_IN_FLIGHT_MS = 12 * 3600 * 1000  # Amazon SQS, "ChangeMessageVisibility"


class LongQueue(Queue):
    """A standard queue over a :class:`Backlog`, one thread at a time."""

    visibility_timeout: float  # which moto sets among the attributes of the queue

    @property  # type: ignore[override]  # in a list's place
    def _messages(self) -> Backlog:
        return self._backlog

    @_messages.setter
    def _messages(self, messages: list[Any]) -> None:
        self._backlog = Backlog(unix_time_millis, messages)

    @property
    def messages(self) -> list[Any]:
        """What may be received now, as far as moto asks: whether there is anything."""
        first = self._backlog.first()
        return [] if first is None else [first]

    @property
    def approximate_number_of_messages(self) -> int:
        return self._depths()[0]

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        return self._depths()[1]

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        return self._depths()[2]

    def _depths(self) -> tuple[int, int, int]:
        with self._messages_lock:
            return self._backlog.depths()

    def seconds_to_next(self) -> float | None:
        """How long until a message that is hidden or delayed may be received; None where there is none."""
        with self._messages_lock:
            return self._backlog.seconds_to_next()

    def add_message(self, message: Any) -> None:
        """Take a message, with the trace of whoever sent it."""
        loop_detection.stamp(message)
        super().add_message(message)

    def delete_message(self, receipt_handle: str) -> None:
        """Delete by any handle that the message ever had; one that is gone already is no error."""
        with self._messages_lock:
            message = self._backlog.known_as(receipt_handle)
            if message is not None:
                self._backlog.remove(message)

    def take(self, count: int, seconds: float, hidden_seconds: int) -> list[Any]:
        """Up to ``count`` messages, hidden from now on; for the first, wait at most so many seconds."""
        until = time.monotonic() + seconds
        with self._messages_lock:
            while not (taken := self._taken(count, hidden_seconds)):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._messages_lock.wait(min(left, max(0.001, self._backlog.seconds_to_next() or left)))
        return taken

    def _taken(self, count: int, hidden_seconds: int) -> list[Any]:
        taken: list[Any] = []
        while len(taken) < count and (message := self._backlog.first()) is not None:
            if self.dead_letter_queue is not None and self._received_enough(message):
                self._backlog.remove(message)
                self.dead_letter_queue.add_message(message)
                continue
            message.mark_received(visibility_timeout=hidden_seconds)
            self._backlog.append(message)
            taken.append(copy.copy(message))
            if not hidden_seconds:  # it may be received again at once, but not twice in one batch
                break
        return taken

    def _received_enough(self, message: Any) -> bool:
        most = (self.redrive_policy or {}).get("maxReceiveCount", math.inf)
        return bool(message.approximate_receive_count >= most)

    def hide(self, receipt_handle: str, seconds: int) -> None:
        """Let a message come back after so many seconds (``ChangeMessageVisibility``)."""
        with self._messages_lock:
            message = self._backlog.known_as(receipt_handle)
            if message is None:
                raise ReceiptHandleIsInvalid
            if unix_time_millis() + seconds * 1000 - message.sent_timestamp > LONGEST_IN_FLIGHT_MS:
                raise InvalidParameterValue(
                    f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total "
                    "VisibilityTimeout for the message is beyond the limit [43200 seconds]"
                )
            message.change_visibility(seconds)
            self._backlog.append(message)
            self._messages_lock.notify_all()


class QueuesHere:
    """The calls of an SQS client that pollers make, answered by this process's moto without a request.

    Receiving and deleting by HTTP would be a quarter of all requests that an image takes.
    """

    def receive_message(self, **asked: Any) -> Json:
        queue = queue_at(asked["QueueUrl"])
        hidden_seconds = int(queue.visibility_timeout)
        taken = queue.take(asked["MaxNumberOfMessages"], asked["WaitTimeSeconds"], hidden_seconds)
        return {"Messages": [as_received(message) for message in taken]}

    def delete_message(self, **asked: Any) -> None:
        queue_at(asked["QueueUrl"]).delete_message(asked["ReceiptHandle"])

    def change_message_visibility(self, **asked: Any) -> None:
        queue_at(asked["QueueUrl"]).hide(asked["ReceiptHandle"], asked["VisibilityTimeout"])

    def get_queue_attributes(self, **asked: Any) -> Json:
        queue = queue_at(asked["QueueUrl"])
        found = {
            "ApproximateNumberOfMessages": queue.approximate_number_of_messages,
            "ApproximateNumberOfMessagesNotVisible": queue.approximate_number_of_messages_not_visible,
            "ApproximateNumberOfMessagesDelayed": queue.approximate_number_of_messages_delayed,
        }
        return {"Attributes": {name: str(found[name]) for name in asked["AttributeNames"]}}


def queue_at(url: str) -> LongQueue:
    """The queue itself, in moto's memory."""
    return cast(LongQueue, sqs_backends[ACCOUNT][REGION].get_queue(url.rpartition("/")[2]))


def as_received(message: Any) -> Json:
    """A message as ReceiveMessage answers it, with all of its attributes."""
    attributes = {
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_timestamp),
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }
    if trace := message.system_attributes.get(loop_detection.ATTRIBUTE):
        attributes[loop_detection.ATTRIBUTE] = trace["StringValue"]
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": message.body_md5,
        "Body": message.body,
        "Attributes": attributes,
        **({"MessageAttributes": message.message_attributes} if message.message_attributes else {}),
    }


def mend() -> None:
    """Let moto's queues grow."""
    moto_patches.replace(models, Queue=LongQueue)
    moto_patches.replace(SQSBackend, receive_message=_receive, change_message_visibility=_hide)
    moto_patches.forget(Message)


def _receive(
    backend: Any,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Any]:
    taken = backend.get_queue(queue_name).take(count, wait_seconds_timeout, int(visibility_timeout or 0))
    for message in taken:
        models._filter_message_attributes(message, message_attribute_names or [])
    return taken  # type: ignore[no-any-return]  # moto's queue


def _hide(backend: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    backend.get_queue(queue_name).hide(receipt_handle, int(visibility_timeout))
