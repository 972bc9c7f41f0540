"""EventBridge schedules as a trigger: a clock that puts an event into the function's inbox."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from chalice.app import ScheduledEventConfig

from local.event_source import Message
from local.function import Json
from local.loopback import ACCOUNT, REGION

_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def seconds(config: ScheduledEventConfig) -> float:
    """The time between two events; :exc:`ValueError` for anything but a rate."""
    expression = config.schedule_expression
    text = expression if isinstance(expression, str) else expression.to_string()
    found = _RATE.fullmatch(text)
    if not found:
        raise ValueError(f"{config.name}: the offline stack runs rate(...) schedules only, not {text!r}.")
    return int(found[1]) * _SECONDS[found[2]]


def tick(rule: str) -> Json:
    """What EventBridge sends when a schedule is due."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def event(messages: Sequence[Message]) -> Json:
    """The event as :func:`tick` made it."""
    [message] = messages
    body: Json = json.loads(message["Body"])
    return body


class Clock:
    """Calls ``due`` every ``period`` seconds, first after one period, until it is stopped."""

    def __init__(self, period: float, due: Callable[[], None]) -> None:
        self._period = period
        self._due = due
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stopped.wait(self._period):
            self._due()

    def start(self) -> None:
        """Begin the first period."""
        self._thread.start()

    def stop(self) -> None:
        """Return when no further call will come."""
        self._stopped.set()
        self._thread.join()
