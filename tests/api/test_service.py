"""The service itself over HTTP."""

from __future__ import annotations

import re

import chalicelib
from tests.api.client import Api
from tests.fakes.services import BUCKET_URL


def test_health_says_which_version_answers(api: Api) -> None:
    assert api.get("/health").json_body == {"status": "ok", "version": chalicelib.__version__}


def test_the_description_names_the_address_it_was_fetched_from(api: Api) -> None:
    description = api.get("/openapi.json", host="labels.example", x_forwarded_proto="https").json_body
    assert description["servers"] == [{"url": "https://labels.example"}]
    assert description["info"]["version"] == chalicelib.__version__


def test_the_page_brings_everything_along_and_may_talk_to_the_bucket(api: Api) -> None:
    answer = api.get("/", host="127.0.0.1:8000")
    page, policy = answer.body.decode(), answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.findall(r'(?:src|href)="(?!data:|openapi\.json|http://127\.0\.0\.1:8000/")([^"]*)"', page) == []
    assert f"connect-src 'self' {BUCKET_URL}" in policy
    assert "default-src 'none'" in policy


def test_only_the_pages_own_script_may_run_and_never_with_the_same_nonce(api: Api) -> None:
    nonces = []
    for _ in range(2):
        answer = api.get("/")
        found = re.search(r"script-src 'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert found is not None
        assert answer.body.decode().count(f'nonce="{found[1]}"') == 2
        nonces.append(found[1])
    assert nonces[0] != nonces[1]


def test_a_hosts_name_cannot_break_out_of_the_page(api: Api) -> None:
    assert b"alert" not in api.get("/", host='"><script>alert(1)</script>').body
