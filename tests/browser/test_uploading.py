"""Handing photos in: what is refused before it is sent, called off, tried again, dropped, pasted, fetched."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.pages import CAT, SAMPLES, Photos, file

GIVE = """([kind, name, text]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  document.body.dispatchEvent(kind === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
}"""


def is_form(route: Route) -> bool:
    return "multipart/form-data" in route.request.headers.get("content-type", "")


def test_what_is_no_photo_is_refused_before_anything_is_sent(photos: Photos) -> None:
    sent: list[str] = []
    photos.window.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    photos.add(file("notes.jpg", b"Dear diary"), file("empty.jpg", b""))
    expect(photos.uploads.filter(has_text="notes.jpg")).to_contain_text("This is no photo")
    expect(photos.uploads.filter(has_text="empty.jpg")).to_contain_text("The file is empty.")
    assert sent == []


def test_an_upload_can_be_called_off_and_tried_again(photos: Photos) -> None:
    photos.window.route("http://127.0.0.1:*/**", lambda route: None if is_form(route) else route.fallback())
    photos.add(file("later.jpg", CAT.read_bytes()))
    row = photos.uploads.filter(has_text="later.jpg")
    expect(row).to_contain_text("Uploading")
    expect(photos.tile("later.jpg")).to_contain_text("Uploading")
    with photos.window.expect_response(lambda one: one.request.method == "DELETE"):  # it was announced
        row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("Cancelled.")
    expect(photos.tile("later.jpg")).to_have_count(0)

    photos.window.unroute_all(behavior="ignoreErrors")
    row.get_by_role("button", name="again").click()
    photos.wait_for_uploads()
    expect(photos.tile("later.jpg")).to_contain_text("Domestic Cat")


def test_a_connection_that_breaks_off_is_said_and_leaves_nothing_behind(photos: Photos, watch: Any) -> None:
    watch.allow("ERR_FAILED")
    photos.window.route(
        "http://127.0.0.1:*/**", lambda route: route.abort() if is_form(route) else route.fallback()
    )
    photos.add(file("lost.jpg", CAT.read_bytes()))
    row = photos.uploads.filter(has_text="lost.jpg")
    expect(row).to_contain_text("The connection broke off.")
    expect(photos.tile("lost.jpg")).to_have_count(0)
    expect(row.get_by_role("button", name="again")).to_be_visible()


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_photos_may_be_dropped_and_pasted_anywhere(photos: Photos, kind: str) -> None:
    photos.window.evaluate(GIVE, [kind, f"{kind}.jpg", base64.b64encode(CAT.read_bytes()).decode()])
    expect(photos.tile(f"{kind}.jpg")).to_contain_text("Domestic Cat")


@pytest.fixture
def photo_url() -> Iterator[str]:
    """A photo on somebody's web server."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(SAMPLES))

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/coffee.jpg"
        server.shutdown()
        thread.join()


def test_a_photo_may_be_fetched_from_the_web_and_a_refusal_is_said(
    photos: Photos, photo_url: str, watch: Any
) -> None:
    watch.allow("422")
    before = photos.tile("coffee.jpg").count()
    for url in (photo_url, "http://127.0.0.1:1/nothing.jpg"):
        photos.window.get_by_role("button", name="Add photos").first.click()
        photos.window.get_by_label("Or fetch one from the web").fill(url)
        photos.window.get_by_role("button", name="Fetch").click()
    expect(photos.tile("coffee.jpg")).to_have_count(before + 1)
    expect(photos.uploads.filter(has_text="nothing.jpg").locator(".state")).not_to_be_empty()
    photos.wait_for_uploads()
    expect(photos.uploads.filter(has_text="coffee.jpg")).to_contain_text("Labelled")


def test_photos_of_somebody_else_show_up_by_themselves(photos: Photos, stack: Any) -> None:
    import requests

    content = base64.b64encode(CAT.read_bytes()).decode()
    answer = requests.post(
        f"{photos.url}images", json={"content": content, "filename": "theirs.jpg"}, timeout=10
    )
    assert answer.status_code == 201
    expect(photos.tile("theirs.jpg")).to_contain_text("Domestic Cat", timeout=20_000)
