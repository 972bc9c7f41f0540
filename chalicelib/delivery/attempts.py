"""One try to bring a delivery, and what is to be done after it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum

from chalicelib.model import Json

ANSWER_BYTES = 1024
INTERRUPTED = "The worker was interrupted; the receiver may have got it."


@dataclass(frozen=True)
class Attempt:
    """A try: ``at`` (RFC 3339), the HTTP ``status`` of the answer, its first kB of text, how long it took.

    ``error`` is why there was no answer; a try without ``status`` and ``error`` is under way.
    """

    at: str
    status: int | None = None
    duration_ms: int | None = None
    answer: str = ""
    error: str | None = None

    @property
    def under_way(self) -> bool:
        return self.status is None and self.error is None

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Attempt:
        return cls(**data)


class Verdict(Enum):
    """What an answer means for a delivery."""

    ARRIVED = "arrived"
    AGAIN = "again"  # later, by the schedule
    NEVER = "never"  # the same document will be refused again
    GONE = "gone"  # nobody listens there any more


def verdict_on(status: int) -> Verdict:
    """2xx has arrived, 410 is gone, other 4xx but 408 and 429 are final; the rest may pass.

    Source: the Standard Webhooks specification 1.0, "Deliverability and reliability". A redirect is not
    followed: it may be a maintenance page, so it is tried again.
    """
    if 200 <= status < 300:
        return Verdict.ARRIVED
    if status == 410:
        return Verdict.GONE
    return Verdict.NEVER if 400 <= status < 500 and status not in (408, 429) else Verdict.AGAIN


def beginning_of(body: bytes) -> str:
    """The first kB of an answer as text; what cannot be read or cannot be seen is U+FFFD."""
    text = body[:ANSWER_BYTES].decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\t\n\r" else "\ufffd" for c in text)
