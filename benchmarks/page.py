"""What the web page feels like, in a real browser: ``make bench BENCH=page`` (needs Chromium).

Timed are the first view of who comes back, the frames while ten thousand made-up photos are scrolled
through, and the tasks that hold the page up while three thousand files are handed in; beside them stand how
far what is there already moves, and how large the page is. Other work of the machine makes all times longer:
the tests hold the page to what does not depend on it (the processor's time, rows in the document, reads of a
slow disk).
"""

from __future__ import annotations

import gzip
import math
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from benchmarks.figures import Figure, Progress, median
from chalicelib.api import pages
from tests.browser import chromium
from tests.browser.pages import SAMPLES, Photos, fresh, wait_for_labels
from tests.browser.test_many_photos import MANY, SHIFTS, Library
from tests.local.process import started

FILES = 3000
RUNS = 3
LONG = 50.0  # milliseconds: what browsers call a long task
VISITS = 7
PAINTED = "() => Math.max(...performance.getEntriesByType('paint').map((one) => one.startTime))"
FRAMES = """async (many) => {
  const took = [];
  let before = await new Promise(requestAnimationFrame);
  for (let at = 0; at < many; at += 1) {
    scrollBy(0, 90);
    const now = await new Promise(requestAnimationFrame);
    took.push(now - before);
    before = now;
  }
  return took;
}"""
LONG_TASKS = """
window.long = [];
const told = (list) => long.push(...list.getEntries().map((one) => one.duration));
new PerformanceObserver(told).observe({ type: "longtask" });
"""


def figures(say: Progress) -> Iterator[Figure]:
    """A row for each; none where there is no browser."""
    if not chromium.installed():
        say(f"page: nothing is measured. {chromium.HOW_TO_GET_IT}")
        return
    with started() as process, chromium.running() as browser:
        url = f"http://127.0.0.1:{process.ports[0]}/"
        wait_for_labels(url, len(list(SAMPLES.glob("*.jpg"))))
        say("page: photos are scrolled and handed in")
        frames, moved = scrolled(browser, url)
        tasks = [handed_in(browser, url) for _ in range(RUNS)]
        yield Figure("page: first view of who comes back", first_view(browser, url), "ms", most=1000)
    yield Figure(f"page: frame while {MANY:,} photos are scrolled, 95 of 100", frames, "ms", most=33.4)
    yield Figure("page: how far what is there moves (CLS)", moved, "", most=0.001)
    yield Figure(f"page: longest task with {FILES:,} files", median(tasks), "ms", most=LONG)
    yield Figure("page: all its files, compressed", compressed() / 1000, "kB", most=120)


def first_view(browser: Browser, url: str) -> float:
    """Milliseconds until the first photos are painted, with the files of the page kept by the browser."""
    photos = Photos(_window(browser), url)
    photos.open()
    painted = []
    for _ in range(VISITS):
        photos.open()
        painted.append(float(photos.window.evaluate(PAINTED)))
    return median(painted)


def scrolled(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds of a frame, 95 of 100, and how far what is there already moves."""
    window = _window(browser)
    sample = window.request.get(f"{url}images?limit=1&status=labelled&with=thumbnail_url").json()["images"][0]
    window.route(re.compile(r"/images\?"), Library(sample).answer)
    Photos(window, url).open()
    moved = float(window.evaluate(SHIFTS))
    took = sorted(window.evaluate(FRAMES, 400))
    return took[math.ceil(0.95 * len(took)) - 1], moved


def handed_in(browser: Browser, url: str) -> float:
    """Milliseconds of the page's longest task while many files are listed in its tray; 50 if none is longer.

    Longer still is the one in which the browser lists the folder, before the page hears of it.
    """
    window = _window(browser)
    window.add_init_script(LONG_TASKS)
    photos = Photos(window, url)
    photos.open()
    window.evaluate("() => (long.length = 0)")
    window.route(re.compile(r"/images$"), lambda route: None)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "all"
        folder.mkdir()
        (folder / "0.jpg").write_bytes(fresh())
        for at in range(1, FILES):
            (folder / f"{at}.jpg").hardlink_to(folder / "0.jpg")
        window.set_input_files("#folder", folder)
        expect(photos.tray).to_contain_text(f"of {FILES:,} photos done")
        window.wait_for_timeout(4000)
    took: list[float] = sorted(window.evaluate("() => long"))
    return max([LONG, *took[:-1]])


def compressed() -> int:
    """Bytes of both documents with their scripts and style sheets."""
    return sum(len(gzip.compress(one.encode())) for one in (*pages.files().values(), *_documents()))


def _documents() -> tuple[str, ...]:
    return tuple(text for name, text in pages.sources().items() if name.endswith(".html"))


def _window(browser: Browser) -> Page:
    return browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
