"""Nothing moves the person: Back comes back to where one was, and what happens by itself leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.browser.pages import ARROWS, Photos, file, fresh, hand_in

MANY = 240
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def steps(window: Page) -> int:
    length: int = window.evaluate("() => history.length")
    return length


@pytest.fixture
def long_list(page: Photos) -> Photos:
    """A list of many pages of made-up photos, of which any search finds all."""
    asked = "images?limit=1&status=labelled&with=thumbnail_url"  # one picture for all
    sample = page.window.request.get(f"{page.url}{asked}").json()["images"][0]

    def image(at: int) -> dict[str, Any]:
        place = f"01M{DIGITS[at // 32]}{DIGITS[at % 32]}".ljust(26, "0")
        return {**sample, "id": place, "filename": f"{at}.jpg"}

    def listed(route: Route) -> None:
        cursor = re.search(r"cursor=(\d+)", route.request.url)
        first = int(cursor[1]) if cursor else 0
        images = [image(MANY - 1 - at) for at in range(first, first + 60)]
        route.fulfill(json={"images": images, "next_cursor": str(first + 60) if first + 60 < MANY else None})

    page.window.route(re.compile(r"/images\?"), listed)
    page.window.route(re.compile(r"/images/01M\w+0000(\?|$)"), lambda route: route.fulfill(json=sample))
    page.open()
    return page


def test_back_comes_back_to_the_search_and_to_how_far_one_had_scrolled(long_list: Photos) -> None:
    window = long_list.window
    window.evaluate("() => scrollTo(0, 3000)")
    expect(window.locator(".tile[aria-posinset='61']")).to_be_attached()
    window.evaluate("() => scrollTo(0, 3000)")
    seen = window.locator(".tile").evaluate_all(
        "(all) => all.find((one) => one.getBoundingClientRect().top > 100).dataset.id"
    )
    before = window.evaluate("() => scrollY")
    long_list.search("another")
    expect(window).to_have_url(re.compile("q=another"))
    expect(window.locator(".tile[aria-posinset='1']")).to_be_in_viewport()
    window.go_back()
    expect(window.locator(f"[data-id='{seen}']")).to_be_in_viewport()
    assert abs(window.evaluate("() => scrollY") - before) < 5


def test_what_comes_in_while_one_reads_pushes_nothing_away(long_list: Photos) -> None:
    window = long_list.window
    window.evaluate("() => scrollTo(0, 1500)")
    tile = window.locator(".tile").filter(visible=True).nth(20)
    expect(tile).to_be_attached()
    name = tile.get_attribute("data-id")
    held = window.locator(f"[data-id='{name}']")
    top = held.bounding_box()["y"]  # type: ignore[index]
    long_list.add(*(file(f"meanwhile {at}.jpg", fresh()) for at in range(3)))
    expect(long_list.tray).to_contain_text("3 photos")
    long_list.wait_for_uploads()
    assert abs(held.bounding_box()["y"] - top) < 2  # type: ignore[index]


def test_what_is_searched_while_a_photo_is_being_left_is_found(photos: Photos) -> None:
    """The browser goes back some time after it was told to: by then the next search may have been made."""
    window = photos.window
    photos.view("chelsea.jpg")
    window.evaluate(
        """() => document.querySelector("dialog.viewer").addEventListener("close", () => {
          const input = document.querySelector("#query");
          input.value = "rocket & !cat";
          input.form.requestSubmit();
        }, { once: true })"""
    )
    window.keyboard.press("Escape")
    expect(window).to_have_url(re.compile(r"q=rocket"))
    expect(photos.tiles).to_have_count(1)
    window.wait_for_timeout(200)
    expect(window).to_have_url(re.compile(r"q=rocket"))
    expect(photos.viewer).to_be_hidden()
    window.go_back()
    expect(window).not_to_have_url(re.compile(r"q=|image="))


def test_looking_at_photos_and_closing_them_adds_one_step_at_most(photos: Photos) -> None:
    window = photos.window
    before = steps(window)
    photos.view("chelsea.jpg")
    assert window.title() == "chelsea.jpg · Sightline"
    window.keyboard.press(ARROWS[photos.onward])
    expect(photos.viewer.get_by_role("heading", level=2)).not_to_have_text("chelsea.jpg")
    window.keyboard.press("Escape")
    expect(window).to_have_url(photos.url)
    assert steps(window) <= before + 1
    assert window.title() == "Sightline"
    after = steps(window)
    for _ in range(3):
        photos.view("chelsea.jpg")
        window.keyboard.press("Escape")
        expect(window).to_have_url(photos.url)
    assert steps(window) == after


@pytest.fixture
def three(page: Photos) -> Iterator[list[str]]:
    made = hand_in(page.url, *(f"beside {at}.jpg" for at in range(3)))
    yield made
    page.window.goto("about:blank")
    for one in made:
        requests.delete(f"{page.url}images/{one}?permanent=true", timeout=30)


def test_a_photo_that_was_opened_by_its_address_knows_its_neighbours(page: Photos, three: list[str]) -> None:
    photos, window = page, page.window
    held: list[Route] = []
    mine = re.compile(r"/images\?q=filename.*with=thumbnail_url")
    window.route(mine, lambda route: held.append(route))  # the list itself does not come
    window.goto(f'{photos.url}?q=filename:"beside"&image={three[1]}')
    heading = photos.viewer.get_by_role("heading", level=2)
    expect(heading).to_have_text("beside 1.jpg")
    photos.viewer.get_by_role("button", name="Previous photo").click()
    expect(heading).to_have_text("beside 2.jpg")
    photos.viewer.get_by_role("button", name="Next photo").click()
    photos.viewer.get_by_role("button", name="Next photo").click()
    expect(heading).to_have_text("beside 0.jpg")
    expect(photos.viewer.get_by_role("button", name="Next photo")).to_be_hidden()
    window.unroute_all(behavior="ignoreErrors")
