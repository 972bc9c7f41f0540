"""A partner's server: takes the integration worker's XML, answers with a receipt, and shows what came.

Under ``/hook`` it takes webhooks of any kind: callbacks and subscriptions can be tried without internet.
"""

from __future__ import annotations

import html
import itertools
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from local.http_server import BadBody, LargeBody, Patient, Server

KEPT = 100
LARGEST_BODY = 1_000_000
PATH = "/labels"
HOOK = "/hook"


@dataclass(frozen=True)
class Received:
    """One document: when it came, the ``reference`` it was given, what it is about, and its text."""

    at: str
    reference: str
    filename: str
    xml: str


class Partner:
    """Keeps the last hundred documents; ``told`` is called with each."""

    def __init__(self, told: Callable[[Received], None] = lambda received: None) -> None:
        self._told = told
        self._received: deque[Received] = deque(maxlen=KEPT)
        self._hooked: deque[dict[str, str]] = deque(maxlen=KEPT)
        self._refusals: deque[int] = deque()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def serve(self, port: int) -> Server:
        """A server for this partner, not yet started."""
        return Server(port, lambda *args: _Handler(self, *args))

    @property
    def received(self) -> list[Received]:
        """What came, oldest first."""
        with self._lock:
            return list(self._received)

    @property
    def hooked(self) -> list[dict[str, str]]:
        """The webhooks that came, oldest first: ``webhook_id``, ``content_type`` and ``body`` of each."""
        with self._lock:
            return list(self._hooked)

    def hook(self, webhook_id: str, content_type: str, body: bytes) -> None:
        """Keep a webhook, whatever it says."""
        text = body.decode("utf-8", "replace")
        with self._lock:
            self._hooked.append({"webhook_id": webhook_id, "content_type": content_type, "body": text})

    def refuse(self, *statuses: int) -> None:
        """Answer the next requests with these statuses, and keep nothing of them."""
        with self._lock:
            self._refusals.extend(statuses)

    def take(self, body: bytes) -> tuple[int, str]:
        """The status and the XML that a document is answered with."""
        with self._lock:
            if self._refusals:
                return self._refusals.popleft(), _answer("refused", "Not now.")
        try:
            root = fromstring(body)
        except (ParseError, DefusedXmlException, ValueError) as error:
            return 400, _answer("refused", f"This is not a document: {error}")
        received = self._keep(root, body)
        self._told(received)
        return 200, _answer("receipt", received.reference)

    def _keep(self, root: Element, body: bytes) -> Received:
        with self._lock:
            received = Received(
                at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                reference=f"P-{next(self._numbers):05}",
                filename=root.get("filename", ""),
                xml=body.decode("utf-8", "replace"),
            )
            self._received.append(received)
            return received


class _Handler(Patient, BaseHTTPRequestHandler):
    def __init__(self, partner: Partner, *args: Any) -> None:
        self._partner = partner
        super().__init__(*args)

    def do_POST(self) -> None:
        try:
            body = self.body(LARGEST_BODY)
        except LargeBody:
            self._answer(413, "application/xml", _answer("refused", "At most 1 MB."))
            return
        except BadBody:
            self._answer(400, "application/xml", _answer("refused", "The body is framed wrongly."))
            return
        if self.path == PATH:
            self._answer(*_typed("application/xml", *self._partner.take(body)))
        elif self.path == HOOK:
            content_type = self.headers.get("content-type", "")
            self._partner.hook(self.headers.get("webhook-id", ""), content_type, body)
            self._answer(200, "text/plain", "Taken.\n")
        else:
            self._answer(
                404, "application/xml", _answer("refused", f"Documents go to {PATH}, webhooks to {HOOK}.")
            )

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, "text/html", _page(self._partner.received))
        elif self.path == "/received":
            kept = [asdict(one) for one in self._partner.received]
            self._answer(200, "application/json", json.dumps({"received": kept}, ensure_ascii=False))
        elif self.path == "/hooks":
            self._answer(200, "application/json", json.dumps({"hooks": self._partner.hooked}))
        else:
            self._answer(404, "text/plain", "There is /, /received and /hooks.\n")

    do_HEAD = do_GET  # noqa: N815

    def _answer(self, status: int, media_type: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{media_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what came is told by the partner itself."""


def _typed(media_type: str, status: int, text: str) -> tuple[int, str, str]:
    return status, media_type, text


def _answer(kind: str, text: str) -> str:
    inner = "reference" if kind == "receipt" else "reason"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind}><{inner}>{html.escape(text)}</{inner}></{kind}>\n'
    )


def _page(received: list[Received]) -> str:
    articles = "".join(
        f"<article><h2>{html.escape(one.reference)} · {html.escape(one.filename)}</h2>"
        f"<p>{one.at}</p><pre>{html.escape(one.xml)}</pre></article>"
        for one in reversed(received)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Partner</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font:16px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}"
        "pre{background:#8881;overflow:auto;padding:1rem}</style>"
        f"<h1>What the partner received</h1>{articles or '<p>Nothing yet.</p>'}"
    )
