"""The Python client tries again when a service is busy, and says plainly that one refuses.

Holds `client/sightline_labels/client.py`, `client/sightline_labels/calls.py`,
`client/sightline_labels/image_calls.py`, `client/sightline_labels/job_calls.py`,
`client/sightline_labels/delivery_calls.py`, `client/sightline_labels/transport.py`,
`client/sightline_labels/errors.py`, `client/sightline_labels/profiles.py`,
`client/sightline_labels/job_commands.py`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sightline_labels
from sightline_labels import (
    Client,
    Conflict,
    NotAllowed,
    NotFound,
    NotInTime,
    NotReachable,
    Outdated,
    TooMany,
)
from sightline_labels.cli import main
from sightline_labels.profiles import Profile, Profiles
from sightline_labels.transport import pause

from local.config import ROOT
from local.http_server import Server


class Scripted(BaseHTTPRequestHandler):
    """Answers by ``script``: statuses in turn, the last one for ever; remembers what came."""

    protocol_version = "HTTP/1.1"
    script: list[tuple[int, dict[str, str], Any]]
    came: list[tuple[str, str, dict[str, str]]]
    lock = threading.Lock()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.lock:
            self.came.append((self.command, self.path, dict(self.headers)))
            status, headers, answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if status == 0:  # goes without an answer
            self.close_connection = True
            return
        content = json.dumps(answer).encode() if answer is not None else body
        self.send_response(status)
        for name, value in {"Content-Type": "application/problem+json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


PROBLEM = {"code": "a-code", "detail": "What is wrong."}


@pytest.fixture
def url() -> Iterator[str]:
    Scripted.came = []
    with Server(0, Scripted) as server:
        yield server.url


def answers(*script: tuple[int, dict[str, str], Any]) -> None:
    Scripted.script = list(script)


def client(url: str, slept: list[float] | None = None, **options: Any) -> Client:
    return Client(url, "a-token", sleep=(slept if slept is not None else []).append, **options)


@pytest.mark.parametrize("busy", [429, 503, 502, 0])
def test_what_is_busy_is_asked_again_with_the_same_key(url: str, busy: int) -> None:
    answers((200, {}, {"auth": "none"}), (busy, {"Retry-After": "7"}, PROBLEM), (202, {}, {"id": "j"}))
    slept: list[float] = []
    with client(url, slept) as asking:
        asking.health()
        assert asking.correct_found("cat", add=["Pet"]) == {"id": "j"}
    posts = [headers for method, _, headers in Scripted.came if method == "POST"]
    assert len(posts) == 2
    assert posts[0]["Idempotency-Key"] == posts[1]["Idempotency-Key"]
    assert len(slept) == 1
    assert slept[0] >= (7 if busy else 0)


def test_two_calls_have_two_keys(url: str) -> None:
    answers((202, {}, {"id": "j"}))
    with client(url) as asking:
        for _ in range(2):
            asking.rename("cat", "Cat")
    assert len({headers["Idempotency-Key"] for _, _, headers in Scripted.came}) == 2


def test_a_token_is_not_asked_for_twice(url: str) -> None:
    answers((200, {}, {"auth": "none"}), (503, {}, PROBLEM), (201, {}, {"token": "t"}))
    with client(url) as asking:
        asking.health()
        with pytest.raises(sightline_labels.Unavailable):
            asking.create_token(name="phone")
    [(_, _, headers)] = [one for one in Scripted.came if one[0] == "POST"]
    assert "Idempotency-Key" not in headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotAllowed), (403, NotAllowed), (404, NotFound), (409, Conflict), (412, Outdated), (429, TooMany)],
)
def test_a_refusal_is_an_error_with_its_code(url: str, status: int, kind: type[Exception]) -> None:
    answers((status, {}, PROBLEM))
    with client(url) as asking, pytest.raises(kind, match="a-code: What is wrong") as raised:
        asking.image("x")
    assert (raised.value.code, raised.value.status) == ("a-code", status)  # type: ignore[attr-defined]


def test_an_answer_that_is_no_problem_document_is_an_error_too(url: str) -> None:
    answers((400, {"Content-Type": "text/html"}, "<html>"))
    with client(url) as asking, pytest.raises(sightline_labels.ServiceError, match="http-400"):
        asking.image("x")


def test_where_nobody_ever_answered_nobody_waits(url: str) -> None:
    slept: list[float] = []
    with client("http://127.0.0.1:9", slept) as asking, pytest.raises(NotReachable):
        asking.health()
    assert slept == []


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_lead_elsewhere_is_none(url: str, name: str) -> None:
    with client(url) as asking, pytest.raises(sightline_labels.SightlineError, match="not a valid id"):
        asking.image(name)


def test_a_name_stays_one_part_of_the_path(url: str) -> None:
    answers((200, {}, {"id": "x"}))
    with client(url) as asking:
        asking.correct("x", add=["a/b?c#d é"])
    assert Scripted.came[0][1] == "/images/x/labels/a%2Fb%3Fc%23d%20%C3%A9"


def test_the_token_stays_with_the_api(url: str, tmp_path: Path) -> None:
    answers((302, {"Location": f"{url}/bucket/x"}, {}), (200, {}, {"a": 1}))
    with client(url) as asking:
        asking.download("x", tmp_path / "x.jpg")
    assert [("Authorization" in headers) for _, _, headers in Scripted.came] == [True, False]


def test_pages_are_read_as_far_as_they_are_wanted(url: str) -> None:
    page = {"images": [{"id": "a"}, {"id": "b"}], "next_cursor": "more"}
    answers((200, {}, page))
    with client(url) as asking:
        assert [one["id"] for one in asking.search("cat", most=3)] == ["a", "b", "a"]
    assert len(Scripted.came) == 2


def test_waiting_ends(url: str) -> None:
    answers((200, {}, {"id": "x", "status": "labelling"}))
    with client(url) as asking, pytest.raises(NotInTime, match="not labelled within 0 s"):
        asking.wait("x", seconds=0.1)


def test_pauses_grow_and_stay_bounded() -> None:
    assert 0.5 <= pause(1) <= 1
    assert 15 <= pause(20) <= 30
    assert pause(1, {"Retry-After": "120"}) == 120


def test_a_token_of_a_profile_goes_to_no_other_service(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_CONFIG", str(tmp_path / "profiles.json"))
    Profiles().save("home", Profile("http://home.example/", "a-secret"))
    answers((200, {}, {"labels": [], "next_cursor": None}))

    assert main(["--url", url, "labels"]) == 0
    assert main(["--url", url, "labels", "--token", "given"]) == 0

    assert [headers.get("Authorization") for _, _, headers in Scripted.came] == [None, "Bearer given"]
    assert Profiles().chosen().token == "a-secret"
    assert Profiles().chosen(url="http://home.example").token == "a-secret"


def test_a_file_of_profiles_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGHTLINE_CONFIG", str(tmp_path / "profiles.json"))
    (tmp_path / "profiles.json").write_text("[")

    assert main(["labels"]) == 1

    assert "profiles.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "schema"), [("status", "ImageStatus"), ("order", "ImageOrder")])
def test_what_can_be_chosen_is_what_the_api_takes(
    url: str, option: str, schema: str, capsys: pytest.CaptureFixture[str]
) -> None:
    described = json.loads((ROOT / "chalicelib/api/openapi/schemas.json").read_text())
    wanted = described["components"]["schemas"][schema]["enum"]
    answers((200, {}, {"images": [], "next_cursor": None}))

    for value in wanted:
        assert main(["--url", url, "search", f"--{option}", value]) == 0
    with pytest.raises(SystemExit):
        main(["--url", url, "search", f"--{option}", "another"])

    asked = [parse_qs(urlsplit(path).query)[option] for _, path, _ in Scripted.came]
    assert asked == [[value] for value in wanted]
    offered = capsys.readouterr().err.partition("choose from ")[2]
    assert [one.strip("')\n ") for one in offered.split(",")] == wanted


def test_a_job_is_shown_with_what_it_could_not_do_and_where_its_archive_is(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    described = json.loads((ROOT / "chalicelib/api/openapi/curation.json").read_text())
    [job] = described["paths"]["/jobs"]["get"]["responses"]["200"]["content"]["application/json"]["example"][
        "jobs"
    ]
    failures = [{"image_id": "01JD3Y7V4M8B5WZ0QX6T2K9RCA", "code": "too-much", "detail": ""}]
    links = {**job["links"], "archive": "https://bucket.example/photos.zip"}
    answers((200, {}, {**job, "kind": "zip", "failed": 1, "failures": failures, "links": links}))

    assert main(["--url", url, "jobs", "show", "x"]) == 0

    assert capsys.readouterr().out.splitlines()[1:] == [
        "  01JD3Y7V4M8B5WZ0QX6T2K9RCA  too-much",
        "  https://bucket.example/photos.zip",
    ]
