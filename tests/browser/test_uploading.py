"""Handing photos in: what is refused before it is sent, called off, tried again, dropped, pasted, fetched."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from playwright.sync_api import Route, expect

from tests.browser.pages import SAMPLES, Photos, file, fresh
from tests.journeys.conftest import eventually

TOO_MANY_BYTES = 63_000_000  # the local stage takes 50 MB, as any does that does not say otherwise
MORE_THAN_AT_ONCE = 130  # a browser gives a folder's entries by the hundred
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


def test_what_cannot_be_taken_is_refused_before_anything_is_sent(photos: Photos, tmp_path: Path) -> None:
    huge, wrong = tmp_path / "huge.jpg", tmp_path / "paper.jpg"
    with huge.open("wb") as one:
        one.write(fresh())
        one.truncate(TOO_MANY_BYTES)
    wrong.write_bytes(b"%PDF-1.7 and so on")
    empty = tmp_path / "empty.jpg"
    empty.touch()
    sent: list[str] = []
    photos.window.on("request", lambda request: request.method != "GET" and sent.append(request.url))
    photos.window.set_input_files("#files", [huge, wrong, empty])
    for name, why in (
        (huge.name, "The file has 63 MB; 50 MB is the most."),
        (wrong.name, "This is no photo: send JPEG, PNG,"),
        (empty.name, "The file is empty."),
    ):
        expect(photos.uploads.filter(has_text=name).locator(".state")).to_contain_text(why)
    expect(photos.window.get_by_role("heading", name="0 labelled, 3 not")).to_be_visible()
    assert sent == []
    files = photos.window.get_by_role("list", name="Files")
    fold = photos.tray.get_by_role("button", name="List the files")
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(files).to_be_hidden()
    fold.click()
    expect(files).to_be_visible()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with more photos in one of its folders than a browser reads at once, and a system's files."""
    deep = tmp_path / "trip" / "day one" / "lake"
    deep.mkdir(parents=True)
    (tmp_path / "trip" / "boat.jpg").write_bytes(fresh())
    for at in range(MORE_THAN_AT_ONCE):
        (deep / f"{at}.jpg").write_bytes(fresh())
    for name in (".DS_Store", "Thumbs.db", "._boat.jpg"):
        (deep / name).write_bytes(b"of the system")
    (deep / "diary.txt").write_bytes(b"no photo")
    return tmp_path / "trip"


def names_of(folder: Path) -> set[str]:
    """What the photos of a folder are to be called."""
    files = (one for one in folder.rglob("*.jpg") if not one.name.startswith("."))
    return {str(one.relative_to(folder.parent)) for one in files}


def drop(photos: Photos, path: Path) -> None:
    """Let the browser take a drop of what lies on the disk, as from a file manager's window."""
    devtools = photos.window.context.new_cdp_session(photos.window)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 400, "data": data})


def choose(photos: Photos, path: Path) -> None:
    photos.window.set_input_files("#folder", path)


@pytest.mark.parametrize("give", [drop, choose], ids=["dropped", "chosen"])
def test_all_photos_of_a_folder_come_however_deep_and_many(
    photos: Photos, folder: Path, give: Callable[[Photos, Path], None]
) -> None:
    held = re.compile(r"/images$")
    photos.window.route(held, lambda route: None)  # what comes is to be seen here, not to be labelled
    give(photos, folder)
    wanted = names_of(folder)
    expect(photos.tray).to_contain_text(f"0 of {len(wanted)} photos done")
    expect(photos.tray).to_contain_text("1 other file left out.")
    assert photos.names_of_uploads() == wanted
    photos.window.once("dialog", lambda dialog: dialog.dismiss())
    photos.window.close(run_before_unload=True)  # which is asked about, as much is not sent yet
    photos.window.get_by_role("button", name="Cancel all").click()
    expect(photos.tray).to_contain_text(f"0 labelled, {len(wanted)} not")
    photos.window.unroute_all(behavior="ignoreErrors")


def test_a_photo_of_a_dropped_folder_is_labelled_under_its_path(photos: Photos, tmp_path: Path) -> None:
    (tmp_path / "trip").mkdir()
    (tmp_path / "trip" / "cat by the lake.jpg").write_bytes(fresh())
    drop(photos, tmp_path / "trip")
    photos.wait_for_uploads()
    viewer = photos.view("cat by the lake.jpg")
    expect(viewer.locator("dd", has_text="trip/cat by the lake.jpg")).to_be_visible()


def test_an_upload_can_be_called_off_and_tried_again(photos: Photos) -> None:
    photos.window.route("http://127.0.0.1:*/**", lambda route: None if is_form(route) else route.fallback())
    photos.add(file("later.jpg", fresh()))
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


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_photos_may_be_dropped_and_pasted_anywhere(photos: Photos, kind: str) -> None:
    photos.window.evaluate(GIVE, [kind, f"{kind}.jpg", base64.b64encode(fresh()).decode()])
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


def named(photos: Photos, name: str) -> int:
    """How many photos have a name."""
    asked = {"q": f'filename:"{name}"'}
    return len(requests.get(f"{photos.url}images", params=asked, timeout=30).json()["images"])


@pytest.mark.parametrize(("answer", "copies"), [("Skip them", 1), ("Add copies", 2)])
def test_what_is_here_already_is_asked_about_once_for_all(photos: Photos, answer: str, copies: int) -> None:
    name = f"twice {answer}"
    twice = [file(f"{name} {at}.jpg", fresh()) for at in range(2)]
    photos.add(*twice)
    photos.wait_for_uploads()
    photos.window.get_by_role("button", name="Close the list of uploads").click()
    assert eventually(lambda: named(photos, name) == 2)
    photos.window.set_input_files("#files", [*twice, file(f"{name} new.jpg", fresh())])
    expect(photos.tray).to_contain_text("2 of 3 photos are here already.")
    expect(photos.window.locator("#spoken")).to_contain_text("2 of 3 photos are here already.")
    photos.tray.get_by_role("button", name=answer, exact=True).click()
    photos.wait_for_uploads()
    assert eventually(lambda: named(photos, name) == 1 + 2 * copies)
