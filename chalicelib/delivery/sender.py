"""Sends one request to a destination, and says what its answer means for the delivery."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.delivery import schedule, signatures, xml_document
from chalicelib.delivery.delivery import Attempt, Verdict
from chalicelib.delivery.origins import CHALLENGE
from chalicelib.errors import DeliveryFailed, UnusableUrl
from chalicelib.ids import rfc3339
from chalicelib.outbound import Outbound, Reply

# Answers whose Retry-After is honoured (RFC 6585 §4, RFC 9110 §15.6.4).
PATIENCE_ASKED = frozenset({429, 503})
BREAKER_OPEN = "Not sent: the destination failed several times in a row, the last a moment ago."
ANSWER_BYTES = 1024  # of an answer's body, which are kept


@dataclass(frozen=True)
class WebhookRequest:
    """What is sent: ``body`` to ``url``, under a ``webhook_id`` that is the same for all attempts.

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
    """The result of an attempt; ``asked_wait`` are the seconds that the receiver asked to wait.

    ``reference`` is the name that a receiver of XML gave the document, ``reply`` the answer if there was one.
    """

    attempt: Attempt
    verdict: Verdict
    asked_wait: float | None = None
    reference: str | None = None
    reply: Reply | None = None


def send(
    request: WebhookRequest, outbound: Outbound, *, deadline: float, now: Callable[[], float]
) -> SendResult:
    """POST a signed request; whatever the other side does within ``deadline`` seconds is a result."""
    at, began = now(), time.monotonic()
    headers = {
        "Content-Type": request.content_type,
        **({CHALLENGE: request.challenge} if request.challenge else {}),
        **signatures.sign(request.secrets, request.webhook_id, int(at), request.body),
    }
    try:
        reply = outbound.post(request.url, body=request.body, headers=headers, deadline=deadline)
    except (DeliveryFailed, UnusableUrl) as error:
        # An address that may not be used will not become one that may; anything else may pass.
        verdict = Verdict.NEVER if isinstance(error, UnusableUrl) else Verdict.AGAIN
        return SendResult(Attempt(rfc3339(at), None, _since(began), error=error.detail), verdict)
    attempt = Attempt(rfc3339(at), reply.status, _since(began), beginning_of(reply.body))
    verdict = verdict_on(reply.status)
    if verdict is Verdict.ARRIVED:
        xml = request.content_type == xml_document.CONTENT_TYPE
        reference = xml_document.reference_in(reply.body) if xml else None
        return SendResult(attempt, verdict, reference=reference, reply=reply)
    asked = reply.headers.get("retry-after") if reply.status in PATIENCE_ASKED else None
    return SendResult(attempt, verdict, schedule.retry_after(asked, now()), reply=reply)


def unsent(now: float) -> SendResult:
    """The result where the breaker of the origin is open (:mod:`chalicelib.delivery.breakers`)."""
    return SendResult(Attempt(rfc3339(now), None, 0, error=BREAKER_OPEN), Verdict.AGAIN)


def verdict_on(status: int) -> Verdict:
    """2xx: it has arrived. 410: gone. Other 4xx are final, but for 408 and 429. All else may pass.

    Source: the Standard Webhooks specification 1.0, "Deliverability and reliability". A redirect is not
    followed: it may be a maintenance page, so it is tried again.
    """
    if 200 <= status < 300:
        return Verdict.ARRIVED
    if status == 410:
        return Verdict.GONE
    return Verdict.NEVER if 400 <= status < 500 and status not in (408, 429) else Verdict.AGAIN


def beginning_of(body: bytes) -> str:
    """The first kB of an answer as text; U+FFFD stands for what cannot be decoded or is not printable."""
    text = body[:ANSWER_BYTES].decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\t\n\r" else "\ufffd" for c in text)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
