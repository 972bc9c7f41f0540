"""The page as a person uses it: what is to be seen on it, and what can be done."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import requests
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.journeys.conftest import eventually

SAMPLES = Path(__file__).parents[2] / "photos"
CAT, ROCKET = SAMPLES / "chelsea.jpg", SAMPLES / "rocket.jpg"
ARROWS = {1: "ArrowRight", -1: "ArrowLeft"}
_PAINTED = "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"


class Photos:
    """The page of photos in a browser's window."""

    def __init__(self, window: Page, url: str) -> None:
        self.window = window
        self.url = url

    def open(self, query: str = "") -> None:
        """Open the page, and wait until the first photo is painted."""
        self.window.goto(self.url + query)
        self.window.locator(".tile img.there").first.wait_for()

    @property
    def tiles(self) -> Locator:
        return self.window.locator(".tile")

    def tile(self, name: str) -> Locator:
        """The tiles of photos with a file name, newest first."""
        return self.tiles.filter(has=self.window.locator(".caption span", has_text=name))

    @property
    def tray(self) -> Locator:
        return self.window.get_by_role("region", name="Uploads")

    @property
    def uploads(self) -> Locator:
        """The rows of the tray that are near its window."""
        return self.window.locator(".tray li")

    def names_of_uploads(self) -> set[str]:
        """The names of all rows of the tray, which are there as it is scrolled."""
        names: set[str] = set()
        rows = self.window.locator(".tray .window")
        for top in range(0, int(rows.evaluate("(one) => one.scrollHeight")) + 1, 300):
            rows.evaluate("(one, top) => one.scrollTo(0, top)", top)
            self.window.evaluate(_PAINTED)
            names.update(self.uploads.locator(".name").all_text_contents())
        return names

    @property
    def viewer(self) -> Locator:
        return self.window.locator("dialog.viewer")

    @property
    def toast(self) -> Locator:
        return self.window.locator("body > .toasts .toast, dialog[open] .toast")

    def add(self, *files: Path | FilePayload) -> None:
        """Choose files in the dialog."""
        self.window.get_by_role("button", name="Add photos").first.click()
        chosen = [file(one.name, fresh(one)) if isinstance(one, Path) else one for one in files]
        self.window.set_input_files("#files", chosen)
        self.window.evaluate(_PAINTED)

    def wait_for_uploads(self) -> None:
        """Wait until everything that was added is labelled or turned down."""
        expect(self.window.locator(".tray")).to_have_attribute("data-open", "0", timeout=60_000)

    def search(self, query: str) -> None:
        self.window.get_by_role("combobox", name="Search photos").fill(query)
        self.window.keyboard.press("Enter")

    def view(self, name: str) -> Locator:
        """Open the newest photo with a file name."""
        self.tile(name).first.locator(".open").click()
        expect(self.viewer.get_by_role("heading", level=2)).to_have_text(name)
        return self.viewer

    @property
    def onward(self) -> int:
        """The way to a neighbour of the photo that is viewed: 1 is next, -1 previous.

        The samples arrive side by side, so any of them may be the first or the last.
        """
        steps = self.viewer.locator(".step:visible")
        expect(steps).not_to_have_count(0)
        return 1 if self.viewer.locator(".step.right").is_visible() else -1

    def label(self, name: str) -> Locator:
        """A label's row in the viewer."""
        return self.viewer.locator(".label", has=self.window.get_by_role("link", name=name, exact=True))


def fresh(path: Path = CAT) -> bytes:
    """The photo as bytes that are not in any library yet."""
    return path.read_bytes() + os.urandom(8)


def found(url: str, query: str) -> list[str]:
    """The ids of the newest images that a query finds."""
    answer = requests.get(f"{url}images", params={"q": query or None, "limit": 50}, timeout=30)
    return [one["id"] for one in answer.json()["images"]]


def hand_in(url: str, *filenames: str) -> list[str]:
    """Have photos of these names labelled, one after the other; their ids."""
    made: list[str] = []
    for name in filenames:
        body = {"content": base64.b64encode(CAT.read_bytes()).decode(), "filename": name}
        answer = requests.post(f"{url}images", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
    for image in made:
        requests.get(f"{url}images/{image}?wait=20", timeout=30)
    eventually(lambda: set(made) <= set(found(url, "")))  # lists may be a second behind
    return made


def wait_for_labels(url: str, many: int) -> None:
    """Wait until so many photos are labelled: a stack is up before its first photos are."""
    labelled = f"{url}images?status=labelled&limit=200"
    eventually(lambda: len(requests.get(labelled, timeout=30).json()["images"]) >= many, 120)


def file(name: str, content: bytes, kind: str = "image/jpeg") -> FilePayload:
    """A file that is not on the disk."""
    return {"name": name, "mimeType": kind, "buffer": content}
