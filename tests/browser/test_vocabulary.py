"""Labels by one's own terms, from the page of labels. Answers are made up: others share the library."""

from __future__ import annotations

import json

from playwright.sync_api import Route, expect

from tests.browser.conftest import Watch
from tests.browser.pages import Photos

DONE = {"id": "01JD3Y7V4M8B5WZ0QX6T2K9RCA", "kind": "vocabulary", "status": "done", "request": {"q": ""}}
COUNTS = {"looked_at": 4, "changed": 3, "failed": 0, "failures": []}


def test_a_vocabulary_is_a_term_a_line_and_what_it_changed_is_told(page: Photos, watch: Watch) -> None:
    window, told = page.window, []

    def saved(route: Route) -> None:
        if route.request.method == "PUT":
            told.append(route.request.post_data_json["terms"])
            return route.fulfill(status=202, json={**DONE, **COUNTS})
        return route.fulfill(json={"terms": told[-1] if told else []})

    window.route("**/vocabulary", saved)
    window.goto(page.url)
    window.get_by_role("link", name="Labels", exact=True).click()
    section = window.get_by_role("region", name="Vocabulary")
    section.get_by_role("textbox").fill("Feline = cat\n\n Espresso = coffee ")
    section.get_by_role("button", name="Save the vocabulary").click()
    expect(page.toast.filter(has_text="The vocabulary was saved. 3 photos changed.")).to_be_visible()
    expect(section).to_contain_text("Vocabulary (2)")
    expect(section.get_by_role("textbox")).to_have_value("Feline = cat\nEspresso = coffee")
    assert told == [["Feline = cat", "Espresso = coffee"]]
    window.unroute("**/vocabulary")
    watch.allow("400")
    section.get_by_role("textbox").fill("a = b\nc = b")
    section.get_by_role("button", name="Save the vocabulary").click()
    expect(page.toast.filter(has_text="A name stands for two terms.")).to_be_visible()
    assert json.loads(window.request.get(f"{page.url}vocabulary").text()) == {"terms": []}
