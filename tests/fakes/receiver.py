"""The other side of all deliveries, in memory."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import standardwebhooks

from chalicelib.errors import SightlineError
from chalicelib.outbound.response import Headers, Reply

Answer = int | Reply | SightlineError
TOLERANCE_SECONDS = 300  # of the libraries of Standard Webhooks


@dataclass(frozen=True)
class Posted:
    """A delivery as it came in; header names in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
    """Hold a delivery's signature to the one that the published library makes of the same, at this time."""
    sent_at = int(headers["webhook-timestamp"])
    moment = datetime.datetime.fromtimestamp(sent_at, datetime.UTC)
    expected = standardwebhooks.Webhook(secret).sign(headers["webhook-id"], moment, body.decode())
    assert expected in headers["webhook-signature"].split(), "the signature is not by this secret"
    assert abs(now - sent_at) <= TOLERANCE_SECONDS, "the time is too far from ours"


class FakeReceiver:
    """Answers with each of ``answers`` in turn (the last one for ever) and remembers what was posted."""

    def __init__(self, *answers: Answer, during: Callable[[], None] = lambda: None) -> None:
        self._answers = list(answers) or [204]
        self._during = during
        self._lock = threading.Lock()
        self.posted: list[Posted] = []

    def check(self, url: str, *, deadline: float = 5.0) -> None:
        """Any address will do."""

    def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline: float, max_bytes: int = 65_536
    ) -> Reply:
        with self._lock:
            self.posted.append(Posted(url, {name.lower(): value for name, value in headers.items()}, body))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self._during()
        if isinstance(answer, SightlineError):
            raise answer
        return Reply(answer, Headers(), b"") if isinstance(answer, int) else answer

    def answer_with(self, *answers: Answer) -> None:
        """From now on answer so."""
        self._answers = list(answers)

    @property
    def ids(self) -> Sequence[str]:
        """The webhook ids of what came, in order."""
        return [one.headers["webhook-id"] for one in self.posted]
