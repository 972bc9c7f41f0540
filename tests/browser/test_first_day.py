"""A person who has read nothing: uploads, looks, finds, corrects, tells, deletes."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.pages import CAT, ROCKET, Photos, file

BROKEN = b"\xff\xd8\xff\xe0" + b"no photo at all " * 40


def test_two_photos_and_a_broken_file_are_uploaded_found_corrected_told_of_and_deleted(
    photos: Photos, receiver: Any
) -> None:
    window = photos.window

    # Somebody is to be told, and is out at first.
    receiver.status = 400
    window.get_by_role("link", name="Subscriptions").click()
    window.get_by_label("Address").fill(receiver.url)
    window.get_by_label("Only photos like").fill("cat & filename:chelsea")
    window.get_by_role("button", name="Subscribe", exact=True).click()
    expect(window.get_by_role("textbox", name="The signing secret")).to_have_value(re.compile("^whsec_"))
    window.get_by_role("button", name="Done").click()
    window.get_by_role("link", name="Photos", exact=True).click()

    # Upload.
    photos.add(CAT, ROCKET, file("broken.jpg", BROKEN))
    expect(photos.uploads).to_have_count(3)
    photos.wait_for_uploads()
    expect(photos.uploads.filter(has_text="broken.jpg")).to_contain_text("The end of the image is missing")
    expect(photos.tile("chelsea.jpg").first).to_contain_text("Domestic Cat")
    expect(photos.tile("rocket.jpg").first).to_contain_text("Missile")
    expect(photos.tile("broken.jpg").first).to_contain_text("Could not be labelled")
    window.get_by_role("button", name="Close the list of uploads").click()

    # Search with AND and NOT.
    photos.search("animal & !rocket")
    expect(photos.tile("chelsea.jpg").first).to_be_visible()
    expect(photos.tile("rocket.jpg")).to_have_count(0)
    assert "q=animal+%26+%21rocket" in window.url

    # Look at one: a box.
    photos.view("chelsea.jpg")
    photos.label("Cat").hover()
    box = photos.viewer.locator(".boxes rect")
    expect(box).to_have_count(1)
    assert box.bounding_box()["width"] > 50  # type: ignore[index]
    expect(photos.viewer.locator(".marks")).to_contain_text("Cat")

    # Tell who was out, again.
    deliveries = photos.viewer.locator(".deliveries > li", has_text="Subscription")
    expect(deliveries).to_contain_text("Parked")
    receiver.status = 204
    deliveries.get_by_role("button", name="Send again").click()
    expect(deliveries).to_contain_text("Delivered")
    assert len(receiver.got) == 2

    # Correct a label.
    window.keyboard.press("l")
    window.keyboard.type("Whiskers")
    window.keyboard.press("Enter")
    expect(photos.label("Whiskers")).to_contain_text("by a person")
    photos.label("Domestic Cat").get_by_role("button", name="Remove Domestic Cat").click()
    expect(photos.label("Domestic Cat")).to_have_count(0)
    window.keyboard.press("Escape")
    photos.search("whiskers & !domestic cat")
    expect(photos.tiles).to_have_count(1)

    # Delete it.
    photos.tiles.first.locator(".open").focus()
    with window.expect_response("**/images/delete"):
        window.keyboard.press("Delete")
    expect(photos.tiles).to_have_count(0)
    expect(photos.toast.last).to_contain_text("1 photo deleted.")
    window.get_by_role("link", name="Bin").click()
    expect(window.get_by_role("list", name="Deleted photos")).to_contain_text("30 days left")
    window.go_back()
    expect(window.get_by_role("heading", name="No photo is like that.")).to_be_visible()
