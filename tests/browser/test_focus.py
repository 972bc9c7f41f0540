"""Only a keyboard: the focus is always somewhere sensible, and what deletes acts on what has it alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, Request, expect

from tests.browser.pages import Photos, hand_in

FOCUSED = """() => {
  const one = document.activeElement;
  return one === document.body ? "nothing" : one.getAttribute("aria-label") ?? one.textContent ?? one.tagName;
}"""


def focused(window: Page) -> str:
    """What has the focus, after what has just been done has been painted."""
    window.evaluate(
        "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
    )
    name: str = window.evaluate(FOCUSED)
    return name


def asked_to_delete(window: Page) -> list[str]:
    """The paths of all that is asked to be deleted from now on."""
    paths: list[str] = []

    def note(asked: Request) -> None:
        path = asked.url.partition("/images/")[2]
        if asked.method == "DELETE" or path == "delete":
            paths.append(path)

    window.on("request", note)
    return paths


@pytest.fixture
def two(page: Photos) -> Iterator[tuple[Photos, list[str]]]:
    """The page with two photos of one's own alone."""
    made = hand_in(page.url, "by hand 1.jpg", "by hand 2.jpg")
    page.window.goto(f'{page.url}?q=filename:"by hand"')
    expect(page.tiles).to_have_count(2)
    yield page, made
    page.window.goto("about:blank")
    for image in made:
        requests.delete(f"{page.url}images/{image}?permanent=true", timeout=30)


def test_delete_pressed_again_and_again_on_labels_removes_labels_and_never_the_photo(
    two: tuple[Photos, list[str]],
) -> None:
    photos, _ = two
    window = photos.window
    photos.view("by hand 1.jpg")
    rows = photos.viewer.locator(".label")
    expect(rows.first).to_be_visible()
    many = rows.count()
    paths = asked_to_delete(window)
    rows.first.get_by_role("link").focus()
    wanted: list[str] = []
    while (name := focused(window)) != "Add a label":
        wanted.append(f"labels/{name.replace(' ', '%20')}")
        assert window.locator(".label", has=window.locator(":focus")).count() == 1
        window.keyboard.press("Delete")
        expect(rows).to_have_count(many - len(wanted))
    for _ in range(3):
        window.keyboard.press("Delete")
    assert len(wanted) > 1
    assert [one.partition("/")[2] for one in paths] == wanted
    expect(photos.viewer.get_by_role("heading", level=2)).to_have_text("by hand 1.jpg")


def test_in_a_photo_delete_acts_on_its_name_and_nowhere_else(two: tuple[Photos, list[str]]) -> None:
    photos, _ = two
    window = photos.window
    paths = asked_to_delete(window)
    photos.view("by hand 1.jpg")
    for name in ("Show all boxes", "Label again", "Close", "Download"):
        photos.viewer.get_by_role("button", name=name).focus()
        window.keyboard.press("Delete")
    window.evaluate("() => document.activeElement.blur()")
    window.keyboard.press("Delete")
    expect(photos.toast).to_have_count(0)
    assert paths == []
    photos.viewer.get_by_role("heading", level=2).focus()
    window.keyboard.press("Delete")
    expect(photos.toast).to_contain_text("1 photo deleted.")
    photos.toast.get_by_role("button", name="Undo").click()
    expect(photos.tiles).to_have_count(2)
    assert paths == ["delete"]


def test_among_the_photos_delete_leaves_the_picked_alone_where_another_has_the_focus(
    two: tuple[Photos, list[str]],
) -> None:
    photos, (first, second) = two
    window = photos.window
    window.locator(f"[data-id='{first}'] .open").focus()
    window.keyboard.press("x")
    window.keyboard.press("ArrowLeft")
    assert focused(window).startswith("by hand 2.jpg")
    window.keyboard.press("Delete")
    expect(photos.tiles).to_have_count(1)
    assert focused(window).startswith("by hand 1.jpg")
    expect(window.locator(f"[data-id='{second}']")).to_have_count(0)
    photos.toast.get_by_role("button", name="Undo").focus()
    window.keyboard.press("Enter")
    expect(photos.tiles).to_have_count(2)
    assert focused(window).startswith("by hand 1.jpg")  # back where it came from


def test_the_whole_page_is_gone_through_by_keyboard_and_the_focus_is_never_nowhere(
    two: tuple[Photos, list[str]],
) -> None:
    photos, _ = two
    window = photos.window
    steps = (
        ("Tab", ""), ("Enter", "by hand 2.jpg"),  # to the photos
        ("x", "by hand 2.jpg"), ("Escape", "by hand 2.jpg"),
        ("Enter", "by hand 2.jpg"),  # its name in the viewer
        ("ArrowRight", "by hand 1.jpg"), ("b", "by hand 1.jpg"), ("l", "Add a label"),
        ("Escape", "by hand 1.jpg"),
        ("?", "Close"), ("Enter", "by hand 1.jpg"),
        ("/", "Search photos"), ("Escape", "by hand 2.jpg"),
        ("u", "Close"), ("Escape", "by hand 2.jpg"),
        ("Delete", "by hand 1.jpg"), ("Control+z", "by hand 1.jpg"),
        ("Control+a", "by hand 1.jpg"), ("Escape", "by hand 1.jpg"),
    )  # fmt: skip
    for key, begins in steps:
        window.keyboard.press(key)
        now = focused(window)
        assert now != "nothing", key
        assert now.startswith(begins), f"after {key}: {now}"
    for _ in range(40):  # and once around
        window.keyboard.press("Tab")
        if window.evaluate("() => document.activeElement === document.body"):
            window.keyboard.press("Tab")  # past the browser's own
        assert focused(window) != "nothing"


def test_what_goes_away_by_itself_takes_no_focus_along(two: tuple[Photos, list[str]]) -> None:
    photos, _ = two
    window = photos.window
    window.keyboard.press("Control+a")
    bar = window.get_by_role("region", name="Picked photos")
    bar.get_by_role("button", name="Pick none").focus()
    window.keyboard.press("Enter")
    expect(bar).to_be_hidden()
    assert focused(window) != "nothing"
    window.locator(".chips button").first.focus()
    window.keyboard.press("Enter")
    expect(window.locator(".chips button[aria-pressed=true]")).to_be_focused()
