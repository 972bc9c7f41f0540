"""By date taken: months as headings, a scrubber that leads to any of them, and the way back."""

from __future__ import annotations

import base64
import io
import re

import pytest
import requests
from PIL import Image
from playwright.sync_api import expect

from tests.browser.pages import CAT, Photos, found
from tests.journeys.conftest import eventually
from tests.local.process import Process

DATES = {
    "summer.jpg": "2019:06:02 12:00:00",
    "spring.jpg": "2019:05:17 10:00:00",
    "late.jpg": "2021:01:01 00:00:00",
}
DATE_TAKEN = 0x9003


def dated(taken: str) -> bytes:
    """The cat, with a date in its EXIF."""
    made = io.BytesIO()
    with Image.open(CAT) as image:
        exif = image.getexif()
        exif.get_ifd(0x8769)[DATE_TAKEN] = taken
        image.resize((120, 80)).save(made, "JPEG", exif=exif)
    return made.getvalue()


@pytest.fixture(scope="module")
def taken(stack: Process, tidy: None) -> None:
    """Three photos that were taken in other months than in the order in which they came."""
    url = f"http://127.0.0.1:{stack.ports[0]}/"
    made = []
    for name, date in DATES.items():
        body = {"content": base64.b64encode(dated(date)).decode(), "filename": name}
        made.append(requests.post(f"{url}images", json=body, timeout=30).json()["id"])
    eventually(lambda: set(made) <= set(found(url, "taken:2019..2021")))


@pytest.fixture
def album(page: Photos, taken: None) -> Photos:
    """The page of a library with photos of several months."""
    return page


def names(photos: Photos) -> list[str]:
    return photos.tiles.locator(".caption span").all_text_contents()


def test_photos_are_sorted_by_date_under_their_months_and_the_scrubber_leads_there(album: Photos) -> None:
    window = album.window
    album.open()
    window.get_by_role("button", name="By date taken").click()
    expect(window).to_have_url(re.compile("sort=taken"))
    headings = window.get_by_role("heading", level=2)
    expect(headings).to_have_text(["January 2021", "June 2019", "May 2019", "No date"])
    assert names(album)[:3] == ["late.jpg", "summer.jpg", "spring.jpg"]
    scrubber = window.get_by_role("slider", name="Jump to a month")
    scrubber.focus()
    expect(scrubber).to_have_attribute("aria-valuetext", "January 2021: 1 photo")
    window.keyboard.press("ArrowDown")
    expect(scrubber).to_have_attribute("aria-valuetext", "June 2019: 1 photo")
    expect(window).to_have_url(re.compile("sort=taken$"))  # it is on this list already
    album.search("cat & taken:2019")
    expect(headings).to_have_text(["June 2019", "May 2019"])
    window.get_by_role("button", name="By date taken").click()
    expect(headings).to_have_count(0)
    expect(album.tiles).to_have_count(2)
    assert names(album) == ["spring.jpg", "summer.jpg"]


def test_a_list_begins_at_a_month_and_goes_back_to_newer_ones(album: Photos) -> None:
    window = album.window
    album.open("?sort=taken&until=2019-05")
    assert names(album) == ["spring.jpg"]
    album.view("spring.jpg")
    window.keyboard.press("Escape")
    expect(window).to_have_url(re.compile("until=2019-05$"))
    window.get_by_role("button", name="Newer photos").click()
    expect(window.get_by_role("heading", name="January 2021")).to_be_visible()
    album.open("?sort=taken&until=undated")
    expect(album.tile("late.jpg")).to_have_count(0)
    expect(album.tile("rocket.jpg").first).to_be_visible()


def test_a_photo_that_was_opened_by_its_address_knows_its_neighbours_by_date(album: Photos) -> None:
    middle = next(one for one in found(album.url, "filename:summer"))
    album.window.goto(f"{album.url}?sort=taken&until=2019-05&image={middle}")
    heading = album.viewer.get_by_role("heading", level=2)
    expect(heading).to_have_text("summer.jpg")
    album.viewer.get_by_role("button", name="Previous photo").click()
    expect(heading).to_have_text("late.jpg")
    album.viewer.get_by_role("button", name="Next photo").click()
    album.viewer.get_by_role("button", name="Next photo").click()
    expect(heading).to_have_text("spring.jpg")
