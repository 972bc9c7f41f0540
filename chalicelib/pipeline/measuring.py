"""What the use cases tell the operator in numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.library.outcome import Outcome
from chalicelib.metrics import IMAGES_FAILED, IMAGES_LABELLED, MESSAGE_AGE, RECOGNISER_TIME
from chalicelib.model import Json
from chalicelib.wiring import Services


def result(outcome: Outcome, services: Services) -> None:
    """An image has got a result; what it already had and was only to be seen anew may have failed, too."""
    failure = outcome.error or outcome.image.error
    if failure:
        services.metrics.put(IMAGES_FAILED, 1, by=failure.code)
    else:
        services.metrics.put(IMAGES_LABELLED, 1)


def waited(event: Json, queue: str, services: Services) -> None:
    """How old the messages of an SQS event are; a wait that their sender asked for is part of it."""
    sent = (record.get("attributes", {}).get("SentTimestamp") for record in event["Records"])
    ages = [max(0.0, services.now() - int(one) / 1000) for one in sent if one]
    services.metrics.put(MESSAGE_AGE, *(round(age, 3) for age in ages), by=queue)


@contextmanager
def recogniser_time(services: Services) -> Iterator[None]:
    """How long the recogniser took to answer, to refuse or to fail, with all tries."""
    began = time.monotonic()
    try:
        yield
    finally:
        took = round((time.monotonic() - began) * 1000)
        services.metrics.put(RECOGNISER_TIME, took, by=services.settings.recogniser)
