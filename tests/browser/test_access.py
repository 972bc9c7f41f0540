"""A stage that asks for tokens: the page asks the person for one, keeps it for the tab, and makes others."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch
from tests.browser.pages import CAT, Photos
from tests.local.process import Process


@pytest.fixture
def watch(guarded: Process) -> Watch:
    api, aws, _ = guarded.ports
    return Watch(frozenset(f"127.0.0.1:{port}" for port in (api, aws)), allowed=("401",))


@pytest.fixture
def closed(window: Page, guarded: Process) -> Photos:
    """The page of photos, before anybody has given a token."""
    photos = Photos(window, f"http://127.0.0.1:{guarded.ports[0]}/")
    window.goto(photos.url)
    return photos


def give(window: Page, token: str) -> None:
    window.get_by_label("Token", exact=True).fill(token)
    window.get_by_role("button", name="Go on").click()


def test_a_token_is_asked_for_until_it_is_good_and_is_kept_for_the_tab_alone(
    closed: Photos, token: str
) -> None:
    window = closed.window
    expect(window.get_by_role("heading", name="This service wants a token")).to_be_visible()
    give(window, "sightline.default.nobody.nothing")
    expect(window.get_by_text("This token is not valid")).to_be_visible()
    give(window, token)
    expect(closed.tile("chelsea.jpg").first.locator("img.there")).to_be_visible()
    window.reload()
    expect(closed.tile("chelsea.jpg").first.locator("img.there")).to_be_visible()
    assert window.evaluate("() => JSON.stringify(localStorage) + document.cookie") == "{}"
    other = window.context.new_page()
    other.goto(closed.url)
    expect(other.get_by_role("heading", name="This service wants a token")).to_be_visible()


def test_a_token_that_is_forgotten_leaves_nothing_on_the_screen(closed: Photos, token: str) -> None:
    window = closed.window
    give(window, token)
    expect(closed.tiles.first).to_be_visible()
    window.get_by_role("link", name="Access").click()
    expect(window.get_by_role("button", name="Make a token")).to_be_visible()
    window.get_by_role("button", name="Forget it").click()
    expect(window.get_by_role("button", name="Make a token")).to_have_count(0)
    window.get_by_role("link", name="Photos", exact=True).click()
    expect(window.get_by_role("heading", name="This service wants a token")).to_be_visible()
    expect(closed.tiles).to_have_count(0)
    expect(window.locator(".chips button")).to_have_count(0)
    window.get_by_role("button", name="Cancel").click()
    window.go_back()
    assert window.evaluate("() => sessionStorage.length") == 0


def test_what_was_asked_with_a_token_that_is_forgotten_asks_for_no_other(closed: Photos, token: str) -> None:
    window = closed.window
    give(window, token)
    expect(closed.tiles.first).to_be_visible()
    tokens = re.compile("/tokens$")
    window.route(tokens, lambda route: None, times=1)  # its answer would be that the token is no good
    with window.expect_request(tokens):
        window.get_by_role("link", name="Access").click()
    called_off = "requestfailed"  # long before the page loses its patience
    with window.expect_event(called_off, lambda one: bool(tokens.search(one.url)), timeout=10_000):
        window.get_by_role("button", name="Forget it").click()
    expect(window.get_by_role("button", name="Give a token")).to_be_visible()
    expect(window.get_by_role("dialog")).to_have_count(0)
    window.get_by_role("button", name="Give a token").click()
    give(window, token)
    expect(window.get_by_role("button", name="Make a token")).to_be_visible()
    expect(window.get_by_role("button", name="Forget it")).to_be_visible()


def test_with_a_token_photos_are_uploaded_and_looked_at(closed: Photos, token: str) -> None:
    give(closed.window, token)
    expect(closed.tiles.first).to_be_visible()
    closed.add(CAT)
    closed.wait_for_uploads()
    photo = closed.view("chelsea.jpg").locator(".stage img")
    expect(photo).to_have_attribute("src", re.compile("^blob:"))
    assert photo.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 451


def test_tokens_are_made_shown_once_and_revoked(closed: Photos, token: str) -> None:
    window = closed.window
    give(window, token)
    window.get_by_role("link", name="Access").click()
    window.get_by_label("What it is for").fill("a phone")
    window.get_by_role("button", name="Make a token").click()
    shown = window.get_by_role("textbox", name="The token")
    expect(shown).to_have_value(re.compile(r"^sightline\.default\."))
    made = shown.input_value()
    window.get_by_role("button", name="Done").click()
    row = window.locator("li.card", has_text="a phone")
    expect(row).to_contain_text("May read, write.")
    expect(row).to_contain_text("Not used yet.")
    asked = {"Authorization": f"Bearer {made}"}
    assert window.request.get(f"{closed.url}images", headers=asked).status == 200
    row.get_by_role("button", name="Revoke").click()
    window.locator("dialog[open]").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert window.request.get(f"{closed.url}images", headers=asked).status == 401
