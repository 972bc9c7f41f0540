"""The page as a static site at an origin of its own, with the service at another, which wants a token."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from infra import static_page
from tests.browser.conftest import Watch
from tests.browser.pages import Photos, file, fresh
from tests.local.process import Process


@pytest.fixture
def watch(site: tuple[Path, str], guarded: Process) -> Watch:
    hosts = (site[1].removeprefix("http://"), *(f"127.0.0.1:{port}" for port in guarded.ports[:2]))
    return Watch(frozenset(hosts), allowed=("401",))


def test_the_static_page_shows_uploads_and_describes(
    window: Page, site: tuple[Path, str], guarded: Process, token: str
) -> None:
    into, origin = site
    api, bucket = (f"http://127.0.0.1:{port}" for port in guarded.ports[:2])
    assert static_page.main(["--api", api, "--bucket-origin", bucket, "--into", str(into)]) == 0
    photos = Photos(window, f"{origin}/")
    window.goto(photos.url)
    dialog = window.get_by_role("dialog")
    dialog.get_by_label("Token", exact=True).fill(token)
    dialog.get_by_role("button", name="Go on").click()
    expect(photos.tiles.locator("img.there").first).to_be_visible()

    before = photos.tiles.count()
    photos.add(file("elsewhere.jpg", fresh()))
    photos.wait_for_uploads()
    expect(photos.tiles).to_have_count(before + 1)
    expect(photos.view("elsewhere.jpg").get_by_role("link", name="Cat", exact=True)).to_be_visible()

    window.goto(f"{origin}/")
    window.get_by_role("link", name="API").click()
    expect(window.get_by_role("heading", level=1)).to_contain_text("Sightline")
    window.locator("nav.contents a").first.click()
    assert window.url.startswith(f"{origin}/docs.html#")
