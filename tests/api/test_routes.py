"""The table of routes: each handler is there, and HEAD is wherever GET is."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

import app
from chalicelib.access.tokens import SCOPES
from chalicelib.api.routes import OPEN, ROUTES, Route, handler_of
from tests.api.client import Api
from tests.fakes.services import FakeServices


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_has_a_handler_that_takes_what_its_path_gives(route: Route) -> None:
    handler = handler_of(route)
    assert handler.__doc__
    assert [*inspect.signature(handler).parameters] == [
        "request",
        "services",
        *re.findall(r"{(\w+)}", route.path),
    ]
    assert route.scope in (OPEN, *SCOPES)


@pytest.mark.parametrize("named", ["images.shwo", "imagse.show", "images"])
def test_a_handler_that_is_not_there_is_found_out(named: str) -> None:
    with pytest.raises((AttributeError, ImportError)):
        handler_of(Route("GET", "/images", named, OPEN))


def test_no_route_stands_twice() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_no_handler_is_imported_before_it_is_asked_for() -> None:
    modules = sorted({f"chalicelib.api.{route.handler.partition('.')[0]}" for route in ROUTES})
    script = f"import chalicelib.api.routes, sys; sys.exit(' '.join(sys.modules.keys() & {modules!r}))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)  # noqa: S603 - our own
    assert ran.stderr.strip() == ""


def test_whatever_can_be_got_can_be_asked_for_by_head() -> None:
    for path, methods in app.app.routes.items():
        assert ("HEAD" in methods) == ("GET" in methods), path


@pytest.mark.parametrize(
    "path", ["/", "/health", "/images", "/images/{id}", "/images/{id}/metadata", "/labels", "/images/nothing"]
)
def test_head_says_what_get_would(api: Api, services: FakeServices, path: str) -> None:
    image = api.handed_in()
    services.label(image)
    got, asked = (api.request(method, path.format(id=image)) for method in ("GET", "HEAD"))
    assert (asked.status_code, asked.headers) == (got.status_code, got.headers)


@pytest.mark.parametrize("part", ["content", "thumbnail"])
def test_head_is_sent_on_to_a_link_that_answers_head(api: Api, services: FakeServices, part: str) -> None:
    image = api.handed_in()
    services.label(image)
    got, asked = (api.request(method, f"/images/{image}/{part}") for method in ("GET", "HEAD"))
    assert (got.status_code, asked.status_code) == (302, 302)
    assert got.headers["Location"] != asked.headers["Location"]
