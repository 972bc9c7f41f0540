"""The page as a static site at an origin of its own, with the service at another."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from infra import page
from tests.browser.conftest import Profile, Watch
from tests.browser.pages import CAT, Photos
from tests.local.process import Process, started, token_for


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """An empty folder, and the origin at which a plain web server shows it."""
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["none", "token"])
def service(
    folder: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Process]:
    """The service, open to pages of that origin: to anybody there, or to who has a token."""
    monkeypatch.setenv("CORS_ORIGIN", folder[1])
    with started("--auth", request.param) as process:
        yield process


def test_the_static_page_shows_uploads_and_describes(
    profile: Profile, folder: tuple[Path, str], service: Process
) -> None:
    into, origin = folder
    api, bucket = (f"http://127.0.0.1:{port}" for port in service.ports[:2])
    assert page.main(["--api", api, "--bucket-origin", bucket, "--into", str(into)]) == 0
    watch = Watch(frozenset(one.removeprefix("http://") for one in (origin, api, bucket)), allowed=("401",))
    with profile.watched(watch):
        photos = Photos(profile.window, f"{origin}/")
        photos.window.goto(photos.url)
        first, dialog = photos.tiles.locator("img.there").first, photos.window.get_by_role("dialog")
        expect(first.or_(dialog)).to_be_visible()
        if dialog.is_visible():
            dialog.get_by_label("Token", exact=True).fill(token_for(service))
            dialog.get_by_role("button", name="Go on").click()
        expect(first).to_be_visible()

        before = photos.tiles.count()
        photos.add(CAT)
        photos.wait_for_uploads()
        expect(photos.tiles).to_have_count(before + 1)
        expect(photos.view("chelsea.jpg").get_by_role("link", name="Cat", exact=True)).to_be_visible()

        photos.window.goto(f"{origin}/")
        photos.window.get_by_role("link", name="API").click()
        expect(photos.window.get_by_role("heading", level=1)).to_contain_text("Sightline")
        photos.window.locator("nav.contents a").first.click()
        assert photos.window.url.startswith(f"{origin}/docs.html#")
        profile.tidy()
    assert watch.faults == []
