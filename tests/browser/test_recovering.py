"""The page recovers by itself, tells how long it waits, and agrees with what other tabs do."""

from __future__ import annotations

import re
from typing import Any

import requests
from playwright.sync_api import Route, expect

from tests.browser.pages import Photos, hand_in

LIST = re.compile(r"/images\?")
HURRY = """
const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (wait) => timeout(wait / 20);
"""


def test_the_page_recovers_by_itself_when_the_service_is_back(photos: Photos, watch: Any) -> None:
    watch.allow("503")
    photos.window.route(LIST, lambda route: route.fulfill(status=503, json={"detail": "Down for a moment."}))
    photos.window.goto(photos.url)
    expect(photos.window.locator(".note")).to_contain_text("Down for a moment.")
    photos.window.unroute_all(behavior="ignoreErrors")
    expect(photos.tiles.first).to_be_visible()


def test_waiting_is_shown_at_once_and_ends_with_a_sentence_and_a_way_to_try_again(
    own_profile: None, photos: Photos
) -> None:
    window = photos.window
    window.add_init_script(HURRY)
    held: list[Route] = []
    window.route(LIST, lambda route: held.append(route))
    window.goto(photos.url)
    expect(window.locator(".waiting .skeleton")).to_be_visible()
    expect(window.locator(".note")).to_contain_text("The service takes too long to answer.")
    window.unroute_all(behavior="ignoreErrors")
    window.locator(".note").get_by_role("button", name="Try again").click()
    expect(photos.tiles.first).to_be_visible()
    expect(window.locator(".waiting .skeleton")).to_have_count(0)
    window.route(LIST, lambda route: held.append(route))
    photos.search("cat")
    expect(window.locator(".waiting .skeleton")).to_be_visible()
    window.unroute_all(behavior="ignoreErrors")
    expect(window.locator(".waiting .skeleton")).to_have_count(0)


def test_escape_leaves_the_search_for_the_first_photo_and_keeps_what_was_typed(photos: Photos) -> None:
    window = photos.window
    window.keyboard.press("/")
    window.keyboard.type("domestic c")
    expect(window.get_by_role("option").first).to_be_visible()
    window.keyboard.press("Escape")
    expect(window.get_by_role("option")).to_have_count(0)
    field = window.get_by_role("combobox", name="Search photos")
    expect(field).to_be_focused()
    window.keyboard.press("Escape")
    expect(photos.tiles.first.locator(".open")).to_be_focused()
    expect(field).to_have_value("domestic c")
    assert window.url == photos.url


def test_two_tabs_agree_and_a_photo_that_is_gone_offers_only_to_be_closed(photos: Photos) -> None:
    (image,) = hand_in(photos.url, "in two tabs.jpg")
    photos.open()
    here = photos
    there = Photos(photos.window.context.new_page(), photos.url)
    there.open()
    there.view("in two tabs.jpg")
    here.view("in two tabs.jpg")
    here.viewer.get_by_label("Add a label").fill("Told")
    here.window.keyboard.press("Enter")
    expect(there.label("Told")).to_be_visible()
    here.viewer.get_by_role("heading", level=2).focus()
    here.window.keyboard.press("Delete")
    here.window.goto("about:blank")  # which does it at once
    expect(there.viewer.get_by_role("heading", level=2)).to_have_text("This photo is gone")
    expect(there.viewer.get_by_role("button")).to_have_count(1)
    there.viewer.get_by_role("button", name="Close").click()
    expect(there.window.locator(f"[data-id='{image}']")).to_have_count(0)


def test_what_somebody_else_adds_and_deletes_is_seen_by_itself(own_profile: None, photos: Photos) -> None:
    (image,) = hand_in(photos.url, "taken away.jpg")
    photos.window.clock.install()
    photos.open()
    tile = photos.window.locator(f"[data-id='{image}']")
    expect(tile).to_be_visible()
    requests.delete(f"{photos.url}images/{image}?permanent=true", timeout=30)
    hand_in(photos.url, "theirs.jpg")
    photos.window.clock.fast_forward(120_000)  # what is newer than a minute may not be listed yet
    expect(tile).to_have_count(0)
    expect(photos.tile("theirs.jpg")).to_contain_text("Domestic Cat")
