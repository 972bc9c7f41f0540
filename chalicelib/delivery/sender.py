"""Sends a document to a destination and tells what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.delivery import documents, schedule, signatures
from chalicelib.delivery.attempts import Attempt, Verdict, beginning_of, verdict_on
from chalicelib.delivery.origins import CHALLENGE
from chalicelib.errors import DeliveryFailed, SightlineError, UnusableUrl
from chalicelib.ids import rfc3339
from chalicelib.outbound import Outbound, Reply

PATIENCE_ASKED = frozenset(
    {429, 503}
)  # answers whose Retry-After is honoured (RFC 6585 §4, RFC 9110 §15.6.4)
BREAKER_OPEN = "Not sent: the destination failed several times in a row, the last a moment ago."


@dataclass(frozen=True)
class WebhookRequest:
    """What is sent: ``body`` to ``url``, under a ``webhook_id`` that stays the same over all tries.

    A ``challenge`` is a token that the receiver is to send back.
    """

    url: str
    content_type: str
    body: bytes
    webhook_id: str
    secrets: Sequence[str]
    challenge: str = ""


@dataclass(frozen=True)
class SendResult:
    """What came of a try; ``asked_wait`` is the patience that the receiver asked for, in seconds.

    ``reference`` is what a receiver of XML calls the document, ``reply`` its answer, where there was one.
    """

    attempt: Attempt
    verdict: Verdict
    asked_wait: float | None = None
    reference: str | None = None
    reply: Reply | None = None


def send(
    request: WebhookRequest, outbound: Outbound, *, deadline: float, now: Callable[[], float]
) -> SendResult:
    """POST a signed request; whatever the other side does within ``deadline`` seconds is an outcome."""
    at, began = now(), time.monotonic()
    headers = {
        "Content-Type": request.content_type,
        **({CHALLENGE: request.challenge} if request.challenge else {}),
        **signatures.sign(request.secrets, request.webhook_id, int(at), request.body),
    }
    try:
        reply = outbound.post(request.url, body=request.body, headers=headers, deadline=deadline)
    except (DeliveryFailed, UnusableUrl) as error:
        return _unanswered(error, rfc3339(at), _since(began))
    return _answered(reply, request, rfc3339(at), _since(began), now())


def unsent(now: float) -> SendResult:
    """A try that was not made, as the breaker of its origin is open (:mod:`chalicelib.delivery.breakers`)."""
    return SendResult(Attempt(rfc3339(now), None, 0, error=BREAKER_OPEN), Verdict.AGAIN)


def _unanswered(error: SightlineError, at: str, duration_ms: int) -> SendResult:
    # An address that may not be used will not become one that may; anything else may pass.
    verdict = Verdict.NEVER if isinstance(error, UnusableUrl) else Verdict.AGAIN
    return SendResult(Attempt(at, None, duration_ms, error=error.detail), verdict)


def _answered(reply: Reply, request: WebhookRequest, at: str, duration_ms: int, now: float) -> SendResult:
    attempt = Attempt(at, reply.status, duration_ms, beginning_of(reply.body))
    verdict = verdict_on(reply.status)
    if verdict is Verdict.ARRIVED:
        xml = request.content_type == documents.CONTENT_TYPE
        reference = documents.reference_in(reply.body) if xml else None
        return SendResult(attempt, verdict, reference=reference, reply=reply)
    asked = reply.headers.get("retry-after") if reply.status in PATIENCE_ASKED else None
    return SendResult(attempt, verdict, schedule.retry_after(asked, now), reply=reply)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
