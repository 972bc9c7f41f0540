"""What can be asked of the recogniser with an image."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.services import FakeServices

FILTERS = ("include_labels", "exclude_labels", "include_categories", "exclude_categories")


def test_what_is_asked_is_kept_and_given_back(api: Api) -> None:
    asked = {"features": ["text", "labels", "text"], **{name: ["Cat", "Dog é"] for name in FILTERS}}
    image = api.get(f"/images/{api.handed_in(**asked)}").json_body
    assert {name: image[name] for name in FILTERS} == {name: ["Cat", "Dog é"] for name in FILTERS}
    assert image["features"] == ["labels", "text"]


def test_what_is_not_asked_is_null_and_an_empty_filter_is_none(api: Api) -> None:
    image = api.get(f"/images/{api.handed_in(include_labels=[])}").json_body
    assert (image["features"], image["include_labels"], image["exclude_labels"]) == (None, [], None)


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("features", [], "/features"),
        ("features", ["smell"], "/features"),
        ("features", ["labels"] * 6, "/features"),
        ("features", "labels", "/features"),
        ("features", None, "/features"),
        ("features", {"labels": True}, "/features"),
        ("features", [["labels"]], "/features/0"),
        *((name, ["a"] * 101, f"/{name}") for name in FILTERS),
        ("include_labels", "Cat", "/include_labels"),
        ("include_labels", ["Cat", ""], "/include_labels/1"),
        ("include_labels", ["Cat", 3], "/include_labels/1"),
        ("exclude_labels", ["x" * 129], "/exclude_labels/0"),
        ("exclude_labels", ["a\nb"], "/exclude_labels/0"),
        ("include_categories", ["\ud800"], "/include_categories/0"),
        ("exclude_categories", [None], "/exclude_categories/0"),
    ],
)
def test_what_cannot_be_asked_is_refused_where_it_stands(
    api: Api, field: str, value: Any, pointer: str
) -> None:
    answer = api.post("/images", {field: value})
    assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)


def test_all_that_a_recogniser_can_say_is_shown_as_described(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content="aGVsbG8=")
    quality = {"brightness": 70.5, "sharpness": 80.0, "contrast": 60.0}
    services.label(
        image_id,
        Label("Cat", 97.0),
        properties={"quality": quality, "dominant_colors": [{"hex_code": "#fff", "pixel_percent": 3.5}]},
        moderation={"model_version": "7.0", "labels": [], "content_types": []},
        text={"model_version": "3.0", "detections": []},
    )
    image = api.get(f"/images/{image_id}").json_body
    assert image["properties"]["quality"] == quality
    assert image["moderation"]["model_version"] == "7.0"
    assert image["text"]["detections"] == []
