"""Brings a document to a destination and tells what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.delivery import documents, schedule, signatures
from chalicelib.delivery.attempts import Attempt, Verdict, beginning_of, verdict_on
from chalicelib.errors import DeliveryFailed, SightlineError, UnusableUrl
from chalicelib.ids import rfc3339
from chalicelib.outbound import Outbound, Reply

PATIENCE_ASKED = frozenset(
    {429, 503}
)  # answers whose Retry-After is honoured (RFC 6585 §4, RFC 9110 §15.6.4)
RESTING = "Not sent: the destination failed several times in a row, the last a moment ago."


@dataclass(frozen=True)
class Parcel:
    """What is brought: ``body`` to ``url``, under a ``webhook_id`` that stays the same over all tries."""

    url: str
    content_type: str
    body: bytes
    webhook_id: str
    secrets: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """What came of a try; ``asked_wait`` is the patience that the receiver asked for, in seconds."""

    attempt: Attempt
    verdict: Verdict
    asked_wait: float | None = None
    reference: str | None = None


def bring(parcel: Parcel, outbound: Outbound, *, deadline: float, now: Callable[[], float]) -> Outcome:
    """POST a signed parcel; whatever the other side does within ``deadline`` seconds is an outcome."""
    at, began = now(), time.monotonic()
    headers = {
        "Content-Type": parcel.content_type,
        **signatures.sign(parcel.secrets, parcel.webhook_id, int(at), parcel.body),
    }
    try:
        reply = outbound.post(parcel.url, body=parcel.body, headers=headers, deadline=deadline)
    except (DeliveryFailed, UnusableUrl) as error:
        return _unanswered(error, rfc3339(at), _since(began))
    return _answered(reply, parcel, rfc3339(at), _since(began), now())


def spared(now: float) -> Outcome:
    """A try that was not made, as the destination rests (:mod:`chalicelib.delivery.standings`)."""
    return Outcome(Attempt(rfc3339(now), None, 0, error=RESTING), Verdict.AGAIN)


def _unanswered(error: SightlineError, at: str, duration_ms: int) -> Outcome:
    # An address that may not be used will not become one that may; anything else may pass.
    verdict = Verdict.NEVER if isinstance(error, UnusableUrl) else Verdict.AGAIN
    return Outcome(Attempt(at, None, duration_ms, error=error.detail), verdict)


def _answered(reply: Reply, parcel: Parcel, at: str, duration_ms: int, now: float) -> Outcome:
    attempt = Attempt(at, reply.status, duration_ms, beginning_of(reply.body))
    verdict = verdict_on(reply.status)
    if verdict is Verdict.ARRIVED:
        xml = parcel.content_type == documents.CONTENT_TYPE
        return Outcome(attempt, verdict, reference=documents.reference_in(reply.body) if xml else None)
    asked = reply.headers.get("retry-after") if reply.status in PATIENCE_ASKED else None
    return Outcome(attempt, verdict, schedule.retry_after(asked, now))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
