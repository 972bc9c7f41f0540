"""HEAD wherever GET is: the same answer without its body, and links that answer HEAD."""

from __future__ import annotations

import pytest

import app
from tests.api.client import Api
from tests.fakes.services import FakeServices


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
