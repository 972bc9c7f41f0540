"""What docs/search.md says can be done can be done: its curl lines are sent, its queries are parsed."""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from chalicelib.library.grammar import DEEPEST, LONGEST, MOST_CONDITIONS
from chalicelib.library.query import parse
from chalicelib.library.search import MOST_READS
from chalicelib.model import Box, Instance, Label
from tests.api.client import Api
from tests.fakes.services import FakeServices

DOC = (Path(__file__).parents[2] / "docs" / "search.md").read_text()
CURLS = re.findall(r"^curl .*$", DOC, re.M)
BASE = "http://127.0.0.1:8000"


def sent(api: Api, line: str) -> object:
    """Send what a curl line would send."""
    words, parameters, headers = shlex.split(line)[1:], [], {}
    path = next(word for word in words if word.startswith(BASE)).removeprefix(BASE)
    for option, value in pairwise(words):
        if option == "-d":
            parameters.append(value)
        elif option == "--data-urlencode":
            name, _, text = value.partition("=")
            parameters.append(f"{name}={quote_plus(text)}")
        elif option == "-H":
            name, _, text = value.partition(": ")
            headers[quote(name).lower().replace("-", "_")] = text
    if "-G" in words or "-sG" in words or not parameters:
        answer = api.get("?".join([path, *filter(None, ["&".join(parameters)])]), **headers)
    else:
        answer = api.post(path, json.loads(*parameters), **headers)
    assert answer.status_code in (200, 202), (line, answer.body)
    return answer.json_body


@pytest.fixture
def stocked(api: Api, services: FakeServices) -> Api:
    people = Label("Person", 95.0, instances=(Instance(95.0, Box(0, 0, 1, 1)),) * 2)
    for _ in range(3):
        services.label(api.handed_in(filename="holiday/2026/a.jpg"), people, Label("Dog", 91.0))
    services.label(api.handed_in(), Label("Cat", 91.0))
    services.fail(api.handed_in(), "not-an-image", "Not an image.")
    return api


def test_every_curl_line_works_and_finds_something(stocked: Api) -> None:
    pages: list[object] = []
    newest = stocked.get("/images").json_body["images"][0]["id"]
    for line in CURLS:
        cursor = next((page["next_cursor"] for page in reversed(pages) if page.get("next_cursor")), "")  # type: ignore[attr-defined]
        body = sent(stocked, line.replace("$NEXT_CURSOR", cursor).replace("$IMAGE_ID", newest))
        pages.append(body)
        assert isinstance(body, dict)
        assert body.get("images") or body.get("labels") or body.get("id"), line
    assert len(CURLS) >= 8


def test_every_query_of_the_table_is_understood() -> None:
    rows = re.findall(r"^\| (`.*?`) \| ", DOC, re.M)
    queries = [text.replace("\\|", "|") for row in rows for text in re.findall(r"`([^`]+)`", row)]
    assert len(queries) >= 12
    for text in queries:
        parse(text)


def test_the_limits_are_those_of_the_code() -> None:
    limits = (
        f"{LONGEST:,} characters",
        f"{MOST_CONDITIONS} names",
        f"{DEEPEST} levels",
        f"{MOST_READS:,} items",
    )
    for said in limits:
        assert said in DOC, said
