"""A client of the app that holds every answer to the API's description."""

from __future__ import annotations

import json
from typing import Any

from chalice.app import Chalice
from chalice.local import RouteMatcher
from chalice.test import Client, HTTPResponse

from tests.openapi_check import assert_described

NOTHING = object()


class Api:
    """Sends requests through Chalice's own test client; a described route must answer as described."""

    def __init__(self, app: Chalice, project_dir: str) -> None:
        self._app = app
        # An empty project directory: no stage's variables get in.
        self._http = Client(app, project_dir=project_dir).http
        self._matcher = RouteMatcher(list(app.routes))

    def request(
        self, method: str, path: str, *, body: Any = NOTHING, raw: bytes = b"", **headers: str
    ) -> HTTPResponse:
        """Send ``body`` as JSON or ``raw`` as it is; ``if_none_match="…"`` becomes a header."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not NOTHING:
            raw = json.dumps(body).encode()
        if raw:
            sent.setdefault("content-type", "application/json")
        answer = self._http.request(method, path, headers=sent, body=raw)
        template = self._matcher.match_route(path).route
        if method in self._app.routes[template]:
            assert_described(method, template, answer.status_code, answer.headers, answer.body)
        return answer

    def get(self, path: str, **headers: str) -> HTTPResponse:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = NOTHING, **headers: str) -> HTTPResponse:
        return self.request("POST", path, body=body, **headers)

    def delete(self, path: str, **headers: str) -> HTTPResponse:
        return self.request("DELETE", path, **headers)

    def handed_in(self, **fields: Any) -> str:
        """The id of an image just handed in: an announced upload, unless the fields say otherwise."""
        answer = self.post("/images", fields)
        assert answer.status_code == 201, answer.body
        return str(answer.json_body["id"])
