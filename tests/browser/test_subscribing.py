"""Somebody's server is told: subscribed, tried out, given a new secret while the old one holds, let go."""

from __future__ import annotations

import json
import re

import pytest
import requests
import standardwebhooks
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Receiver, Watch
from tests.browser.pages import Photos, hand_in
from tests.journeys.conftest import eventually

FILTER = "filename:told"


@pytest.fixture
def photos(page: Photos) -> Photos:
    """The page of subscriptions."""
    page.window.goto(f"{page.url}?view=subscriptions")
    return page


@pytest.fixture
def card(window: Page, receiver: Receiver) -> Locator:
    """Where the receiver's subscription is shown, once there is one."""
    return window.locator("li.card", has=window.get_by_role("heading", name=receiver.url))


def secret_shown(window: Page, name: str) -> str:
    """The secret in the dialog, which is closed then; nothing on the page shows it any more."""
    field = window.get_by_role("textbox", name=name)
    expect(field).to_have_value(re.compile("^whsec_"))
    secret = field.input_value()
    window.get_by_role("button", name="Done").click()
    expect(window.locator("#secret")).to_have_count(0)  # gone, not only out of sight
    assert "whsec_" not in window.content()
    return secret


def subscribed(window: Page, receiver: Receiver) -> str:
    """Subscribe the receiver; its secret."""
    window.get_by_label("Address").fill(receiver.url)
    window.get_by_label("Only photos like").fill(FILTER)
    window.get_by_role("button", name="Subscribe", exact=True).click()
    return secret_shown(window, "The signing secret")


def confirm(window: Page, name: str) -> None:
    window.locator("dialog[open]").get_by_role("button", name=name).click()


def accepts(secret: str, receiver: Receiver) -> bool:
    """Whether a receiver that knows ``secret`` takes the last message for a genuine one."""
    message = receiver.got[-1]
    try:
        standardwebhooks.Webhook(secret).verify(message.body, message.headers)
    except standardwebhooks.webhooks.WebhookVerificationError:
        return False
    return True


def test_a_signed_sample_arrives_when_test_is_pressed_and_what_came_back_is_said(
    window: Page, card: Locator, receiver: Receiver, photos: Photos
) -> None:
    secret = subscribed(window, receiver)
    when = "when one is labelled, cannot be labelled, or is corrected, as JSON."
    expect(card).to_contain_text(f"Photos like {FILTER}: told {when}")
    card.get_by_role("button", name="Test").click()
    expect(card.get_by_role("status")).to_contain_text(re.compile(r"Arrived: it answered 204 after \d+ ms\."))
    assert len(receiver.got) == 1
    assert accepts(secret, receiver)
    assert not accepts("whsec_" + "A" * 32, receiver)
    assert json.loads(receiver.got[0].body)["type"].startswith("sightline.")
    receiver.status = 500
    card.get_by_role("button", name="Test").click()
    expect(card.get_by_role("status")).to_contain_text("Not taken: it answered 500")


def test_a_new_secret_is_shown_once_and_the_old_one_holds_meanwhile(
    window: Page, card: Locator, receiver: Receiver, photos: Photos
) -> None:
    old = subscribed(window, receiver)
    card.get_by_role("button", name="New secret").click()
    confirm(window, "New secret")
    new = secret_shown(window, "The new secret")
    assert new != old
    hand_in(photos.url, "told.jpg")
    eventually(lambda: receiver.got)
    assert json.loads(receiver.got[0].body)["data"]["filename"] == "told.jpg"
    assert accepts(old, receiver)
    assert accepts(new, receiver)


def test_who_is_let_go_is_told_no_more_and_may_stay_after_all(
    window: Page, card: Locator, receiver: Receiver, photos: Photos
) -> None:
    subscribed(window, receiver)
    card.get_by_role("button", name="Unsubscribe").click()
    confirm(window, "Cancel")
    expect(card).to_be_visible()
    card.get_by_role("button", name="Unsubscribe").click()
    confirm(window, "Unsubscribe")
    expect(photos.toast).to_contain_text("Unsubscribed.")
    expect(card).to_have_count(0)
    left = requests.get(f"{photos.url}subscriptions", timeout=30).json()["subscriptions"]
    assert receiver.url not in [one["url"] for one in left]


def test_a_receiver_is_asked_whether_it_may_be_called_often(
    window: Page, card: Locator, receiver: Receiver, photos: Photos
) -> None:
    subscribed(window, receiver)
    card.get_by_role("button", name="Ask for consent").click()
    expect(card).to_contain_text("It has not agreed: it answered 204 without the token of the challenge.")
    receiver.agrees = True
    card.get_by_role("button", name="Ask for consent").click()
    expect(photos.toast).to_contain_text("It agrees to be called often.")
    expect(card.get_by_role("button", name="Ask for consent")).to_have_count(0)


def test_a_subscription_is_changed_where_it_stands_unless_somebody_else_has_changed_it(
    window: Page, card: Locator, receiver: Receiver, photos: Photos, watch: Watch
) -> None:
    subscribed(window, receiver)
    card.get_by_role("button", name="Edit").click()
    form = window.get_by_role("form", name=f"Edit {receiver.url}")
    expect(form.get_by_label("Address")).to_be_focused()
    expect(form.get_by_label("Only photos like")).to_have_value(FILTER)
    form.get_by_label("Only photos like").fill("cat & !dog")
    form.get_by_label("is corrected").uncheck()
    form.get_by_label("is deleted").check()
    form.get_by_role("button", name="Save").click()
    expect(card).to_contain_text(
        "Photos like cat & !dog: told when one is labelled, cannot be labelled, or is deleted"
    )
    expect(card.get_by_role("button", name="Edit")).to_be_focused()

    watch.allow("412")
    card.get_by_role("button", name="Edit").press("Enter")
    expect(form.get_by_label("Address")).to_be_focused()
    made = f"{photos.url}subscriptions/{card.get_attribute('data-id')}"
    requests.patch(made, json={"filter": None}, timeout=30).raise_for_status()
    form.get_by_label("Only photos like").fill("rocket")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).not_to_be_empty()
    assert requests.get(made, timeout=30).json()["filter"] is None


def test_a_subscription_is_paused_and_goes_on(
    window: Page, card: Locator, receiver: Receiver, photos: Photos
) -> None:
    subscribed(window, receiver)
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Paused: what happens meanwhile is not told")
    expect(card.get_by_role("button", name="Go on")).to_be_focused()
    hand_in(photos.url, "told meanwhile.jpg")
    card.get_by_role("button", name="Go on").click()
    expect(card).not_to_contain_text("Paused")
    hand_in(photos.url, "told later.jpg")
    eventually(lambda: receiver.got)
    assert [json.loads(one.body)["data"]["filename"] for one in receiver.got] == ["told later.jpg"]
