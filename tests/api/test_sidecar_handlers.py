"""Who is given XML."""

from __future__ import annotations

import pytest

from chalicelib.api.sidecar_handlers import prefers_xml


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "text/xml",
        "Application/XML; charset=utf-8",
        "application/xml, application/json;q=0.5",
        "application/xml, */*;q=0.1",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ],
)
def test_xml_is_for_those_who_would_rather_have_it(accept: str) -> None:
    assert prefers_xml(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/json, application/xml",
        "application/json, application/xml;q=0.9",
        "application/xml;q=0",
        "application/xml;q=high",
        "application/*;q=0.9, application/xml;q=0.5",
        ",;=,q=,;;",
    ],
)
def test_json_is_for_everybody_else(accept: str) -> None:
    assert not prefers_xml(accept)
