"""File names and labels that would be markup, script or layout are shown as the text they are."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import Photos, hand_in

HOSTILE = (
    '<img src=x onerror="document.title=1">.jpg',
    '"><script>document.title=1</script>.jpg',
    "javascript:document.title=1//.jpg",
    "{{constructor.constructor('document.title=1')()}}.jpg",
    "\u202egpj.exe \u0000".rstrip("\u0000") + "x" * 180 + ".jpg",
)


LABELS = ('<img src=x onerror="document.title=1">', 'a&b|c!(d) "e" \\f', "x" * 128)


@pytest.fixture
def photos(page: Photos) -> Photos:
    """Each test opens what it is about."""
    return page


def test_a_hostile_file_name_is_text_everywhere(photos: Photos) -> None:
    made = hand_in(photos.url, *HOSTILE)
    photos.open()
    for image, name in zip(made, HOSTILE, strict=True):
        shown = name.rpartition("/")[2]
        tile = photos.window.locator(f"[data-id='{image}']")
        expect(tile.locator(".caption span")).to_have_text(shown)
        assert photos.window.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        tile.locator(".open").click()
        expect(photos.viewer.get_by_role("heading", level=2)).to_have_text(shown)
        photos.window.keyboard.press("Delete")
        expect(tile).to_have_count(0)
        photos.window.keyboard.press("Escape")
        expect(photos.viewer).to_be_hidden()
        expect(photos.toast.last).to_contain_text("deleted")
    assert photos.window.title() == "Sightline"
    assert photos.window.locator("main script, main img[src=x]").count() == 0


def test_a_hostile_label_is_text_everywhere_and_can_be_searched_for(photos: Photos) -> None:
    hand_in(photos.url, "labelled by somebody.jpg")
    photos.open()
    for label in LABELS:
        photos.view("labelled by somebody.jpg")
        photos.viewer.get_by_label("Add a label").fill(label)
        photos.window.keyboard.press("Enter")
        link = photos.viewer.locator(".label", has_text="by a person").get_by_role("link", name=label)
        expect(link).to_be_visible()
        link.click()
        expect(photos.viewer).not_to_be_visible()
        expect(photos.tiles).to_have_count(1)
        expect(photos.tile("labelled by somebody.jpg").first).to_be_visible()
        assert photos.window.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
