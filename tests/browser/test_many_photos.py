"""Ten thousand photos: the answers are made up here, the page that shows them is the real one."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import CDPSession, Route, expect

from tests.browser.pages import Photos

MANY = 10_000
PAGE = 1000
PATIENCE_SECONDS = 90
MOST_TILES = 150  # in the document at any time
SCROLL = """async (step) => {
  for (let at = 0; at < 20; at += 1) {
    scrollBy(0, step);
    await new Promise(requestAnimationFrame);
  }
}"""
CHANGES = """async (step) => {
  let many = 0;
  const watch = new MutationObserver((changes) => (many += changes.length));
  watch.observe(document.querySelector(".grid"), { subtree: true, childList: true, attributes: true });
  scrollBy(0, step);
  for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
  return many;
}"""
SHIFTS = """() => new Promise((resolve) => {
  const told = (list) => resolve(list.getEntries().reduce((sum, one) => sum + one.value, 0));
  new PerformanceObserver(told).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 500);
})"""


class Library:
    """A service with very many photos, which answers in large pages."""

    def __init__(self, sample: dict[str, Any]) -> None:
        kept = ("status", "result", "created_at", "completed_at", "size", "content_type", "thumbnail_url")
        labels = [{**one, "instances": []} for one in sample["labels"][:2]]
        self._sample = {**{name: sample[name] for name in kept}, "labels": labels}

    def answer(self, route: Route) -> None:
        first = int(parse_qs(urlsplit(route.request.url).query).get("cursor", ["0"])[0])
        images = [self._image(at) for at in range(first, first + PAGE)]
        following = str(first + PAGE) if first + PAGE < MANY else None
        route.fulfill(json={"images": images, "next_cursor": following})

    def _image(self, at: int) -> dict[str, Any]:
        shape = {"width": 300 + 37 * at % 500, "height": 400}
        return {**self._sample, **shape, "id": f"{MANY - at:026d}", "filename": f"{at + 1}.jpg"}


@pytest.fixture
def many(page: Photos) -> Photos:
    asked = "images?limit=1&status=labelled&with=thumbnail_url"  # one picture for all
    sample = page.window.request.get(f"{page.url}{asked}").json()["images"][0]
    page.window.route(re.compile(r"/images\?"), Library(sample).answer)
    page.open()
    return page


def work(many: Photos, step: int) -> float:
    """The seconds of script and layout that twenty frames of scrolling by so many pixels took."""
    devtools = many.window.context.new_cdp_session(many.window)
    devtools.send("Performance.enable")
    before = _spent(devtools)
    many.window.evaluate(SCROLL, step)
    return _spent(devtools) - before


def _spent(devtools: CDPSession) -> float:
    metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"] + metrics["LayoutDuration"] + metrics["RecalcStyleDuration"])


def test_it_stays_quick_as_only_those_near_the_window_are_in_the_document(many: Photos) -> None:
    at_first = work(many, 500)
    last = many.tile(f"{MANY}.jpg")
    end = time.monotonic() + PATIENCE_SECONDS
    while not last.count() and time.monotonic() < end:
        many.window.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        many.window.wait_for_timeout(50)
        assert many.tiles.count() <= MOST_TILES
    expect(last).to_have_attribute("aria-posinset", str(MANY))
    at_last = work(many, -500)
    assert at_last < 3 * at_first + 1
    assert many.tiles.count() <= MOST_TILES


def test_the_keyboard_goes_through_them_and_the_focus_is_never_lost(many: Photos) -> None:
    window = many.window
    many.tiles.first.locator(".open").focus()
    for key in ["ArrowRight"] * 3 + ["ArrowDown"] * 12 + ["ArrowLeft", "ArrowUp"]:
        window.keyboard.press(key)
    focused = window.locator(".tile:focus-within")
    expect(focused).to_be_in_viewport()
    place = int(str(focused.get_attribute("aria-posinset")))
    assert place > 30
    window.evaluate("() => scrollTo(0, 0)")
    window.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("aria-posinset", str(place + 1))
    expect(focused).to_be_in_viewport()
    window.keyboard.press("Home")
    expect(focused).to_have_attribute("aria-posinset", "1")


def test_pictures_do_not_move_what_is_there_already(many: Photos) -> None:
    assert many.window.evaluate(SHIFTS) < 0.05


def test_a_little_scrolling_changes_nothing_in_the_document(many: Photos) -> None:
    window = many.window
    window.evaluate("() => scrollTo(0, 3000)")
    expect(window.locator(".tile[aria-posinset='40']")).to_be_attached()
    expect(window.locator(".tile .photo:not(:has(img.there))")).to_have_count(0)
    assert window.evaluate(CHANGES, 5) == 0
    assert window.evaluate(CHANGES, 500) > 0


def test_all_are_counted_as_soon_as_there_is_more_than_the_first_page(many: Photos) -> None:
    months = {"months": [{"month": "2019-05", "count": MANY - 50}], "undated": 50}
    many.window.route("**/months", lambda route: route.fulfill(json=months))
    many.open()
    expect(many.window.locator(".results .number")).to_have_text(f"About {MANY:,} photos")
