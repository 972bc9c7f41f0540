"""What a query finds over HTTP: pages of images, and files that hold them, one after the other.

Holds `chalicelib/export/listings.py`.
"""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import urlsplit

import pytest

from chalicelib.export import listings
from chalicelib.library.query import Query
from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.clock import Clock
from tests.fakes.services import FakeServices

CAT = Label("Cat", 97.3, parents=("Animal",))
DOG = Label("Dog", 91.0, parents=("Animal",))


def content(services: FakeServices, url: str) -> str:
    return services.objects.stored[urlsplit(url).path.removeprefix("/")].decode()


@pytest.fixture
def found(api: Api, services: FakeServices) -> list[str]:
    """Ids of two dogs, newest first; there is a cat too."""
    first = services.label(api.handed_in(filename='=cmd|"calc"!A1, "x"\u00e9.jpg'), DOG, Label("Beach", 80.5))
    second = services.label(api.handed_in(), DOG)
    services.label(api.handed_in(), Label("Cat", 90.0))
    return [second.id, first.id]


def test_csv_holds_a_line_for_each_image_and_no_formulas(
    api: Api, services: FakeServices, found: list[str]
) -> None:
    answer = api.get("/export?q=dog").json_body
    assert (answer["format"], answer["images"], answer["next_cursor"]) == ("csv", 2, None)
    rows = list(csv.DictReader(io.StringIO(content(services, answer["url"]), newline="")))
    assert [row["id"] for row in rows] == found
    assert rows[1]["labels"] == "Dog 91.00; Beach 80.50"
    assert rows[1]["filename"] == '\'=cmd|"calc"!A1, "x"é.jpg'


def test_excel_is_told_that_it_is_utf_8(api: Api, services: FakeServices, found: list[str]) -> None:
    plain, marked = (
        services.objects.stored[urlsplit(api.get(path).json_body["url"]).path.removeprefix("/")]
        for path in ("/export?q=dog", "/export?q=dog&format=csv&excel=true")
    )
    assert marked == b"\xef\xbb\xbf" + plain
    answer = api.get("/export?format=jsonl&excel=true")
    assert (answer.status_code, answer.json_body["pointer"]) == (400, "?excel")


def test_json_lines_hold_the_images_as_they_are_shown(
    api: Api, services: FakeServices, found: list[str]
) -> None:
    answer = api.get("/export?q=dog&format=jsonl").json_body
    lines = [json.loads(line) for line in content(services, answer["url"]).splitlines()]
    shown = [api.get(f"/images/{one}").json_body for one in found]
    for image in shown:
        del image["links"]
    assert lines == shown


def test_what_nothing_is_found_for_is_an_empty_file(api: Api, services: FakeServices) -> None:
    answer = api.get("/export?q=dog&format=jsonl").json_body
    assert (answer["images"], content(services, answer["url"])) == (0, "")


def test_more_than_one_file_holds_is_continued_with_a_cursor(
    api: Api, services: FakeServices, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PAGE", 1)
    monkeypatch.setattr(listings, "MOST_BYTES", 100)
    first = api.get("/export?q=dog&format=jsonl").json_body
    services.label(api.handed_in(), DOG)  # arrives in between
    second = api.get(f"/export?q=dog&format=jsonl&cursor={first['next_cursor']}").json_body
    files = [content(services, one["url"]) for one in (first, second)]
    assert [json.loads(file)["id"] for file in files] == found
    assert second["next_cursor"] is None
    for other in ("q=dog&format=csv", "q=animal&format=jsonl"):
        refused = api.get(f"/export?{other}&cursor={first['next_cursor']}")
        assert (refused.status_code, refused.json_body["code"]) == (400, "bad-cursor")


def test_a_file_is_closed_when_its_time_is_up(
    services: FakeServices, api: Api, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PAGE", 1)
    clock = Clock()
    page = services.search.page

    def slow_page(*asked: object, **more: object) -> object:
        clock.forward(listings.SECONDS)
        return page(*asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(services.search, "page", slow_page)
    file = listings.write_listing("default", Query(), "csv", services, clock=clock)  # type: ignore[arg-type]
    assert file.images == 1
    assert file.next_at is not None


@pytest.mark.parametrize("query", ["format=xml", "q=(", "limit=5", "cursor=x"])
def test_an_export_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/export?{query}").status_code == 400


def test_images_are_listed_newest_first_a_page_at_a_time(api: Api, services: FakeServices) -> None:
    made = [api.handed_in(filename=f"{number}.jpg") for number in range(5)]
    first = api.get("/images?limit=2").json_body
    second = api.get(f"/images?limit=2&cursor={first['next_cursor']}").json_body
    last = api.get(f"/images?limit=2&cursor={second['next_cursor']}").json_body
    seen = [image["id"] for page in (first, second, last) for image in page["images"]]
    assert seen == sorted(made, reverse=True)
    assert last["next_cursor"] is None


def test_labels_asked_together_must_all_be_there(api: Api, services: FakeServices) -> None:
    both, cat_only = api.handed_in(), api.handed_in()
    services.label(both, CAT, Label("Dog", 80.0))
    services.label(cat_only, CAT)

    def found(query: str) -> set[str]:
        return {image["id"] for image in api.get(f"/images?{query}").json_body["images"]}

    assert found("label=cat&label=DOG") == {both}
    assert found("label=animal") == {both, cat_only}
    assert found("label=cat&label=bird") == set()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("limit=ten", "?limit"),
        ("limit=1_0", "?limit"),
        ("limit=99999999999999999999", "?limit"),
        ("limit=5&limit=6", "?limit"),
        ("label=", "?label"),
        ("label=%0A", "?label"),
        ("label=" + "x" * 256, "?label"),
        ("label=" + "%EF%B7%BA" * 100, "?label"),
        ("&".join(f"label={number}" for number in range(11)), "?label"),
        ("colour=red", "?colour"),
        ("cursor=!", "?cursor"),
        ("cursor=Zm9v", "?cursor"),
        ("cursor=%FF", "?cursor"),
        ("cursor=" + "A" * 5000, "?cursor"),
        ("cursor=", "?cursor"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_where_it_does_not(
    api: Api, query: str, pointer: str
) -> None:
    answer = api.get(f"/images?{query}")
    assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)
