"""What the API can do has a door here: reasons, history, downloads, all labels, usage, deliveries."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Route, expect

from local.config import stage_config
from tests.browser.pages import CAT, Photos, found, hand_in
from tests.browser.test_curating import NAMES
from tests.journeys.conftest import eventually


@pytest.fixture
def three(page: Photos) -> Iterator[Photos]:
    """The page with three photos of one's own, found by a label that only they have."""
    made = hand_in(page.url, *NAMES)
    requests.post(f"{page.url}images/labels", json={"ids": made, "add": ["Door"]}, timeout=30)
    eventually(lambda: len(found(page.url, "door")) == len(NAMES))
    page.window.goto(f"{page.url}?q=door")
    expect(page.tiles).to_have_count(3)
    yield page
    page.window.goto("about:blank")
    for image in made:
        requests.delete(f"{page.url}images/{image}?permanent=true", timeout=30)


def test_a_label_says_why_it_is_there_and_another_why_not(photos: Photos) -> None:
    viewer = photos.view("chelsea.jpg")
    why = photos.label("Domestic Cat").get_by_role("button", name="Why Domestic Cat?")
    why.click()
    expect(photos.label("Domestic Cat")).to_contain_text("It was seen with")
    why.click()
    expect(photos.label("Domestic Cat")).not_to_contain_text("It was seen with")
    viewer.get_by_label("Add a label").fill("zebra")
    viewer.get_by_role("button", name="Why not?").click()
    expect(viewer.get_by_text("Nothing like zebra was seen.")).to_be_visible()


def test_history_and_the_raw_document_stand_beside_the_photo(three: Photos) -> None:
    viewer = three.view(NAMES[0])
    viewer.get_by_text("History").click()
    history = viewer.get_by_role("region", name="History")
    expect(history).to_contain_text("Corrected by a person")
    expect(history).to_contain_text("+ Door")
    viewer.locator("summary", has_text="Raw JSON").click()
    raw = viewer.get_by_label("Raw JSON").locator("pre")
    expect(raw).to_contain_text('"status": "labelled"')
    assert json.loads(raw.inner_text())["filename"] == NAMES[0]


def test_the_original_is_downloaded_and_several_in_one_archive(three: Photos) -> None:
    window = three.window
    viewer = three.view(NAMES[0])
    with window.expect_download() as one:
        viewer.get_by_role("button", name="Download").click()
    assert one.value.suggested_filename == NAMES[0]
    assert one.value.path().read_bytes() == CAT.read_bytes()
    window.keyboard.press("Escape")
    window.keyboard.press("Control+a")
    with window.expect_download() as several:
        window.get_by_role("region", name="Picked photos").get_by_role("button", name="Download").click()
    with zipfile.ZipFile(io.BytesIO(several.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(NAMES)
        assert archive.read(NAMES[1]) == CAT.read_bytes()


def test_what_is_found_is_taken_along_as_a_list_or_as_an_archive_that_a_job_packs(three: Photos) -> None:
    window = three.window

    def exported(way: str) -> Path:
        window.get_by_role("button", name="Export").click()
        with window.expect_download() as download:
            window.get_by_role("button", name=way).click()
        return download.value.path()

    for way, holds in (("List as CSV", "filename"), ("List as JSON Lines", '"filename"')):
        text = exported(way).read_text()
        assert holds in text
        assert all(name in text for name in NAMES)
    with zipfile.ZipFile(exported("Photos as ZIP")) as archive:
        assert sorted(one.partition("-")[2] for one in archive.namelist()) == sorted(NAMES)

    window.get_by_role("link", name="Jobs").click()
    job = window.locator(".jobs li").first
    expect(job).to_contain_text("Pack photos")
    expect(job).to_contain_text("3 photos packed, of 3 looked at.")
    with window.expect_download() as again:
        job.get_by_role("link", name="Download the archive").click()
    assert zipfile.is_zipfile(again.value.path())
    job.get_by_role("link", name="door").click()
    expect(three.tiles).to_have_count(3)


def test_a_job_that_is_at_work_shows_how_far_it_is_until_it_is_done(three: Photos) -> None:
    window = three.window
    asked = {"q": "door", "add": ["Seen"], "remove": ["Sofa"]}
    made = requests.post(f"{three.url}images/labels", json=asked, timeout=30).json()["id"]
    job = window.locator(f".jobs [data-id='{made}']")
    stand: dict[str, Any] = {"status": "running", "looked_at": 2, "changed": 1}
    known = re.compile(rf"/jobs(\?.*|/{made})?$")

    def standing(route: Route) -> None:
        answer = route.fetch().json()
        for one in answer.get("jobs", [answer]):
            one.update(stand if one["id"] == made else {})
        route.fulfill(json=answer)

    window.route(known, standing)
    window.get_by_role("link", name="Jobs").click()
    expect(job.get_by_role("heading")).to_have_text("Add Seen, remove Sofa")
    expect(job).to_contain_text("1 photo changed, of 2 looked at so far …")
    expect(job.get_by_role("progressbar")).to_be_visible()
    window.get_by_label("Show", exact=True).select_option("rename")
    expect(job).to_have_count(0)
    window.get_by_label("Show", exact=True).select_option("correct")
    expect(job).to_contain_text("At work")
    eventually(lambda: requests.get(f"{three.url}jobs/{made}", timeout=30).json()["status"] == "done")
    stand.clear()
    expect(job).to_contain_text("3 photos changed, of 3 looked at.")
    expect(job).to_contain_text("Done")
    expect(job.get_by_role("progressbar")).to_have_count(0)


def test_a_job_that_labels_is_held_let_go_and_its_results_are_fetched(three: Photos) -> None:
    window = three.window
    bucket = stage_config("api_handler").environment_variables["BUCKET"]
    asked = {"kind": "label", "source": {"prefix": f"s3://{bucket}/uploads/"}, "max_cost": 0}
    made = requests.post(f"{three.url}jobs", json=asked, timeout=30).json()["id"]
    eventually(lambda: requests.get(f"{three.url}jobs/{made}", timeout=30).json()["status"] == "done")
    cancelled = requests.post(f"{three.url}jobs", json=asked, timeout=30).json()["id"]
    requests.post(f"{three.url}jobs/{cancelled}/pause", timeout=30)
    window.get_by_role("link", name="Jobs").click()
    job = window.locator(f".jobs [data-id='{made}']")
    expect(job.get_by_role("heading")).to_have_text(f"Label s3://{bucket}/uploads/")
    expect(job).to_contain_text("known before")
    with window.expect_download() as download:
        job.get_by_role("link", name="Results (CSV)").click()
    assert download.value.path().read_text().startswith("line,source-ref,outcome")
    resting = window.locator(f".jobs [data-id='{cancelled}']")
    expect(resting).to_contain_text("Resting")
    expect(resting.get_by_role("button", name="Resume")).to_be_visible()
    resting.get_by_role("button", name="Cancel").click()
    expect(resting).to_contain_text("Cancelled")
    expect(resting.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_bulk_label_is_taken_back_by_undo(three: Photos) -> None:
    window = three.window
    window.keyboard.press("Control+a")
    bar = window.get_by_role("region", name="Picked photos")
    bar.get_by_role("combobox").fill("Shortly")
    window.keyboard.press("Enter")
    expect(three.toast).to_contain_text("Shortly was added to 3 photos.")
    expect(three.tiles.filter(has_text="Shortly")).to_have_count(3)
    three.toast.get_by_role("button", name="Undo").click()
    expect(three.tiles.filter(has_text="Shortly")).to_have_count(0)


def test_all_labels_are_listed_with_counts_renamed_and_merged(three: Photos) -> None:
    window = three.window
    window.get_by_role("link", name="Labels", exact=True).click()
    row = window.locator(".catalogue li", has=window.get_by_role("link", name="door", exact=True))
    expect(row).to_contain_text("3 photos")
    window.get_by_role("searchbox", name="Labels that begin with").fill("doo")
    expect(window.locator(".catalogue li")).to_have_count(1)
    row.get_by_role("button", name="Rename door").click()
    row.get_by_label("New name of door").fill("Rocket")
    window.keyboard.press("Enter")
    expect(window.get_by_role("heading", name="Merge door into Rocket?")).to_be_visible()
    window.get_by_role("button", name="Cancel").click()
    row.get_by_label("New name of door").fill("Gate")
    window.keyboard.press("Enter")
    expect(three.toast).to_contain_text("door is called Gate now, on 3 photos.")
    expect(window.get_by_text("No label begins so.")).to_be_visible()
    window.get_by_role("button", name=re.compile("End calling door Gate", re.IGNORECASE)).click()
    expect(window.get_by_role("heading", name="Renames (1)")).to_have_count(0)


def test_usage_is_shown_by_day_with_its_cost(photos: Photos, watch: Any) -> None:
    watch.allow("400")  # between two dates of which only one has been chosen
    photos.window.get_by_role("link", name="Usage").click()
    table = photos.window.get_by_role("table")
    expect(table.locator("tbody tr")).not_to_have_count(0)
    expect(table).to_contain_text("onnx")
    expect(table.locator("tfoot")).to_contain_text("$0.00")
    photos.window.get_by_label("From", exact=True).fill("2001-01-01")
    photos.window.get_by_label("to", exact=True).fill("2001-01-02")
    expect(photos.window.get_by_text("Nothing was recognised in these days.")).to_be_visible()


def test_parked_deliveries_are_found_and_all_sent_again(photos: Photos, receiver: Any) -> None:
    receiver.status = 400
    made = requests.post(
        f"{photos.url}subscriptions", json={"url": receiver.url, "filter": "filename:parked"}, timeout=30
    ).json()
    hand_in(photos.url, "parked.jpg")
    parked = {"destination": made["id"], "status": "parked"}
    listed = f"{photos.url}deliveries"
    assert eventually(lambda: requests.get(listed, params=parked, timeout=30).json()["deliveries"])
    window = photos.window
    window.get_by_role("link", name="Deliveries").click()
    window.get_by_label("To", exact=True).select_option(made["id"])
    rows = window.locator(".deliveries > li")
    expect(rows.filter(has_text="Parked")).to_have_count(1)
    receiver.status = 204
    window.get_by_role("button", name="Send all parked again").click()
    expect(photos.toast).to_contain_text("1 delivery is on its way again.")
    window.get_by_label("Which", exact=True).select_option("parked")
    expect(window.get_by_text("Nothing is parked.")).to_be_visible()
    requests.delete(f"{photos.url}subscriptions/{made['id']}", timeout=30)


def test_keys_are_shown_by_a_question_mark(photos: Photos) -> None:
    photos.window.keyboard.press("?")
    keys = photos.window.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Add photos")
    photos.window.keyboard.press("Escape")
    expect(keys).to_have_count(0)


def test_paper_gets_the_photos_with_their_labels_and_nothing_else(photos: Photos) -> None:
    window = photos.window
    window.emulate_media(media="print")
    expect(window.locator(".top")).to_be_hidden()
    expect(window.locator(".results")).to_be_hidden()
    expect(photos.tile("chelsea.jpg").first).to_contain_text("Domestic Cat")
    window.emulate_media(media="screen")
    photos.view("chelsea.jpg")
    window.emulate_media(media="print")
    expect(photos.tiles.first).to_be_hidden()
    expect(photos.viewer.locator(".stage img").first).to_be_visible()
    expect(photos.viewer.get_by_role("link", name="Domestic Cat")).to_be_visible()
    expect(photos.viewer.get_by_role("button", name="Close")).to_be_hidden()
