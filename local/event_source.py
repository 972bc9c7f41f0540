"""What feeds a function: a queue, how its messages become an event, and what follows a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from local.function import Invocable, Json

Message = dict[str, Any]  # as SQS ReceiveMessage gives it

# Longer than any function runs; a retry's time is set on the message when the try has failed.
VISIBILITY_SECONDS = 900


@dataclass(frozen=True)
class Timing:
    """How patient the runtime is. AWS's own figures would keep a person waiting for minutes.

    ``retry_seconds``: when messages of a failed SQS batch come back (AWS, and ``None``: the queue's
    visibility timeout). ``backoff``: seconds before the second and the third try of an asynchronous
    event (AWS: 60 and 120); after the last it is dropped. ``concurrency``: batches at a time for each
    source (AWS: five and more). ``poll_seconds``: how long one look at an empty queue lasts, which bounds
    how long stopping takes (AWS: 20). ``longest_window``: how many seconds a stream waits at most until a
    batch is full (AWS: as long as its function's trigger says).
    """

    retry_seconds: int | None = 5
    backoff: tuple[int, ...] = (1, 2)
    concurrency: int = 4
    poll_seconds: int = 1
    longest_window: float = 0.2


@dataclass(frozen=True)
class EventSource:
    """An event source of a function, of a ``kind`` for people to read.

    ``to_event`` may answer ``None`` for what the function never gets to see. ``retry_after`` says for
    a number of tries so far in how many seconds the next is due; ``None`` leaves that to the queue.
    After ``tries`` failures a message is dropped; ``None`` leaves that to the queue, too. What a handler
    returns counts only where the mapping asks for ``partial_batches``.
    """

    function: Invocable
    kind: str
    queue_url: str
    to_event: Callable[[Sequence[Message]], Json | None]
    retry_after: Callable[[int], int | None]
    tries: int | None = None
    batch_size: int = 1
    window: float = 0.0
    concurrency: int = 4
    poll_seconds: int = 1
    partial_batches: bool = False

    @property
    def asynchronous(self) -> bool:
        """Whether AWS invokes asynchronously here, with retries of its own."""
        return self.tries is not None


def asynchronous(
    function: Invocable,
    kind: str,
    queue_url: str,
    to_event: Callable[[Sequence[Message]], Json | None],
    pace: Timing,
) -> EventSource:
    """A source that invokes as S3, SNS and schedules do: one event, and again after a failure.

    Lambda keeps such events in a queue of its own; ``queue_url`` is that queue
    (AWS Lambda developer guide, "How Lambda handles errors with asynchronous invocation").
    """
    return EventSource(
        function,
        kind,
        queue_url,
        to_event,
        retry_after=lambda tries: pace.backoff[tries - 1],
        tries=len(pace.backoff) + 1,
        concurrency=pace.concurrency,
        poll_seconds=pace.poll_seconds,
    )


def tries_of(message: Message) -> int:
    """How many times a message has been received."""
    return int(message["Attributes"]["ApproximateReceiveCount"])


def inbox(sqs: Any, app: str, function: str) -> tuple[str, str]:
    """Create the queue in which Lambda keeps a function's asynchronous events; answers its URL and ARN.

    The name is fixed: what a stopped runtime left there, its successor delivers.
    """
    url = sqs.create_queue(
        QueueName=f"lambda-{app}-{function}", Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, attributes["Attributes"]["QueueArn"]
