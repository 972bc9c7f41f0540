"""The web page as it is served: small, closed to other hosts, and kept by browsers while it is good."""

from __future__ import annotations

import gzip
import re

import pytest

from chalicelib.api import pages
from chalicelib.delivery.events import EVENT_TYPES, ON_REQUEST
from chalicelib.intake.formats import FORMATS
from tests.api.client import Api
from tests.fakes.services import BUCKET_URL

MOST_BYTES = 120_000  # compressed, in all
DOCUMENTS = ("/", "/docs")


def policy_of(api: Api, path: str) -> dict[str, str]:
    written = str(api.get(path).headers["Content-Security-Policy"])
    return dict(part.split(" ", 1) for part in written.split("; "))


def addresses_in(document: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]*)"', document)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_loads_nothing_but_files_that_are_there(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    document = answer.body.decode()
    assert "{{" not in document
    files = [one for one in addresses_in(document) if one.startswith("page/")]
    assert len(files) == 3  # a script, a style sheet and an icon: each is a call on the first visit
    for one in files:
        assert api.get(f"/{one}").status_code == 200
    assert not [one for one in addresses_in(document) if "//" in one]


def test_no_source_is_left_out_of_what_is_served() -> None:
    served = "".join(pages.files().values())
    for name, source in pages.sources().items():
        first = source.splitlines()[0]
        assert first in served, f"nothing loads {name}"


def test_every_event_that_is_told_of_has_a_word_on_the_page() -> None:
    source = pages.sources()["subscriptions.js"]
    assert not [one for one in (*EVENT_TYPES, *ON_REQUEST) if f'"{one}": ' not in source]


def test_the_page_names_every_format_that_the_service_reads() -> None:
    said = pages.sources()["file-checks.js"].replace("camera's raw", "camera raw")
    assert not [name for name in FORMATS if name not in said]


def test_only_the_services_own_files_run_and_no_text_becomes_markup(api: Api) -> None:
    for path in DOCUMENTS:
        policy = policy_of(api, path)
        assert policy["default-src"] == "'self'"
        assert "script-src" not in policy
        assert policy["require-trusted-types-for"] == "'script'"
        assert policy["trusted-types"] == "'none'"
        assert policy["object-src"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    script = "".join(content for name, content in pages.files().items() if name.endswith(".js"))
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script)


def test_the_page_of_photos_may_talk_to_the_bucket_and_the_description_may_not(api: Api) -> None:
    assert policy_of(api, "/")["connect-src"] == f"'self' {BUCKET_URL}"
    assert policy_of(api, "/")["img-src"] == f"'self' blob: {BUCKET_URL}"
    assert policy_of(api, "/docs")["connect-src"] == "'self'"


def test_a_file_is_kept_for_good_and_its_address_changes_with_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pages.version_of_files()
    answer = api.get(f"/page/{before}/main.js")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert api.get("/").headers["Cache-Control"] == "no-cache"
    changed = {**pages.files(), "main.js": "// another"}
    monkeypatch.setattr(pages, "files", lambda: changed)
    assert pages.version_of_files.__wrapped__() != before


@pytest.mark.parametrize("name", ["tile.js", "index.html", "..%2Fpages.py", "__pycache__", "main.js.map"])
def test_nothing_else_is_served_from_the_folder(api: Api, name: str) -> None:
    assert api.get(f"/page/{pages.version_of_files()}/{name}").status_code == 404


def test_a_file_of_another_version_is_not_there(api: Api) -> None:
    assert api.get("/page/0123456789abcdef/main.js").status_code == 404


def test_a_hosts_name_cannot_get_into_the_page(api: Api) -> None:
    for path in DOCUMENTS:
        answer = api.get(path, host='"><script>alert(1)</script>')
        assert b"alert" not in answer.body
        assert b'<base href="/">' in answer.body


def test_all_of_it_is_below_120_kilobytes_compressed(api: Api) -> None:
    documents = [api.get(path).body for path in DOCUMENTS]
    files = [content.encode() for content in pages.files().values()]
    assert sum(len(gzip.compress(one)) for one in (*documents, *files)) < MOST_BYTES
