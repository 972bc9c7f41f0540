"""``python -m tests.browser.screenshots``: the pictures in the documentation, taken of the real service."""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser import chromium
from tests.browser.pages import SAMPLES, Photos, wait_for_labels
from tests.local.process import started

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 800}
CROPS = {  # fractions of the sample photos: left, top, right, bottom
    "eye.jpg": ("chelsea.jpg", (0.25, 0.1, 0.75, 1)),
    "launch pad.jpg": ("rocket.jpg", (0.3, 0, 0.7, 1)),
    "breakfast.jpg": ("coffee.jpg", (0, 0.05, 1, 0.75)),
    "portrait.jpg": ("astronaut.jpg", (0.15, 0, 0.7, 0.75)),
    "cat.jpg": ("chelsea.jpg", (0, 0, 1, 0.9)),
    "espresso.jpg": ("coffee.jpg", (0.2, 0.1, 0.85, 1)),
}


def main() -> int:
    """Take all of them; the exit code."""
    if not chromium.installed():
        print(f"Nothing was taken: {chromium.HOW_TO_GET_IT}")
        return 1
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as made,
        chromium.running() as browser,
        started("--photos", str(_photos(Path(made)))) as process,
    ):
        url = f"http://127.0.0.1:{process.ports[0]}/"
        wait_for_labels(url, len(CROPS) + len(list(SAMPLES.glob("*.jpg"))))
        _photos_and_photo(browser, url)
        _dark(browser, url)
    return 0


def _photos(folder: Path) -> Path:
    for name, (sample, (left, top, right, bottom)) in CROPS.items():
        with Image.open(SAMPLES / sample) as whole:
            size = (left * whole.width, top * whole.height, right * whole.width, bottom * whole.height)
            whole.crop(tuple(map(int, size))).save(folder / name, quality=92)  # type: ignore[arg-type]
    for sample in SAMPLES.glob("*.jpg"):
        (folder / sample.name).write_bytes(sample.read_bytes())
    return folder


def _photos_and_photo(browser: Browser, url: str) -> None:
    photos = _opened(browser, url, "light", DESK)
    _take(photos, "photos")
    photos.view("chelsea.jpg")
    photos.label("Cat").hover()
    expect(photos.viewer.locator(".boxes rect")).to_have_count(1)
    photos.window.wait_for_timeout(500)
    _take(photos, "photo")


def _dark(browser: Browser, url: str) -> None:
    photos = _opened(browser, url, "dark", DESK)
    photos.window.get_by_role("combobox").press_sequentially("beverage & !ca")
    expect(photos.window.get_by_role("option").first).to_be_visible()
    _take(photos, "search")
    _take(_opened(browser, url, "dark", PHONE), "phone")


def _opened(browser: Browser, url: str, scheme: str, size: dict[str, int]) -> Photos:
    context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
    photos = Photos(context.new_page(), url)
    photos.open()
    photos.window.wait_for_timeout(1500)
    return photos


def _take(photos: Photos, name: str) -> None:
    with Image.open(BytesIO(photos.window.screenshot())) as taken:
        taken.convert("RGB").save(FOLDER / f"{name}.webp", quality=82, method=6)


if __name__ == "__main__":
    sys.exit(main())
