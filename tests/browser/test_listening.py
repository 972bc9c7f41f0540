"""Only ears: what live regions say while the page is used, which is sums, and not too often."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.pages import Photos, file, fresh
from tests.journeys.conftest import eventually

HEARD = """
window.heard = [];
new MutationObserver((changes) => {
  for (const { target } of changes) {
    const spoken = (target.nodeType === 1 ? target : target.parentElement)?.closest("#spoken, .spoken");
    if (spoken?.textContent) window.heard.push([performance.now(), spoken.textContent]);
  }
}).observe(document.body, { childList: true, subtree: true, characterData: true });
"""
SEVERAL = 6


@pytest.fixture
def ears(photos: Photos) -> Photos:
    photos.window.evaluate(HEARD)
    return photos


def heard(photos: Photos) -> list[str]:
    said: list[str] = photos.window.evaluate("() => window.heard.map(([, text]) => text)")
    return said


def said(photos: Photos, pattern: str) -> bool:
    return bool(eventually(lambda: any(re.search(pattern, one) for one in heard(photos))))


def test_a_search_that_is_over_says_what_it_found_and_a_photo_what_it_shows(ears: Photos) -> None:
    ears.search("domestic cat")
    assert said(ears, r"\d+ photos? found\.")
    ears.view("chelsea.jpg")
    assert said(ears, r"chelsea\.jpg: Domestic Cat")
    ears.window.keyboard.press("Escape")
    ears.search("no such label at all")
    assert said(ears, r"^0 photos found\.$|Nothing")


def test_what_is_picked_is_said(ears: Photos) -> None:
    ears.tiles.nth(0).locator(".open").focus()
    ears.window.keyboard.press("x")
    ears.window.keyboard.press("Shift+ArrowRight")
    assert said(ears, r"2 photos picked\.")
    ears.window.keyboard.press("Escape")
    assert said(ears, r"Nothing is picked\.")


def test_uploads_are_told_as_sums_every_few_seconds_at_most(ears: Photos) -> None:
    ears.add(*(file(f"heard {at}.jpg", fresh()) for at in range(SEVERAL)), file("bad.jpg", b"bad"))
    ears.wait_for_uploads()
    assert said(ears, rf"{SEVERAL} labelled, 1 not\.")
    times = ears.window.evaluate("() => window.heard.map(([when]) => when)")
    assert all(later - earlier > 2000 for earlier, later in itertools.pairwise(times))
    assert not [one for one in heard(ears) if "heard 3.jpg" in one]
    assert all(re.match(r"\d+ ", one) for one in heard(ears) if "labelled" in one or "done" in one)


def test_a_single_upload_is_told_by_its_name(ears: Photos) -> None:
    ears.add(file(f"alone {time.time_ns()}.jpg", fresh()))
    ears.wait_for_uploads()
    assert said(ears, r"alone \d+\.jpg: Labelled\.")
    expect(ears.tray).to_contain_text("1 photo labelled")
