"""Take Sightline's webhooks: WEBHOOK_SECRET=whsec_… python examples/receiver.py 9000

Needs Python alone. Behind a proxy that speaks HTTPS it is fit for use as it stands; what is to be done with
an event goes into `handle`, on a thread of its own, because the sender waits for the answer.
"""

import base64
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
TOLERANCE = 300  # seconds that clocks may be apart; older requests may be somebody's replay
MOST_BYTES = 1_000_000
waiting: queue.Queue[dict] = queue.Queue()
seen: OrderedDict[str, None] = (
    OrderedDict()
)  # webhook-ids; a service with several processes keeps them in its database


def handle(event: dict) -> None:
    image = event["data"]
    labels = ", ".join(label["name"] for label in image.get("labels", []))
    print(f"{event['type']} {image.get('filename', image['id'])}: {labels}", flush=True)


def is_genuine(headers, body: bytes) -> bool:
    """Whether the bytes that came were signed with our secret (Standard Webhooks)."""
    webhook_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(time.time() - int(at)) > TOLERANCE:
        return False
    signed = f"{webhook_id}.{at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(expected, one) for one in headers.get("webhook-signature", "").split())


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length <= MOST_BYTES else b""
        if not is_genuine(self.headers, body):
            self.answer(401)
            return
        webhook_id = self.headers["webhook-id"]
        if webhook_id not in seen:  # the same delivery comes again where our answer was lost
            seen[webhook_id] = None
            if len(seen) > 100_000:
                seen.popitem(last=False)
            waiting.put(json.loads(body))
        self.answer(204)

    def do_OPTIONS(self) -> None:
        """The service asks whether it may call often (CloudEvents, "HTTP 1.1 Web Hooks")."""
        self.send_response(200)
        self.send_header("WebHook-Allowed-Origin", self.headers.get("WebHook-Request-Origin", "*"))
        self.end_headers()

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def work() -> None:
    while True:
        handle(waiting.get())


if __name__ == "__main__":
    threading.Thread(target=work, daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Receiver)
    print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
