"""A crafted address makes the page act on nothing: what it holds stays one part of a path, or is refused."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.pages import Photos, hand_in

CLIMBS = "..%2F..%2Ftokens"
READS = re.compile(r"^/(|images|labels|subscriptions|health|page/\w+/[\w.]+|images/[0-9A-Z]{26}(/\w+)?)$")
KEYS = ("Delete", "r", "b", "ArrowRight", "ArrowLeft", "l")


@pytest.fixture
def photos(page: Photos) -> Photos:
    """Each test opens what it is about."""
    return page


def asked(photos: Photos) -> list[tuple[str, str]]:
    """Method and path of all that the service is asked for from now on."""
    found: list[tuple[str, str]] = []
    photos.window.on("request", lambda one: found.append((one.method, urlsplit(one.url).path)))
    return found


@pytest.mark.parametrize("parameter", ["view", "q", "order", "image"])
def test_no_parameter_of_the_address_leads_to_another_route(
    photos: Photos, watch: Any, parameter: str
) -> None:
    watch.allow("400")  # a query that cannot be read
    paths = asked(photos)
    for value in (CLIMBS, "%2e%2e/", "//evil.example/", "__proto__", "01M8%00"):
        photos.window.goto(f"{photos.url}?{parameter}={value}")
        if parameter == "image":
            expect(photos.viewer.get_by_role("heading", level=2)).to_have_text("This photo is gone")
            for key in KEYS:
                photos.window.keyboard.press(key)
            expect(photos.viewer.get_by_role("button")).to_have_count(1)
            photos.window.keyboard.press("Escape")
            expect(photos.viewer).to_be_hidden()
        expect(photos.tiles.first.or_(photos.window.locator(".note h2"))).to_be_visible()
    photos.window.wait_for_load_state("networkidle")
    other = [(method, path) for method, path in paths if method != "GET" or not READS.match(path)]
    ours = [(method, path) for method, path in other if not path.startswith("/sightline-")]  # the bucket
    assert ours == []


def test_no_page_that_is_named_breaks_the_page(photos: Photos) -> None:
    for view in ("constructor", "__proto__", "toString", "%", "%FF", "", "x&view=labels"):
        photos.window.goto(f"{photos.url}?view={view}&sort=%27&until=x#%E0%A4%A")
        expect(photos.tiles.first.or_(photos.window.locator(".note h2"))).to_be_visible()


def test_no_fragment_breaks_the_description(photos: Photos) -> None:
    for fragment in ("%", "%E0%A4%A", "../tokens"):
        photos.window.goto("about:blank")
        photos.window.goto(f"{photos.url}docs#{fragment}")
        expect(photos.window.locator(".operation").first).to_be_visible()


def test_a_label_stays_one_part_of_the_path_or_is_refused(photos: Photos) -> None:
    (image,) = hand_in(photos.url, "to be named.jpg")
    photos.window.goto(f"{photos.url}?image={image}")
    expect(photos.viewer.locator(".label").first).to_be_visible()
    paths = asked(photos)
    names = ("../../tokens", "a/b?c#d", "%2e%2e")
    for name in ("..", *names):
        photos.viewer.get_by_label("Add a label").fill(name)
        photos.window.keyboard.press("Enter")
        if name in names:
            expect(photos.label(name)).to_be_visible()
    expect(photos.toast.filter(has_text="A name cannot be empty or made of dots alone.")).to_be_visible()
    wanted = [("PUT", f"/images/{image}/labels/{quote(name, safe='')}") for name in names]
    assert [one for one in paths if one[0] != "GET"] == wanted
