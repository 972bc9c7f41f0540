"""Images found over HTTP: the query language and its shorthands, pages, entity tags, preferences."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from chalicelib.model import Box, Instance, Label
from tests.api.client import Api
from tests.fakes.services import FakeServices

PEOPLE = Label("Person", 95.0, instances=(Instance(95.0, Box(0, 0, 1, 1)),) * 2)
DOG = Label("Dog", 91.0, parents=("Animal",))
CAT = Label("Cat", 88.0, parents=("Animal",))


def asked(api: Api, **parameters: str | list[str]) -> list[str]:
    """The ids that are found."""
    answer = api.get("/images?" + urlencode(parameters, doseq=True))
    assert answer.status_code == 200, answer.body
    return [image["id"] for image in answer.json_body["images"]]


@pytest.fixture
def dogs(api: Api, services: FakeServices) -> str:
    """Two people and a dog; there are also the same with a cat, and an upload that is waited for."""
    services.label(api.handed_in(), PEOPLE, DOG, CAT)
    found = services.label(api.handed_in(filename="Beach.jpg"), PEOPLE, DOG).id
    api.handed_in(filename="beach 2.jpg")
    return found


def test_two_people_and_a_dog_not_a_cat_this_month(api: Api, dogs: str) -> None:
    assert asked(api, q="person>=2 & dog@90 & !cat & after:2026-01-01") == [dogs]


@pytest.mark.parametrize(
    ("parameters", "number"),
    [
        ({"label": "animal"}, 2),
        ({"label": ["dog", "cat"]}, 1),
        ({"label": "dog & cat"}, 0),  # a name, not a query
        ({"q": "dog | cat", "label": "person"}, 2),
        ({"label": "cat", "min_confidence": "90"}, 0),
        ({"q": "cat@80", "min_confidence": "90"}, 1),
        ({"q": "!cat", "min_confidence": "90", "status": "labelled"}, 2),
        ({"status": "awaiting_upload"}, 1),
        ({"status": "labelled"}, 2),
        ({"filename": "BEACH"}, 2),
        ({"filename": "beach.jpg"}, 1),
        ({"min_confidence": "50"}, 3),
    ],
)
def test_the_shorthands_speak_the_same_language(
    api: Api, dogs: str, parameters: dict[str, str], number: int
) -> None:
    assert len(asked(api, **parameters)) == number


def test_a_query_that_breaks_off_is_refused_with_its_column(api: Api) -> None:
    answer = api.get("/images?" + urlencode({"q": "dog & (cat | "}))
    assert answer.status_code == 400
    body = answer.json_body
    assert (body["code"], body["pointer"], body["column"]) == ("bad-query", "?q", 14)
    assert body["expected"].startswith("a label's name")
    assert "Column 14" in body["detail"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("min_confidence=101", "?min_confidence"),
        ("min_confidence=nan", "?min_confidence"),
        ("status=done", "?status"),
        ("filename=", "?filename"),
        ("q=", "?q"),
        ("q=%20", "?q"),
        ("q=cat&q=dog", "?q"),
        ("q=" + "a" * 1001, "?q"),
        ("q=" + "(" * 400, "?q"),
        ("q=" + "a|" * 300 + "a", "?q"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(api: Api, query: str, pointer: str) -> None:
    answer = api.get(f"/images?{query}")
    assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)


def test_the_next_page_follows_for_any_spelling_of_the_same_question_and_no_other(
    api: Api, services: FakeServices
) -> None:
    made = [services.label(api.handed_in(), DOG, PEOPLE).id for _ in range(3)]
    cursor = api.get("/images?q=dog%26person&limit=2").json_body["next_cursor"]
    services.label(api.handed_in(), DOG, PEOPLE)  # arrives in between
    assert asked(api, q="PERSON & Dog", cursor=cursor) == [made[0]]
    for other in ({"q": "dog"}, {"q": "dog & person@90"}, {}):
        refused = api.get("/images?" + urlencode({**other, "cursor": cursor}))
        assert (refused.status_code, refused.json_body["code"]) == (400, "bad-cursor")
    refused = api.get(f"/labels?cursor={cursor}")
    assert (refused.status_code, refused.json_body["code"]) == (400, "bad-cursor")


@pytest.mark.parametrize("path", ["/images", "/images?q=dog", "/labels", "/labels?sort=count"])
def test_a_list_that_has_not_changed_is_not_sent_again(api: Api, services: FakeServices, path: str) -> None:
    services.label(api.handed_in(), DOG)
    tag = str(api.get(path).headers["ETag"])
    again = api.get(path, if_none_match=tag)
    assert (again.status_code, again.body) == (304, b"")
    services.label(api.handed_in(), DOG)
    assert api.get(path, if_none_match=tag).status_code == 200


def test_a_preference_for_waiting_is_honoured_and_said_to_be(api: Api, services: FakeServices) -> None:
    image = services.label(api.handed_in(), DOG)
    answer = api.get(f"/images/{image.id}", prefer="wait=10")
    assert answer.headers["Preference-Applied"] == "wait=10"
    assert "Preference-Applied" not in api.get(f"/images/{image.id}?wait=1", prefer="wait=10").headers


def test_labels_come_by_count_page_by_page(api: Api, services: FakeServices) -> None:
    for labels in ([DOG], [DOG, CAT], [DOG, CAT, PEOPLE]):
        services.label(api.handed_in(), *labels)
    first = api.get("/labels?sort=count&limit=2").json_body
    second = api.get(f"/labels?sort=count&limit=2&cursor={first['next_cursor']}").json_body
    found = [(one["name"], one["count"]) for page in (first, second) for one in page["labels"]]
    assert found == [("animal", 3), ("dog", 3), ("cat", 2), ("person", 1)]
    assert second["next_cursor"] is None
    refused = api.get(f"/labels?sort=name&cursor={first['next_cursor']}")
    assert (refused.status_code, refused.json_body["code"]) == (400, "bad-cursor")


def test_plain_words_are_understood_and_the_answer_says_how(api: Api, dogs: str) -> None:
    body = api.get("/images?" + urlencode({"search": "Dogs without cats"})).json_body
    assert [image["id"] for image in body["images"]] == [dogs]
    assert body["understood"] == "dog & !cat"
    assert asked(api, search="people", q="!cat") == [dogs]
    assert asked(api, search="beach dog") == [dogs]
    first = api.get("/images?" + urlencode({"search": "dogs", "limit": 1})).json_body
    following = {"search": "dogs", "limit": 1, "cursor": first["next_cursor"]}
    assert asked(api, **following) == [dogs] or first["images"][0]["id"] == dogs
    assert api.get("/images?" + urlencode({"search": "and"})).status_code == 400
