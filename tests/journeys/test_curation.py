"""A person knows better, over HTTP, on the whole running service."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.journeys.conftest import Service, eventually, names

pytestmark = pytest.mark.slow
COFFEE = base64.b64encode((Path(__file__).parents[2] / "photos" / "coffee.jpg").read_bytes()).decode()


def ask(service: Service, method: str, path: str, **body: Any) -> Any:
    answer = requests.request(method, service.api + path, json=body or None, timeout=30)
    answer.raise_for_status()
    return answer.json()


def found(service: Service, query: str) -> list[str]:
    return [one["id"] for one in service.get("/images", q=query)["images"]]


def done(service: Service, job: Any) -> Any:
    return eventually(
        lambda: next((one for one in [service.get(f"/jobs/{job['id']}")] if one["status"] == "done"), None)
    )


def test_corrections_renames_and_labelling_again_go_the_whole_way(service: Service) -> None:
    spared = service.get("/usage")["total"]["duplicates_spared"]
    first = service.final(service.create(content=COFFEE)["id"])
    second = service.final(service.create(content=COFFEE)["id"])
    assert second["copied_from"]
    assert second["labels"] == first["labels"]
    eventually(lambda: service.get("/usage")["total"]["duplicates_spared"] > spared)

    here = f"/images/{second['id']}"
    ask(service, "DELETE", f"{here}/labels/beverage")
    corrected = ask(service, "PUT", f"{here}/labels/Morning%20Ritual", parents=["Habit"])
    assert "Morning Ritual" in names(corrected)
    assert not any("Beverage" in (one["name"], *one["parents"]) for one in corrected["labels"])
    eventually(lambda: found(service, "habit") == [second["id"]])
    assert service.get(f"{here}/metadata")["labels"] == corrected["labels"]
    eventually(lambda: "Morning Ritual" in str(service.received(second["id"])[-1:]))

    begun = ask(service, "POST", "/labels/habit/rename", to="Custom")
    assert done(service, begun)["changed"] == 1
    eventually(lambda: found(service, "custom & !habit") == [second["id"]])

    ask(service, "POST", f"{here}/relabel", min_confidence=90)
    again = service.final(second["id"])
    assert len(again["labels"]) < len(corrected["labels"])
    assert "Morning Ritual" in names(again)
    assert "Beverage" not in names(again)
    assert service.get(f"{here}/why", label="beverage")["verdict"] == "removed"
    eventually(
        lambda: (
            [one["kind"] for one in service.get(f"{here}/history")["history"]]
            == ["recognised", "renamed", "corrected", "corrected", "copied"]
        )
    )
