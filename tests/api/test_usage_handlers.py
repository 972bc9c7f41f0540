"""Usage over HTTP."""

from __future__ import annotations

import pytest

from chalicelib import pipeline
from chalicelib.recognition.prices import PRICES
from tests.api.client import Api
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeServices
from tests.fakes.world import PHOTOS


@pytest.fixture
def used(api: Api, services: FakeServices) -> Api:
    services.recogniser = FakeRecogniser()
    calls = {"rekognition:labels": 1, "rekognition:properties": 1, "onnx": 1}
    services.recogniser.rest = {"calls": calls}
    first, second, third = (
        services.drop(f"uploads/{name}", (PHOTOS / name).read_bytes())
        for name in ("chelsea.jpg", "rocket.jpg", "coffee.jpg")
    )
    pipeline.label_image(first, services)
    pipeline.label_image(second, services)
    services.clock.forward(24 * 3600)
    pipeline.label_image(third, services)
    return api


def test_each_day_is_told_with_its_cost_at_list_prices(used: Api) -> None:
    body = used.get("/usage").json_body
    assert [(one["day"], one["images"], one["cost"]) for one in body["days"]] == [
        ("2026-09-21", 2, 0.0035),
        ("2026-09-22", 1, 0.00175),
    ]
    assert body["total"] == {
        "images": 3,
        "duplicates_spared": 0,
        "calls": {"onnx": 3, "rekognition:labels": 3, "rekognition:properties": 3},
        "cost": 0.00525,
    }
    assert (body["from"], body["to"]) == ("2026-08-24", "2026-09-22")
    assert body["prices"].keys() == PRICES.keys()


def test_a_period_leaves_out_what_lies_outside(used: Api) -> None:
    body = used.get("/usage?from=2026-09-22&to=2026-09-22").json_body
    assert [one["day"] for one in body["days"]] == ["2026-09-22"]
    assert used.get("/usage?to=2026-09-20").json_body["days"] == []


def test_a_year_and_no_more_is_told_at_once(api: Api) -> None:
    assert api.get("/usage?from=2026-01-01&to=2026-12-31").status_code == 200
    assert api.get("/usage?from=2026-01-01&to=2027-01-02").status_code == 400


def test_the_first_day_of_the_calendar_is_a_day(api: Api) -> None:
    assert api.get("/usage?to=0001-01-01").json_body["from"] == "0001-01-01"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-13-01", "?from"),
        ("from=20261101", "?from"),
        ("from=2026-W45-1", "?from"),
        ("to=today", "?to"),
        ("to=", "?to"),
        ("to=2026-11-01&to=2026-11-02", "?to"),
        ("from=2026-11-02&to=2026-11-01", "?from"),
        ("day=2026-11-01", "?day"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(api: Api, query: str, pointer: str) -> None:
    answer = api.get(f"/usage?{query}")
    assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)
