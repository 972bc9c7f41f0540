"""What docs/curation.md says can be done can be done: its curl lines are sent, its numbers are the code's.

Holds `chalicelib/library/renames.py`.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from chalicelib.api.query_parameters import MOST_IDS
from chalicelib.library.corrections import MOST_CORRECTIONS
from chalicelib.library.history import KEPT
from chalicelib.library.recognition_cache import LEASE_SECONDS
from chalicelib.library.renames import MOST_RENAMES
from chalicelib.model import Label
from chalicelib.recognition.recogniser import MOST_BYTES_PASSED_OVER, SEEN_FROM
from tests.api.client import NOTHING, Api
from tests.fakes.services import FakeServices

DOC = (Path(__file__).parents[2] / "docs" / "curation.md").read_text()
CURLS = re.findall(r"^curl .*$", DOC, re.M)
BASE = "http://127.0.0.1:8000"


def sent(api: Api, line: str) -> int:
    words = shlex.split(line)
    path = next(word for word in words if word.startswith(BASE)).removeprefix(BASE)
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else NOTHING
    method = words[words.index("-X") + 1] if "-X" in words else "GET" if body is NOTHING else "POST"
    return api.request(method, path, body=body).status_code


def test_every_curl_line_does_what_it_should(api: Api, services: FakeServices) -> None:
    image = api.handed_in()
    services.label(image, Label("Feline", 90.0), Label("Dog", 80.0))
    codes = [sent(api, line.replace("$IMAGE_ID", image).replace("'" + image + "'", image)) for line in CURLS]
    assert codes == [200, 200, 200, 200, 202, 202, 200, 204, 202, 200, 202, 202, 202, 200, 200]


def test_the_numbers_are_those_of_the_code() -> None:
    for words in (
        f"takes {MOST_CORRECTIONS} corrections",
        f"Up to {MOST_IDS} `ids`",
        f"at most {MOST_RENAMES}.",
        f"the last {KEPT} results",
        f"for {LEASE_SECONDS:g} seconds at most",
        f"down to a confidence of {SEEN_FROM:g}",
        f"up to {MOST_BYTES_PASSED_OVER // 1000} kB of what was not shown",
    ):
        assert words in DOC.replace("\n", " ").replace("  ", " "), words


def test_every_verdict_is_explained(api: Api) -> None:
    verdicts = api.get("/openapi.json").json_body["components"]["schemas"]["Verdict"]["enum"]
    assert re.findall(r"^\| `([a-z-]+)` \|", DOC, re.M)[1:] == verdicts  # after the head
