"""The app as it is deployed with AUTH=token, behind the local gateway, and people who hold tokens for it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from chalice.local import RouteMatcher

from chalicelib import wiring
from chalicelib.settings import settings
from local import api_server
from local.config import ROOT, stage_config
from tests.api.client import NOTHING
from tests.fakes.services import FakeServices
from tests.openapi_check import assert_described


class Person:
    """Somebody with a token, or with none; every answer they get is held to the description."""

    def __init__(self, url: str, app: Any, token: str = "") -> None:
        self.url = url
        self._app = app
        self._matcher = RouteMatcher(list(app.routes))
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(self, method: str, path: str, body: Any = NOTHING, **headers: str) -> requests.Response:
        sent = None if body is NOTHING else json.dumps(body)
        given = {"Content-Type": "application/json"} if sent else {}
        answer = requests.request(
            method,
            self.url + path,
            data=sent,
            headers={**given, **self.headers, **headers},
            timeout=10,
            allow_redirects=False,
        )
        template = self._matcher.match_route(path).route
        assert_described(method, template, answer.status_code, answer.headers, answer.content)
        return answer

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = NOTHING, **headers: str) -> requests.Response:
        return self.request("POST", path, body, **headers)


class Gated:
    """The app behind the gate: its route table, its services, its visitors."""

    def __init__(self, app: Any, url: str, services: FakeServices) -> None:
        self.app = app
        self.services = services
        self.url = url

    def stranger(self) -> Person:
        return Person(self.url, self.app)

    def holder(self, *scopes: str, owner: str = "anna") -> Person:
        _, text = self.services.tokens.issue(owner, scopes, days=1)
        return Person(self.url, self.app, text)

    def bearer(self, text: str) -> Person:
        return Person(self.url, self.app, text)

    def routes(self) -> list[tuple[str, str]]:
        """(method, template) of every route, without HEAD, which goes with GET."""
        routes = self.app.routes.items()
        return [(method, path) for path, methods in routes for method in methods if method != "HEAD"]


@contextmanager
def gated_app(**environment: str) -> Iterator[Gated]:
    """A second app object: whether routes are shut is decided when ``app.py`` is imported."""
    services = FakeServices(AUTH="token")
    spec = importlib.util.spec_from_file_location("gated_app", ROOT / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AUTH": "token", **environment}.items():
            patch.setenv(name, value)
        settings.cache_clear()
        spec.loader.exec_module(module)
    settings.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "services", lambda: services)
        with api_server.serve(module.app, stage_config("api_handler"), 0) as server:
            yield Gated(module.app, server.url, services)
