"""A service that answers as scripted."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

CAT_PHOTO = b"\xff\xd8\xff cat"
OTHER_CAT = b"\xff\xd8\xff another cat"  # not known yet where the first one is
CAT = {"name": "Cat", "confidence": 91.6, "parents": ["Feline", "Animal"]}
LABELS = [{"name": "Animal", "confidence": 95.0, "parents": []}, CAT]


class ScriptedService(BaseHTTPRequestHandler):
    """Labels what holds ``cat``, fails what holds anything else, refuses empty file names."""

    protocol_version = "HTTP/1.1"
    uploaded: dict[str, bytes]
    tokens: set[str]
    hold: threading.Event
    known: set[str]

    def do_POST(self) -> None:
        asked = json.loads(self._body())
        name = asked["filename"]
        if "refused" in name:
            self._answer(
                400, {"code": "bad-request", "detail": "Not with that name."}, "application/problem+json"
            )
            return
        if asked.get("sha256") in self.known:
            self._answer(200, {"id": "known", "status": "labelled", "labels": LABELS, "error": None})
            return
        host = self.headers["Host"]
        upload = {"method": "PUT", "url": f"http://{host}/up/{name}", "headers": {}}
        made = {"id": name.replace("/", "_"), "status": "waiting", "upload": upload}
        self._answer(201, made)

    def do_PUT(self) -> None:
        content = self._body()
        self.uploaded[self.path.removeprefix("/up/").replace("/", "_")] = content
        self.known.add(hashlib.sha256(content).hexdigest())
        self._answer(200, {})

    def do_GET(self) -> None:
        self.tokens.add(self.headers.get("Authorization", ""))
        if "waits" in self.path:
            self.hold.wait(30)
        if self.path == "/health":
            self._answer(200, {"auth": "none"})
        elif self.uploaded[self.path.split("?")[0].rpartition("/")[2]].endswith(b"cat"):
            self._answer(200, {"id": "x", "status": "labelled", "labels": LABELS, "error": None})
        else:
            error = {"code": "unusable-image", "detail": "This is no image."}
            self._answer(200, {"id": "x", "status": "failed", "labels": [], "error": error})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: Any, media_type: str = "application/json") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
