"""The catalogue over HTTP."""

from __future__ import annotations

import pytest

from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.services import FakeServices


@pytest.fixture
def labelled(api: Api, services: FakeServices) -> Api:
    services.label(api.handed_in(), Label("Cat", 97.3, parents=("Animal",)), Label("Castle", 60.0))
    services.label(api.handed_in(), Label("Cat", 88.0, parents=("Animal",)))
    services.label(api.handed_in(), Label("Dog", 88.0, parents=("Animal",)))
    return api


def counts(page: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    return {label["name"]: label["count"] for label in page["labels"]}


def test_every_label_and_parent_is_counted(labelled: Api) -> None:
    assert counts(labelled.get("/labels").json_body) == {"animal": 3, "castle": 1, "cat": 2, "dog": 1}


def test_a_prefix_narrows_the_catalogue_whatever_its_case(labelled: Api) -> None:
    assert counts(labelled.get("/labels?prefix=CA").json_body) == {"castle": 1, "cat": 2}


def test_the_catalogue_is_read_a_page_at_a_time(labelled: Api) -> None:
    first = labelled.get("/labels?limit=3").json_body
    second = labelled.get(f"/labels?limit=3&cursor={first['next_cursor']}").json_body
    assert [*counts(first), *counts(second)] == ["animal", "castle", "cat", "dog"]
    assert second["next_cursor"] is None


def test_photos_are_counted_by_the_month_in_which_they_were_taken(api: Api, services: FakeServices) -> None:
    for taken_at in ("2019-05-17T10:00:00+02:00", "2019-05-01T00:00:00", "2020-01-01T12:00:00", None):
        services.label(api.handed_in(), taken_at=taken_at)
    assert api.get("/months").json_body == {
        "months": [{"month": "2020-01", "count": 1}, {"month": "2019-05", "count": 2}],
        "undated": 1,
    }


def test_a_cursor_of_another_prefix_is_refused(labelled: Api) -> None:
    cursor = labelled.get("/labels?limit=1").json_body["next_cursor"]
    answer = labelled.get(f"/labels?prefix=dog&cursor={cursor}")
    assert (answer.status_code, answer.json_body["code"]) == (400, "bad-cursor")


@pytest.mark.parametrize(
    "query", ["prefix=", "prefix=" + "%EF%B7%BA" * 100, "limit=0", "q=cat", "cursor=%00"]
)
def test_a_question_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/labels?{query}").status_code == 400
