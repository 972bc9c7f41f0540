"""The bin: what was deleted, restored one by one or together, and erased for good, which is asked once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.pages import Photos, found, hand_in
from tests.journeys.conftest import eventually

NAMES = ("kept.jpg", "erased.jpg", "other.jpg")


def binned(url: str) -> list[str]:
    images = requests.get(f"{url}images?status=binned&limit=200", timeout=30).json()["images"]
    return [one["id"] for one in images]


@pytest.fixture
def full(page: Photos) -> Iterator[Photos]:
    """The page, with three photos in the bin and nothing else there."""
    for one in binned(page.url):
        requests.delete(f"{page.url}images/{one}?permanent=true", timeout=30)
    made = hand_in(page.url, *NAMES)
    for one in made:
        requests.delete(f"{page.url}images/{one}", timeout=30)
    eventually(lambda: sorted(binned(page.url)) == sorted(made))
    page.window.goto(f"{page.url}?view=bin")
    expect(page.window.locator(".bin li")).to_have_count(3)
    yield page
    page.window.goto("about:blank")
    for one in made:
        requests.delete(f"{page.url}images/{one}?permanent=true", timeout=30)


def test_by_keyboard_one_is_restored_and_one_is_erased_after_it_was_asked(full: Photos) -> None:
    window = full.window
    rows = window.locator(".bin li")
    expect(rows.filter(has_text="kept.jpg")).to_contain_text("30 days left")
    window.get_by_role("button", name="Restore kept.jpg").focus()
    window.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(window.locator("#spoken")).to_contain_text("kept.jpg restored.")
    expect(window.locator(".bin :focus")).to_have_count(1)
    erase = window.get_by_role("button", name="Erase erased.jpg for good")
    erase.focus()
    window.keyboard.press("Enter")
    window.keyboard.press("Escape")
    expect(erase).to_be_focused()
    expect(rows).to_have_count(2)
    window.keyboard.press("Enter")
    window.get_by_role("button", name="Erase", exact=True).press("Enter")
    expect(rows).to_have_count(1)
    window.wait_for_function("() => document.activeElement !== document.body")
    window.get_by_role("link", name="Photos", exact=True).click()
    expect(full.tile("kept.jpg").first).to_be_visible()
    expect(full.tile("erased.jpg")).to_have_count(0)


def test_the_whole_bin_is_restored_or_emptied(full: Photos) -> None:
    window = full.window
    window.get_by_role("button", name="Restore all").click()
    expect(full.toast.last).to_contain_text("3 photos restored.")
    expect(window.get_by_text("The bin is empty.")).to_be_visible()
    expect(window.get_by_role("button", name="Empty the bin")).to_be_hidden()
    (one, *_) = found(full.url, "filename:kept")
    requests.delete(f"{full.url}images/{one}", timeout=30)
    assert eventually(lambda: one in binned(full.url))
    window.reload()
    window.get_by_role("button", name="Empty the bin").click()
    window.get_by_role("button", name="Erase all").click()
    expect(full.toast.last).to_contain_text("1 photo erased.")
    assert requests.get(f"{full.url}images/{one}", timeout=30).status_code == 404


def test_a_deleted_photo_that_is_opened_by_its_address_offers_to_be_restored(full: Photos) -> None:
    one = binned(full.url)[-1]
    full.window.goto(f"{full.url}?image={one}")
    expect(full.viewer.locator(".state")).to_have_text("In the bin")
    expect(full.viewer.get_by_role("button", name=re.compile("^(Label again|Delete|Add)"))).to_have_count(0)
    full.viewer.get_by_role("button", name="Restore").click()
    expect(full.viewer.get_by_role("button", name="Label again")).to_be_visible()


def test_all_that_was_found_is_deleted_by_its_query_after_it_was_asked(full: Photos, watch: Any) -> None:
    watch.allow("400")  # the cursor is made up
    for one in binned(full.url):
        requests.post(f"{full.url}images/{one}/restore", json={}, timeout=30)
    query = "|".join(f"filename:{name}" for name in NAMES)
    assert eventually(lambda: len(found(full.url, query)) >= 3)
    images = found(full.url, query)
    page = {
        "images": [requests.get(f"{full.url}images/{images[0]}", timeout=30).json()],
        "next_cursor": "more",
    }
    full.window.route(re.compile(r"/images\?q="), lambda route: route.fulfill(json=page))  # not all is loaded
    full.window.goto(full.url)
    full.search(query)
    full.window.get_by_role("button", name="Select all found").click()
    full.window.unroute_all(behavior="ignoreErrors")
    bar = full.window.get_by_role("region", name="Picked photos")
    bar.get_by_role("button", name="Delete").click()
    full.window.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(full.toast.last).to_contain_text(f"{len(images)} photos deleted.")
    assert eventually(lambda: found(full.url, query) == [])
    expect(full.tiles).to_have_count(0)
