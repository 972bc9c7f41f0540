"""What a photo says: its caption, which a person may write, and the lines that were read on it."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Route, expect

from tests.browser.pages import Photos, hand_in

LINE = {
    "id": 0,
    "parent_id": None,
    "type": "line",
    "text": "TOTAL EUR 12",
    "confidence": 99,
    "box": {"left": 0.1, "top": 0.1, "width": 0.5, "height": 0.1},
    "polygon": [],
}


def test_a_caption_is_written_found_by_its_words_and_taken_back(page: Photos) -> None:
    (image,) = hand_in(page.url, "minka at home.jpg")
    window, caption = page.window, page.viewer.get_by_role("region", name="Caption")
    window.goto(f"{page.url}?image={image}")
    caption.get_by_role("button", name="Edit the caption").click()
    caption.get_by_label("Caption", exact=True).fill("Minka enjoys the Sömmerdaer Sonne.")
    caption.get_by_label("Alternative text").fill("A cat in the sun")
    window.keyboard.press("Enter")
    expect(caption.locator(".said")).to_have_text("Minka enjoys the Sömmerdaer Sonne. (by a person)")
    expect(caption).to_contain_text("For those who cannot see it: A cat in the sun")
    page.open("?q=text:sommerdaer")
    expect(page.tile("minka at home.jpg")).to_have_count(1)
    page.tile("minka at home.jpg").locator(".open").click()
    expect(page.viewer.locator(".stage img").first).to_have_attribute("alt", "A cat in the sun")
    caption.get_by_role("button", name="Edit the caption").click()
    caption.get_by_role("button", name="Take it back").click()
    expect(caption.locator(".said")).not_to_contain_text("by a person")


def test_lines_that_were_read_show_where_they_are_and_one_key_copies_them(page: Photos) -> None:
    (image,) = hand_in(page.url, "receipt.jpg")
    window = page.window

    def with_text(route: Route) -> None:
        known = route.fetch()
        lines = [LINE, {**LINE, "text": "Danke"}, {**LINE, "type": "word"}]
        body = known.json()
        for one in body.get("images", [body]):
            if one.get("id") == image:
                one["text"] = {"model_version": "3.0", "detections": lines}
        route.fulfill(response=known, body=json.dumps(body))

    window.route(re.compile(r"/images(/\w{26})?\?"), with_text)
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.goto(f"{page.url}?image={image}")
    lines = page.viewer.locator(".lines li")
    expect(lines).to_have_text(["TOTAL EUR 12", "Danke"])
    lines.first.hover()
    expect(page.viewer.locator(".boxes rect")).to_have_count(1)
    expect(page.viewer.locator(".boxes .marks")).to_contain_text("TOTAL EUR 12 99%")
    window.keyboard.press("c")
    expect(page.viewer.locator(".toast")).to_contain_text("The text was copied.")
    assert window.evaluate("navigator.clipboard.readText()") == "TOTAL EUR 12\nDanke"
    window.unroute_all(behavior="wait")
