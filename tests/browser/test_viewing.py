"""Looking closely: zoom, full screen, swipes, boxes that tell the truth; picking by clicks and touches."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Profile, Watch
from tests.browser.pages import ARROWS, Photos
from tests.local.process import Process

SCALE = "([one, wanted]) => Math.abs(one.getBoundingClientRect().width / one.offsetWidth - wanted) < 0.01"


def wait_for_scale(photos: Photos, wanted: float) -> None:
    """Wait until the photo is shown so many times as large."""
    photo = photos.viewer.locator(".stage .photo").element_handle()
    photos.window.wait_for_function(SCALE, arg=[photo, wanted])


def middle(window: Page, selector: str) -> tuple[float, float]:
    box = window.locator(selector).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_photo_is_enlarged_by_wheel_keys_and_double_click_and_dragged(photos: Photos) -> None:
    window = photos.window
    photos.view("chelsea.jpg")
    expect(photos.viewer.locator(".stage img")).to_be_visible()
    for key, wanted in (("+", 1.5), ("+", 2.25), ("-", 1.5), ("0", 1)):
        window.keyboard.press(key)
        wait_for_scale(photos, wanted)
    x, y = middle(window, ".stage")
    window.mouse.move(x, y)
    window.mouse.wheel(0, -300)
    expect(photos.viewer.locator(".stage.zoomed")).to_be_visible()
    wait_for_scale(photos, 2)
    before = photos.viewer.locator(".stage .photo").bounding_box()
    window.mouse.down()
    window.mouse.move(x + 80, y + 20)
    window.mouse.up()
    after = photos.viewer.locator(".stage .photo").bounding_box()
    assert before
    assert after
    assert round(after["x"] - before["x"]) == 80
    window.mouse.dblclick(x, y)
    wait_for_scale(photos, 1)
    window.mouse.dblclick(x, y)
    wait_for_scale(photos, 2.5)
    window.keyboard.press(ARROWS[photos.onward])
    expect(photos.viewer.get_by_role("heading", level=2)).not_to_have_text("chelsea.jpg")
    wait_for_scale(photos, 1)


def test_all_boxes_stay_on_from_photo_to_photo_and_the_button_says_so(photos: Photos) -> None:
    photos.view("chelsea.jpg")
    button = photos.viewer.get_by_role("button", name="Show all boxes")
    photos.window.keyboard.press("b")
    boxes = photos.viewer.locator(".boxes rect")
    expect(boxes).not_to_have_count(0)
    heading = photos.viewer.get_by_role("heading", level=2)
    onward = photos.onward
    photos.window.keyboard.press(ARROWS[onward])
    expect(heading).not_to_have_text("chelsea.jpg")
    expect(heading).not_to_be_empty()
    expect(button).to_have_attribute("aria-pressed", "true")
    photos.window.keyboard.press(ARROWS[-onward])
    expect(heading).to_have_text("chelsea.jpg")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(boxes).not_to_have_count(0)
    button.click()
    expect(boxes).to_have_count(0)


def test_full_screen_begins_and_ends(photos: Photos) -> None:
    photos.view("chelsea.jpg")
    button = photos.viewer.get_by_role("button", name="Full screen")
    photos.window.keyboard.press("f")
    expect(button).to_have_attribute("aria-pressed", "true")
    photos.window.keyboard.press("f")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(photos.viewer).to_be_visible()


def test_neighbours_are_fetched_before_they_are_asked_for(photos: Photos) -> None:
    asked: list[str] = []
    photos.window.on("request", lambda one: one.url.endswith("/content") and asked.append(one.url))
    photos.view("chelsea.jpg")
    expect(photos.viewer.locator(".stage img").first).to_have_attribute("src", re.compile("/content$"))
    while len(set(asked)) < 2:  # else the test's own time is up
        photos.window.wait_for_request(re.compile("/content$"))
    before = len(asked)
    photos.window.keyboard.press(ARROWS[photos.onward])
    expect(photos.viewer.locator(".stage img").first).to_have_attribute("src", re.compile("/content$"))
    shown = photos.viewer.locator(".stage img").first.get_attribute("src")
    assert shown in asked[:before]


def test_while_photos_are_picked_a_click_picks_and_enter_opens(photos: Photos) -> None:
    window = photos.window
    first, second = photos.tiles.nth(0), photos.tiles.nth(1)
    first.hover()
    first.locator(".pick").click()
    second.locator(".open").click()
    expect(window.get_by_role("region", name="Picked photos")).to_contain_text("2 photos")
    expect(photos.viewer).to_be_hidden()
    second.locator(".open").focus()
    window.keyboard.press("Enter")
    expect(photos.viewer).to_be_visible()


@pytest.fixture
def phone(browser: Browser, stack: Process, watch: Watch, tidy: None) -> Iterator[Photos]:
    """The page on a phone, which has fingers and no pointer."""
    made = Profile(browser, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    with made.watched(watch):
        page = Photos(made.window, f"http://127.0.0.1:{stack.ports[0]}/")
        page.open()
        yield page
        made.context.close()
    assert watch.faults == []


def touch(window: Page, *steps: list[tuple[float, float]]) -> None:
    """Fingers go down at the first step, move along the others and are lifted."""
    devtools = window.context.new_cdp_session(window)
    for kind, points in [("touchStart", steps[0]), *(("touchMove", one) for one in steps[1:])]:
        fingers = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_on_a_phone_one_swipes_and_pinches(phone: Photos) -> None:
    window = phone.window
    phone.tile("chelsea.jpg").first.locator(".open").tap()
    heading = phone.viewer.get_by_role("heading", level=2)
    expect(heading).to_have_text("chelsea.jpg")
    x, y = middle(window, ".stage")
    along = 100 * phone.onward
    touch(window, [(x + along, y)], [(x, y)], [(x - along, y)])
    expect(heading).not_to_have_text("chelsea.jpg")
    touch(window, [(x - along, y)], [(x, y)], [(x + along, y)])
    expect(heading).to_have_text("chelsea.jpg")
    touch(window, [(x - 20, y), (x + 20, y)], [(x - 50, y), (x + 50, y)])
    wait_for_scale(phone, 2.5)


def test_on_a_phone_there_are_no_ticks_until_one_begins_to_pick(phone: Photos) -> None:
    expect(phone.tiles.first.locator(".pick")).to_be_hidden()
    phone.window.get_by_role("button", name="Select", exact=True).tap()
    expect(phone.tiles.first.locator(".pick")).to_be_visible()
    phone.tiles.first.locator(".open").tap()
    expect(phone.window.get_by_role("region", name="Picked photos")).to_contain_text("1 photo")
    expect(phone.viewer).to_be_hidden()
    assert phone.window.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
