"""Finding photos: completion, chips, errors with their place, addresses to share and to go back to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Route, expect

from tests.browser.pages import Photos

FIRST_VIEW_MS = 1000
PAINTED = "() => Math.max(...performance.getEntriesByType('paint').map((one) => one.startTime))"


def test_the_first_view_is_there_within_a_second(photos: Photos) -> None:
    painted = []
    for _ in range(3):  # the machine may be busy with something else for once
        photos.open()  # again: the files are kept by now, as they are for anybody who comes back
        painted.append(photos.window.evaluate(PAINTED))
    assert min(painted) < FIRST_VIEW_MS


def test_names_are_completed_by_keyboard_within_a_longer_query(photos: Photos) -> None:
    window = photos.window
    window.keyboard.press("/")
    window.keyboard.type("!rocket & domestic c")
    expect(window.get_by_role("option", name="domestic cat")).to_be_visible()
    window.keyboard.press("ArrowDown")
    field = window.get_by_role("combobox", name="Search photos")
    expect(field).to_have_attribute("aria-activedescendant", "completion-0")
    window.keyboard.press("Enter")
    expect(field).to_have_value("!rocket & domestic cat")
    window.keyboard.press("Enter")
    expect(window).to_have_url(re.compile(r"\?q=%21rocket\+%26\+domestic\+cat$"))
    expect(photos.tile("rocket.jpg")).to_have_count(0)
    expect(photos.tile("chelsea.jpg").first).to_be_visible()


def test_a_query_that_breaks_off_shows_where_and_what_was_expected(photos: Photos, watch: Any) -> None:
    watch.allow("400")
    photos.search("cat & & dog")
    alert = photos.window.locator("#query-error")
    expect(alert.locator("mark")).to_have_text("&")
    expect(alert).to_contain_text("At character 7, expected a label's name")
    field = photos.window.get_by_role("combobox", name="Search photos")
    expect(field).to_have_attribute("aria-invalid", "true")
    photos.search("cat & dog")
    expect(alert).to_be_hidden()


def test_what_is_being_typed_stays_while_a_photo_is_looked_at(photos: Photos) -> None:
    field = photos.window.get_by_role("combobox", name="Search photos")
    field.fill("whisk")
    photos.view("chelsea.jpg")
    photos.window.keyboard.press("Escape")
    expect(photos.viewer).to_be_hidden()
    expect(photos.window).not_to_have_url(re.compile("image="))
    expect(field).to_have_value("whisk")


def test_chips_narrow_the_search_and_widen_it_again_and_back_goes_back(photos: Photos) -> None:
    window = photos.window
    chips = window.get_by_role("group", name="Frequent labels")
    chips.get_by_role("button", name=re.compile("^coffee")).click()
    expect(photos.tile("rocket.jpg")).to_have_count(0)
    expect(photos.tile("coffee.jpg").first).to_be_visible()
    pressed = chips.get_by_role("button", name=re.compile("^coffee"))
    expect(pressed).to_have_attribute("aria-pressed", "true")
    photos.view("coffee.jpg")
    window.go_back()
    expect(photos.viewer).to_be_hidden()
    expect(photos.tile("rocket.jpg")).to_have_count(0)
    pressed.click()
    expect(photos.tile("rocket.jpg").first).to_be_visible()
    window.go_back()
    expect(window).to_have_url(re.compile(r"\?q=coffee$"))
    expect(photos.tile("rocket.jpg")).to_have_count(0)


def test_an_address_opens_the_photo_and_arrows_go_on_from_there(photos: Photos) -> None:
    window = photos.window
    photos.open("?q=coffee+%7C+cat+%7C+rocket")
    first, second = (photos.tiles.nth(at).get_attribute("data-id") for at in (0, 1))
    window.goto(f"{photos.url}?q=coffee+%7C+cat+%7C+rocket&image={first}")
    expect(photos.viewer).to_be_visible()
    expect(photos.tiles.nth(1)).to_be_attached()
    window.keyboard.press("ArrowRight")
    expect(window).to_have_url(re.compile(f"&image={second}$"))
    window.keyboard.press("ArrowLeft")
    expect(window).to_have_url(re.compile(f"&image={first}$"))
    window.keyboard.press("Escape")
    expect(window.locator(f"[data-id='{first}'] .open")).to_be_focused()


def test_a_sidecar_is_taken_along_in_three_kinds(photos: Photos) -> None:
    viewer = photos.view("coffee.jpg")
    held = {"JSON": '"filename": "coffee.jpg"', "XML": 'filename="coffee.jpg"', "XMP": "<dc:subject>"}
    for kind, name in held.items():
        with photos.window.expect_download() as download:
            viewer.get_by_role("button", name=f"Sidecar as {kind}").click()
        assert name in download.value.path().read_text()


def test_a_library_without_photos_teaches_the_first_step(photos: Photos) -> None:
    def empty(route: Route) -> None:
        route.fulfill(json={"images": [], "next_cursor": None})

    photos.window.route(re.compile(r"/images\?"), empty)
    photos.window.goto(photos.url)
    expect(photos.window.get_by_role("heading", name="Add your first photo")).to_be_visible()
    photos.window.locator(".note").get_by_role("button", name="Add photos").click()
    expect(photos.window.get_by_role("heading", name="Add photos")).to_be_visible()


def options(photos: Photos, typed: str, has: str) -> list[str]:
    """What is offered for a search that is typed, once that has something."""
    field = photos.window.get_by_role("combobox", name="Search photos")
    field.fill("")
    field.press_sequentially(typed)
    offered = photos.window.get_by_role("option")
    expect(offered.filter(has_text=has).first).to_be_visible()
    return [one.strip() for one in offered.all_text_contents()]


def test_labels_are_offered_by_any_of_their_words_and_signs_fields_and_values_too(photos: Photos) -> None:
    assert options(photos, "vess", "drinking vessel")
    assert options(photos, "rocket ", "and not") == ["& and", "| or", "& !and not"]
    assert "status:by state" in options(photos, "rocket & stat", "by state")
    assert options(photos, "status:", "failed")
    assert options(photos, "after:", "today")[0].endswith("today")
    photos.window.keyboard.press("ArrowDown")
    photos.window.keyboard.press("Enter")
    photos.window.keyboard.press("Enter")
    expect(photos.tile("chelsea.jpg").first).to_be_visible()
    assert re.search(r"q=after%3A\d{4}-\d\d-\d\d$", photos.window.url)


def test_where_nothing_is_found_it_says_what_was_perhaps_meant_and_what_each_part_finds(
    photos: Photos,
) -> None:
    photos.search("domestc cat & rocket")
    perhaps = photos.window.locator(".perhaps")
    expect(perhaps).to_contain_text("domestc cat: none")
    expect(perhaps.get_by_role("link", name=re.compile("^rocket: "))).to_be_visible()
    expect(perhaps.get_by_role("link", name="domestic cat & rocket")).to_be_visible()
    photos.search("domestc cat")
    perhaps.get_by_role("link", name="domestic cat", exact=True).click()
    expect(photos.tile("chelsea.jpg").first).to_be_visible()


def test_all_that_is_found_is_counted_and_picked_by_its_query_loaded_or_not(
    photos: Photos, watch: Any
) -> None:
    watch.allow("ERR_FAILED", "400")  # what is called off here
    photos.search("rocket")
    number = photos.window.locator(".results .number")
    expect(number).to_have_text(re.compile(r"^\d+ photos?$"))
    images = photos.window.request.get(f"{photos.url}images?q=rocket").json()["images"]

    def first_page(route: Route) -> None:
        route.fulfill(json={"images": images, "next_cursor": "more"})

    photos.window.route(re.compile(r"/images\?q=animal"), first_page)
    photos.window.route(re.compile("cursor="), lambda route: None)
    photos.search("animal | rocket")
    expect(number).to_have_text(re.compile(r"^More than \d+ photos?$"))
    photos.window.get_by_role("button", name="Select all found").click()
    bar = photos.window.get_by_role("region", name="Picked photos")
    expect(bar).to_contain_text("All: More than")
    asked: list[dict[str, object]] = []

    def started(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.abort()

    photos.window.route("**/images/labels", started)
    bar.get_by_role("combobox").fill("Everywhere")
    photos.window.keyboard.press("Enter")
    expect(photos.toast).to_be_visible()
    assert asked == [{"q": "animal | rocket", "add": ["Everywhere"]}]
    photos.window.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("animals without rockets", "animal & !rocket"),
        ("coffee or missiles", "coffee | missile"),
        ("coffee dining tables", "coffee & dining table"),
        ("cats, -coffee", "cat & !coffee"),
        ("people", "person"),
        ("dining table", "dining table"),
        ("!cat & coffee", "!cat & coffee"),
    ],
)
def test_plain_words_mean_what_people_mean(photos: Photos, typed: str, asked: str) -> None:
    photos.search(typed)
    expect(photos.window).to_have_url(re.compile(f"[?]q={re.escape(quote_plus(asked))}$"))
    expect(photos.window.get_by_role("combobox", name="Search photos")).to_have_value(asked)
    expect(photos.tiles.first).to_be_visible()


def test_a_rare_search_pauses_after_many_empty_pages_and_goes_on_when_asked(photos: Photos) -> None:
    one = photos.window.request.get(f"{photos.url}images?limit=1").json()["images"][0]
    asked: list[str] = []

    def nothing(route: Route) -> None:
        asked.append(route.request.url)
        found = [one] if len(asked) > 20 else []
        route.fulfill(json={"images": found, "next_cursor": None if found else str(len(asked))})

    photos.window.route(re.compile(r"/images\?q="), nothing)
    photos.search("named:rare")
    note = photos.window.locator(".note")
    expect(note).to_contain_text("Many photos were looked through, and none is like that so far.")
    expect(photos.window.locator(".waiting .skeleton")).to_have_count(0)
    assert len(asked) == 20
    note.get_by_role("button", name="Search on").click()
    expect(photos.tiles).to_have_count(1)
