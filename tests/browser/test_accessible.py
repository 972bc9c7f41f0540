"""Every view, in light and dark, at a desk and on a phone: axe-core finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.pages import CAT, Photos, file, hand_in
from tests.journeys.conftest import eventually

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
RUN = "(options) => axe.run(document, { resultTypes: ['violations'], ...options })"
COLOURS = {"runOnly": ["color-contrast"]}
# All rules at each width and in each scheme once; the other two differ in nothing but colours.
SHOWN: tuple[tuple[Any, int, dict[str, Any]], ...] = (
    ("light", 1280, {}),
    ("light", 360, COLOURS),
    ("dark", 360, {}),
    ("dark", 1280, COLOURS),
)


def grid(photos: Photos) -> None:
    photos.tiles.first.locator(".pick").click(force=True)


def by_date(photos: Photos) -> None:
    photos.open("?sort=taken&until=undated")


def bin_(photos: Photos) -> None:
    (image,) = hand_in(photos.url, "in the bin.jpg")
    requests.delete(f"{photos.url}images/{image}", timeout=30)
    assert eventually(lambda: requests.get(f"{photos.url}images?status=binned", timeout=30).json()["images"])
    photos.window.goto(f"{photos.url}?view=bin")
    expect(photos.window.locator(".bin li").first).to_be_visible()


def viewer(photos: Photos) -> None:
    photos.view("chelsea.jpg")
    photos.viewer.get_by_text("History").click()
    photos.viewer.get_by_text("Raw JSON").click()
    photos.label("Domestic Cat").get_by_role("button", name="Why").click()
    photos.label("Cat").hover()
    expect(photos.viewer.locator(".deliveries > li .badge").first).to_be_visible()
    expect(photos.viewer.locator("pre")).to_be_visible()


def uploads(photos: Photos) -> None:
    photos.add(file("notes.jpg", b"no photo"), CAT)
    expect(photos.uploads).to_have_count(2)
    photos.wait_for_uploads()


def adding(photos: Photos) -> None:
    photos.window.get_by_role("button", name="Add photos").first.click()


def completing(photos: Photos) -> None:
    photos.window.keyboard.press("/")
    photos.window.keyboard.type("ca")
    photos.window.keyboard.press("ArrowDown")
    expect(photos.window.get_by_role("option").first).to_be_visible()


def bad_query(photos: Photos) -> None:
    photos.search("cat & & dog")
    expect(photos.window.get_by_role("alert").first).to_be_visible()


def nothing_found(photos: Photos) -> None:
    photos.search("nowhere to be seen")


def subscriptions(photos: Photos) -> None:
    asked = {"url": "http://127.0.0.1:9/hook", "paused": True}
    made = requests.post(f"{photos.url}subscriptions", json=asked, timeout=30).json()
    photos.window.goto(f"{photos.url}?view=subscriptions")
    card = photos.window.locator(f"[data-id='{made['id']}']")
    card.get_by_role("button", name="Edit").click()
    expect(card.get_by_role("form")).to_be_visible()
    requests.delete(f"{photos.url}subscriptions/{made['id']}", timeout=30)


def jobs(photos: Photos) -> None:
    requests.post(
        f"{photos.url}images/labels", json={"q": "filename:nothing", "add": ["Pet"]}, timeout=30
    ).raise_for_status()
    photos.window.goto(f"{photos.url}?view=jobs")
    expect(photos.window.locator(".jobs li").first).to_be_visible()


def labels(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}?view=labels")
    photos.window.get_by_role("button", name="Rename").first.click()


def deliveries(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}?view=deliveries")
    expect(photos.window.locator(".deliveries > li .badge").first).to_be_visible()


def usage(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}?view=usage")
    expect(photos.window.get_by_role("table")).to_be_visible()


def keys(photos: Photos) -> None:
    photos.window.keyboard.press("?")


def gone(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}?image={'0' * 26}")
    expect(photos.viewer.get_by_role("heading", level=2)).to_have_text("This photo is gone")


def access(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}?view=access")
    expect(photos.window.get_by_text("This service asks nobody for a token")).to_be_visible()


def docs(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}docs#createImage")
    expect(photos.window.locator("#createImage pre").first).to_be_attached()
    photos.window.locator("#createImage .trying > summary").click()


VIEWS = (
    grid, by_date, viewer, gone, bin_, uploads, adding, completing, bad_query, nothing_found,
    labels, jobs, subscriptions, deliveries, usage, access, keys, docs,
)  # fmt: skip


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_axe_finds_nothing(photos: Photos, watch: Any, view: Callable[[Photos], None]) -> None:
    watch.allow("400", "404")  # a query that cannot be read, a photo that is not there
    view(photos)
    photos.window.wait_for_timeout(300)  # let what fades in be there
    photos.window.evaluate(AXE.read_text())  # by the debugger, which the page's policy does not hold
    for scheme, width, rules in SHOWN:
        photos.window.emulate_media(color_scheme=scheme)
        photos.window.set_viewport_size({"width": width, "height": 800})
        assert violations(photos.window, rules) == [], f"{scheme}, {width} pixels"
        assert photos.window.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def violations(window: Page, rules: dict[str, Any]) -> list[str]:
    found = window.evaluate(RUN, rules)["violations"]
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found]
