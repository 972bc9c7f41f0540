"""The description tries requests out and writes them for a shell and for Python."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.pages import Photos


@pytest.fixture
def photos(page: Photos) -> Photos:
    """Each test opens what it is about."""
    return page


@pytest.fixture
def why(photos: Photos) -> Locator:
    """The form of one operation, filled for the cat."""
    listed = photos.window.request.get(f"{photos.url}images?q=cat&limit=1").json()
    photos.window.goto(f"{photos.url}docs#explainLabel")
    operation = photos.window.locator("#explainLabel")
    operation.locator(".trying > summary").click()
    operation.get_by_label("image_id (path").fill(listed["images"][0]["id"])
    operation.get_by_label("label (query").fill("domestic cat's")
    return operation


def test_a_request_is_tried_and_its_answer_shown(why: Locator) -> None:
    why.get_by_role("button", name="Send").click()
    expect(why.locator(".tried")).to_contain_text("200")
    body = why.get_by_label("Body of the answer").inner_text()
    assert json.loads(body)["verdict"] == "not-seen"


def test_a_body_begins_as_its_example_and_a_refusal_is_shown(photos: Photos, watch: object) -> None:
    watch.allow("422", "400")  # type: ignore[attr-defined]
    photos.window.goto(f"{photos.url}docs#createImage")
    operation = photos.window.locator("#createImage")
    operation.locator(".trying > summary").click()
    body = operation.get_by_label("Body")
    operation.get_by_label("Example").select_option("Have it fetched")
    assert json.loads(body.input_value())["url"].startswith("https://")
    body.fill('{"filename": 7}')
    operation.get_by_role("button", name="Send").click()
    expect(operation.get_by_label("Body of the answer")).to_contain_text('"pointer": "/filename"')


@pytest.mark.parametrize(("language", "run"), [("curl", ["bash", "-c"]), ("Python", [sys.executable, "-c"])])
def test_what_is_copied_asks_the_same(photos: Photos, why: Locator, language: str, run: list[str]) -> None:
    photos.window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    why.get_by_role("button", name=f"Copy as {language}").click()
    expect(why.get_by_role("button", name="Copied")).to_be_visible()
    text: str = photos.window.evaluate("() => navigator.clipboard.readText()")
    answer = subprocess.run([*run, text], capture_output=True, text=True, check=True)  # noqa: S603
    assert "domestic cat's" in answer.stdout
    assert "not-seen" in answer.stdout


def test_a_token_is_never_copied(photos: Photos, why: Locator) -> None:
    photos.window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    why.get_by_label("Token").fill("sightline.default.secret")
    why.get_by_role("button", name="Copy as curl").click()
    expect(why.get_by_role("button", name="Copied")).to_be_visible()
    text: str = photos.window.evaluate("() => navigator.clipboard.readText()")
    assert "Bearer TOKEN" in text
    assert "secret" not in text
