"""Uploads survive: a lost connection is waited for, a reload loses nothing, thousands of files stay quick."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.browser.pages import SAMPLES, Photos, file, fresh
from tests.browser.test_uploading import choose, is_form

EVERYTHING = "http://127.0.0.1:*/**"
THOUSANDS = 3000
MOST_ROWS = 20
MOST_SECONDS = 0.05  # of a processor, in one task
SLOW_DISK = 30  # files whose size a task may ask a disk for that takes a millisecond for each
# A disk that takes a millisecond by a clock which nothing else moves on; and how often each task went to it.
ON_A_SLOW_DISK = """
let now = 0;
let asked = 0;
window.mostAsked = window.allAsked = 0;
performance.now = () => now;
const { get } = Object.getOwnPropertyDescriptor(Blob.prototype, "size");
Object.defineProperty(Blob.prototype, "size", { get() {
  if (!(this instanceof File)) return get.call(this);
  if (!asked) setTimeout(() => (asked = 0));
  now += 1;
  asked += 1;
  window.allAsked += 1;
  window.mostAsked = Math.max(window.mostAsked, asked);
  return get.call(this);
} });
"""


def named(url: str, name: str) -> list[dict[str, Any]]:
    asked = {"q": f'filename:"{name}"', "limit": 200}
    images: list[dict[str, Any]] = requests.get(f"{url}images", params=asked, timeout=30).json()["images"]
    return images


def test_offline_is_waited_for_and_no_photo_is_lost_or_doubled(photos: Photos, watch: Any) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    window = photos.window
    window.route(
        EVERYTHING, lambda route: None if is_form(route) else route.fallback()
    )  # the first three hang
    photos.add(*(file(f"waited for {at}.jpg", fresh()) for at in range(4)))
    expect(photos.uploads.filter(has_text="Uploading")).to_have_count(3)
    window.context.set_offline(True)
    window.unroute_all(behavior="ignoreErrors")
    expect(photos.tray).to_contain_text("This device is offline.")
    window.get_by_role(
        "link", name="Subscriptions"
    ).click()  # meanwhile one may look elsewhere, and is left there
    window.context.set_offline(False)
    photos.wait_for_uploads()
    expect(photos.tray).to_contain_text("4 photos labelled")
    assert "view=subscriptions" in window.url
    assert sorted(one["filename"] for one in named(photos.url, "waited for")) == [
        f"waited for {at}.jpg" for at in range(4)
    ]


def test_a_service_that_fails_for_a_while_is_tried_again_and_a_bad_file_is_not(
    photos: Photos, watch: Any
) -> None:
    watch.allow("503")
    failing = {"left": 3, "announced": 0}

    def refuse(route: Route) -> None:
        failing["announced"] += route.request.method == "POST"
        if route.request.method != "POST" or failing["left"] == 0:
            return route.fallback()
        failing["left"] -= 1
        return route.fulfill(status=503, json={"detail": "Too busy."})

    photos.window.route(re.compile(r"/images$"), refuse)
    photos.add(file("in the end.jpg", fresh()), file("never.jpg", b"no photo at all"))
    expect(photos.tray).to_contain_text("The service cannot be reached just now.")
    expect(photos.uploads.first).to_contain_text("never.jpg")  # what was not taken stands first
    expect(photos.uploads.first).to_contain_text("This is no photo")
    photos.tray.get_by_role("button", name="Try now").click()
    photos.wait_for_uploads()
    expect(photos.tray).to_contain_text("1 labelled, 1 not")
    assert len(named(photos.url, "in the end.jpg")) == 1


def test_an_answer_that_was_lost_makes_no_second_photo(photos: Photos, watch: Any) -> None:
    watch.allow("ERR_FAILED")
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method != "POST" or lost:
            return route.fallback()
        lost.append(route.fetch().json()["id"])  # it arrived, and nobody hears of it
        return route.abort()

    photos.window.route(re.compile(r"/images$"), lose)
    photos.add(file("said twice.jpg", fresh()))
    photos.wait_for_uploads()
    assert [one["id"] for one in named(photos.url, "said twice.jpg")] == lost


def test_a_reload_keeps_the_queue_and_only_what_is_missing_is_sent(photos: Photos, tmp_path: Path) -> None:
    window = photos.window
    trip = tmp_path / f"trip {time.time_ns()}"
    trip.mkdir()
    for at, sample in enumerate(sorted(SAMPLES.glob("*.jpg"))):
        (trip / f"kept {at}.jpg").write_bytes(fresh(sample))
    sent: list[str] = []

    def two(route: Route) -> None:
        if not is_form(route):
            return route.fallback()
        sent.append(route.request.url)
        return route.fallback() if len(sent) <= 2 else None

    window.route(EVERYTHING, two)
    choose(photos, trip)
    expect(photos.tray).to_contain_text("2 of 4 photos done")
    window.once("dialog", lambda dialog: dialog.accept())
    window.reload()
    window.unroute_all(behavior="ignoreErrors")
    expect(photos.tray).to_contain_text("2 photos of an earlier visit were not sent.")
    with window.expect_file_chooser() as chooser:
        photos.tray.get_by_role("button", name="Choose the folder").click()
    chooser.value.set_files(trip)
    expect(photos.tray).to_contain_text("of 2 photos")
    photos.wait_for_uploads()
    labelled = [
        one["filename"] for one in named(photos.url, f"{trip.name}/kept") if one["status"] == "labelled"
    ]
    assert sorted(labelled) == [f"{trip.name}/kept {at}.jpg" for at in range(4)]
    assert window.evaluate("() => localStorage.length") == 0


def test_what_was_not_taken_is_tried_again_together(photos: Photos, watch: Any) -> None:
    watch.allow("422")
    photos.window.route(
        re.compile(r"/images$"), lambda route: route.fulfill(status=422, json={"detail": "No."})
    )
    photos.add(*(file(f"all again {at}.jpg", fresh()) for at in range(2)))
    expect(photos.tray).to_contain_text("0 labelled, 2 not")
    photos.window.unroute_all(behavior="ignoreErrors")
    photos.tray.get_by_role("button", name="Try all again", exact=True).click()
    photos.wait_for_uploads()
    expect(photos.tray).to_contain_text("2 photos labelled")


@pytest.fixture
def thousands(tmp_path: Path) -> Path:
    folder = tmp_path / "all"
    folder.mkdir()
    small = fresh()
    first = folder / "0.jpg"
    first.write_bytes(small)
    for at in range(1, THOUSANDS):
        (folder / f"{at}.jpg").hardlink_to(first)
    return folder


class Trace:
    """The tasks of a window's main thread. The browser has others: its address bar is a page, too."""

    def __init__(self, window: Page) -> None:
        self._window = window
        self._session = window.context.browser.new_browser_cdp_session()  # type: ignore[union-attr]
        wanted = {"includedCategories": ["toplevel"]}
        self._session.send("Tracing.start", {"traceConfig": wanted, "transferMode": "ReturnAsStream"})

    def _recorded(self) -> list[dict[str, Any]]:
        ended: list[dict[str, Any]] = []
        self._session.on("Tracing.tracingComplete", lambda one: ended.append(one))
        self._session.send("Tracing.end")
        while not ended:
            self._window.wait_for_timeout(20)
        text, more = "", True
        while more:
            some = self._session.send("IO.read", {"handle": ended[0]["stream"], "size": 8_000_000})
            text, more = text + some["data"], not some["eof"]
        events: list[dict[str, Any]] = json.loads(text)["traceEvents"]
        return events

    def tasks(self) -> list[float]:
        """The seconds of a processor that each task took, but for those in which the browser lists files."""
        events = self._recorded()
        main = {_thread(one) for one in events if one.get("args", {}).get("name") == "CrRendererMain"}
        of_mains = [one for one in events if _thread(one) in main]
        choices = [one for one in of_mains if "blink.mojom.FileChooser" in str(one.get("args"))]
        [chosen_in] = {_thread(one) for one in choices}
        of_main = [one for one in of_mains if _thread(one) == chosen_in]
        choosing = [one["ts"] for one in choices]
        tasks = [one for one in of_main if one["name"].endswith("RunTask") and "tdur" in one]
        own = [one for one in tasks if not any(one["ts"] <= at <= one["ts"] + one["dur"] for at in choosing)]
        return [one["tdur"] / 1_000_000 for one in own]


def _thread(event: dict[str, Any]) -> tuple[int, int]:
    return event["pid"], event["tid"]


def test_three_thousand_files_are_listed_without_holding_up_the_page(
    own_profile: None, page: Photos, thousands: Path
) -> None:
    photos, window = page, page.window
    window.add_init_script(ON_A_SLOW_DISK)
    photos.open()
    window.route(re.compile(r"/images$"), lambda route: None)  # nothing is sent meanwhile
    trace = Trace(window)
    choose(photos, thousands)
    expect(photos.tray).to_contain_text(f"of {THOUSANDS:,} photos done")
    window.wait_for_function(f"() => window.allAsked > {THOUSANDS}")
    tasks = trace.tasks()
    assert len(tasks) > THOUSANDS / SLOW_DISK
    assert max(tasks) < MOST_SECONDS
    assert window.evaluate("() => window.mostAsked") <= SLOW_DISK
    assert photos.uploads.count() <= MOST_ROWS
    window.get_by_role("button", name="Cancel all", exact=True).click()
    expect(photos.tray).to_contain_text(f"0 labelled, {THOUSANDS:,} not")
    window.unroute_all(behavior="ignoreErrors")
