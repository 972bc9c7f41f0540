"""The service itself over HTTP."""

from __future__ import annotations

import chalicelib
from tests.api.client import Api


def test_health_says_which_version_answers(api: Api) -> None:
    assert api.get("/health").json_body == {"status": "ok", "version": chalicelib.__version__}


def test_the_description_names_the_address_it_was_fetched_from(api: Api) -> None:
    description = api.get("/openapi.json", host="labels.example", x_forwarded_proto="https").json_body
    assert description["servers"] == [{"url": "https://labels.example"}]
    assert description["info"]["version"] == chalicelib.__version__
