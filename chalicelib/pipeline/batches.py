"""What the use cases share: reading events that carry several messages, and acting on each."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from chalicelib.intake.objects import UPLOADS
from chalicelib.model import Json, ObjectUploaded

log = logging.getLogger("sightline.batches")
T = TypeVar("T")


def for_each(items: Iterable[T], act: Callable[[T], object], *, at_once: int = 1) -> None:
    """Act on every item, then raise the first error: one bad message does not keep the others waiting.

    With ``at_once`` over 1, so many threads act: one slow item does not either.
    """

    def attempted(item: T) -> Exception | None:
        try:
            act(item)
        except Exception as error:
            log.warning("one of a batch failed: %r", error)
            return error
        return None

    if at_once == 1:
        outcomes = [attempted(item) for item in items]
    else:
        with ThreadPoolExecutor(at_once) as threads:
            # Each in a copy of this thread's context, so that its lines of the log name the request.
            tasks = [threads.submit(copy_context().run, attempted, item) for item in items]
        outcomes = [task.result() for task in tasks]
    for error in filter(None, outcomes):
        raise error


def for_each_body(event: Json, act: Callable[[Any], object], *, at_once: int = 1) -> None:
    """Act on each message of an SQS event, as :func:`for_each` does; one that is no JSON fails alone."""
    for_each(event["Records"], lambda record: act(json.loads(record["body"])), at_once=at_once)


def for_each_upload(notification: Json, act: Callable[[ObjectUploaded], object]) -> None:
    """Act on every upload that an S3 notification tells of, as :func:`for_each` does.

    S3's test event has no records; other folders, and the empty objects that consoles make for folders, are
    not our business. What the labeler failed on comes wrapped (AWS Lambda, "Capturing records of Lambda
    asynchronous invocations"), because the uploads queue is where Lambda leaves it.
    """

    def act_on(record: Json) -> None:
        uploaded = ObjectUploaded.from_json(record)
        if uploaded.key.startswith(UPLOADS) and not uploaded.key.endswith("/"):
            act(uploaded)

    told: Json = notification.get("requestPayload", notification)
    for_each(told.get("Records", []), act_on)


def event_of(uploaded: ObjectUploaded) -> Json:
    """The notification that S3 would send of one upload."""
    return {"Records": [uploaded.to_json()]}
