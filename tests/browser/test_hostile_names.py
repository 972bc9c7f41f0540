"""File names and labels that would be markup, script or layout are shown as the text they are."""

from __future__ import annotations

import base64

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.pages import CAT, Photos
from tests.journeys.conftest import eventually

HOSTILE = (
    '<img src=x onerror="document.title=1">.jpg',
    '"><script>document.title=1</script>.jpg',
    "javascript:document.title=1//.jpg",
    "{{constructor.constructor('document.title=1')()}}.jpg",
    "\u202egpj.exe \u0000".rstrip("\u0000") + "x" * 180 + ".jpg",
)


def found(url: str, query: str) -> list[str]:
    """The ids of the newest images that a query finds."""
    answer = requests.get(f"{url}images", params={"q": query or None, "limit": 50}, timeout=30)
    return [one["id"] for one in answer.json()["images"]]


def hand_in(url: str, filename: str) -> str:
    body = {"content": base64.b64encode(CAT.read_bytes()).decode(), "filename": filename}
    answer = requests.post(f"{url}images", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    image: str = answer.json()["id"]
    requests.get(f"{url}images/{image}?wait=20", timeout=30)
    eventually(lambda: image in found(url, ""))  # lists may be a second behind
    return image


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_text_everywhere(photos: Photos, name: str) -> None:
    image = hand_in(photos.url, name)
    shown = name.rpartition("/")[2]
    photos.open()
    tile = photos.window.locator(f"[data-id='{image}']")
    expect(tile.locator(".caption span")).to_have_text(shown)
    assert photos.window.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    tile.locator(".open").click()
    expect(photos.viewer.get_by_role("heading", level=2)).to_have_text(shown)
    photos.window.keyboard.press("Delete")
    photos.window.keyboard.press("Escape")
    expect(photos.toast).to_contain_text("deleted")
    assert photos.window.title() == "Sightline"
    assert photos.window.locator("main script, main img[src=x]").count() == 0


@pytest.mark.parametrize("label", ['<img src=x onerror="document.title=1">', 'a&b|c!(d) "e" \\f', "x" * 128])
def test_a_hostile_label_is_text_everywhere_and_can_be_searched_for(photos: Photos, label: str) -> None:
    hand_in(photos.url, "labelled by somebody.jpg")
    photos.open()
    photos.view("labelled by somebody.jpg")
    photos.viewer.get_by_label("Add a label").fill(label)
    photos.window.keyboard.press("Enter")
    row = photos.viewer.locator(".label", has_text="by a person")
    expect(row.get_by_role("link")).to_have_text(label)
    row.get_by_role("link").click()
    expect(photos.viewer).not_to_be_visible()
    expect(photos.tiles).not_to_have_count(0)
    expect(photos.tile("labelled by somebody.jpg").first).to_be_visible()
    assert photos.window.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
