"""Every view, in light and dark, at a desk and on a phone: axe-core finds nothing serious."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import CAT, Photos, file

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"


def grid(photos: Photos) -> None:
    photos.tiles.first.locator(".pick").click(force=True)


def viewer(photos: Photos) -> None:
    photos.view("chelsea.jpg")
    photos.label("Cat").hover()
    expect(photos.viewer.locator(".deliveries > li").first).to_be_visible()


def uploads(photos: Photos) -> None:
    photos.add(file("notes.jpg", b"no photo"), CAT)
    expect(photos.uploads).to_have_count(2)
    photos.wait_for_uploads()


def adding(photos: Photos) -> None:
    photos.window.get_by_role("button", name="Add photos").first.click()


def completing(photos: Photos) -> None:
    photos.window.keyboard.press("/")
    photos.window.keyboard.type("ca")
    photos.window.keyboard.press("ArrowDown")
    expect(photos.window.get_by_role("option").first).to_be_visible()


def bad_query(photos: Photos) -> None:
    photos.search("cat & & dog")
    expect(photos.window.get_by_role("alert").first).to_be_visible()


def nothing_found(photos: Photos) -> None:
    photos.search("nowhere to be seen")


def subscriptions(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}?view=subscriptions")
    expect(photos.window.get_by_role("heading", name="Subscriptions")).to_be_visible()


def access(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}?view=access")
    expect(photos.window.get_by_text("This service asks nobody for a token")).to_be_visible()


def docs(photos: Photos) -> None:
    photos.window.goto(f"{photos.url}docs#createImage")
    expect(photos.window.locator("#createImage pre").first).to_be_attached()


VIEWS = (grid, viewer, uploads, adding, completing, bad_query, nothing_found, subscriptions, access, docs)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_axe_finds_nothing_serious(photos: Photos, watch: Any, view: Callable[[Photos], None]) -> None:
    watch.allow("400")  # a query that cannot be read
    view(photos)
    photos.window.wait_for_timeout(300)  # let what fades in be there
    for scheme in ("light", "dark"):
        photos.window.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (1280, 360):
            photos.window.set_viewport_size({"width": width, "height": 800})
            assert serious(photos.window) == [], f"{scheme}, {width} pixels"
            assert photos.window.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def serious(window: Page) -> list[str]:
    window.evaluate(AXE.read_text())  # by the debugger, which the page's policy does not hold
    found = window.evaluate(RUN)["violations"]
    return [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
