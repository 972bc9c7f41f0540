"""Knowing better: labels of one photo and of many, deleting and taking it back, labelling again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.pages import Photos, hand_in
from tests.journeys.conftest import eventually

NAMES = ("first of three.jpg", "second of three.jpg", "third of three.jpg")


@pytest.fixture
def three(page: Photos) -> Iterator[Photos]:
    """The page with three photos of one's own, found by their file name."""
    made = hand_in(page.url, *NAMES)
    found = "|".join(f'filename:"{name}"' for name in NAMES)
    page.window.goto(f"{page.url}?q={requests.utils.quote(found)}")  # type: ignore[attr-defined]
    expect(page.tiles).to_have_count(3)
    yield page
    page.window.goto("about:blank")  # so that it does not ask for what is gone
    for image in made:
        requests.delete(f"{page.url}images/{image}?permanent=true", timeout=30)


def test_many_are_picked_by_keyboard_and_given_a_label_together(three: Photos) -> None:
    window = three.window
    three.tiles.nth(0).locator(".open").focus()
    window.keyboard.press("x")
    window.keyboard.press("Shift+ArrowRight")
    bar = window.get_by_role("region", name="Picked photos")
    expect(bar).to_contain_text("2 photos")
    bar.get_by_role("combobox").fill("Favourite")
    window.keyboard.press("Enter")
    expect(three.toast).to_contain_text("Favourite was added to 2 photos.")
    expect(three.tiles.filter(has_text="Favourite")).to_have_count(2)
    window.get_by_role("link", name="Jobs").click()
    expect(bar).to_be_hidden()  # where they are not to be seen
    window.go_back()
    expect(bar).to_contain_text("2 photos")
    bar.get_by_role("combobox").fill("favourite")
    bar.get_by_role("button", name="Remove label").click()
    expect(three.tiles.filter(has_text="Favourite")).to_have_count(0)
    window.keyboard.press("Escape")
    three.tiles.nth(0).locator(".open").focus()
    window.keyboard.press("Escape")
    expect(bar).to_be_hidden()


def status_of(photos: Photos, image: str | None) -> str:
    status: str = requests.get(f"{photos.url}images/{image}", timeout=30).json()["status"]
    return status


def test_what_was_deleted_is_in_the_bin_and_comes_back_when_it_is_undone(three: Photos) -> None:
    window = three.window
    images = [three.tiles.nth(at).get_attribute("data-id") for at in range(3)]
    window.keyboard.press("Control+a")
    three.tiles.nth(0).locator(".open").focus()
    window.keyboard.press("Delete")
    expect(three.tiles).to_have_count(0)
    expect(three.toast).to_contain_text("3 photos deleted.")
    assert eventually(lambda: {status_of(three, one) for one in images} == {"binned"})
    window.keyboard.press("Control+z")
    expect(three.tiles).to_have_count(3)
    assert eventually(lambda: {status_of(three, one) for one in images} == {"labelled"})


def test_what_was_deleted_is_in_the_bin_even_if_the_page_is_left_at_once(three: Photos) -> None:
    image = three.tiles.nth(0).get_attribute("data-id")
    three.tiles.nth(0).locator(".open").focus()
    three.window.keyboard.press("Delete")
    expect(three.tiles).to_have_count(2)
    three.window.goto("about:blank")
    assert eventually(lambda: status_of(three, image) == "binned")


def test_a_removed_label_comes_back_when_it_is_undone(three: Photos) -> None:
    three.view(NAMES[0])
    three.label("Domestic Cat").get_by_role("link").focus()
    three.window.keyboard.press("Delete")
    expect(three.label("Domestic Cat")).to_have_count(0)
    three.toast.get_by_role("button", name="Undo").click()
    expect(three.label("Domestic Cat")).to_be_visible()


def test_a_photo_is_labelled_again_and_keeps_what_a_person_said(three: Photos) -> None:
    three.view(NAMES[1])
    three.viewer.get_by_label("Add a label").fill("Sunday")
    three.window.keyboard.press("Enter")
    expect(three.label("Sunday")).to_be_visible()
    three.viewer.get_by_role("button", name="Label again").click()
    expect(three.viewer.locator("dd", has_text="Being labelled")).to_have_count(0)
    expect(three.label("Sunday")).to_contain_text("by a person")
    expect(three.label("Domestic Cat")).to_be_visible()
