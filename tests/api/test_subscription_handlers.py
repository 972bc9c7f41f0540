"""Subscriptions and signing secrets over HTTP.

Holds `chalicelib/delivery/subscriptions.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery import signatures
from chalicelib.delivery.origins import CHALLENGE, Origins
from chalicelib.delivery.subscriptions import MOST, Subscription, key_of
from chalicelib.delivery.xml_document import SCHEMA
from chalicelib.errors import NotFound
from chalicelib.expressions import Put
from chalicelib.outbound import Outbound
from chalicelib.outbound.response import Headers, Reply
from chalicelib.pipeline.delivery_worker import PAUSED
from tests.api.client import Api
from tests.api.test_delivery_handlers import told
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver, verify
from tests.fakes.services import FakeServices

HOOK = "https://hook.example/in?token=1"


def subscribed(api: Api, **changes: Any) -> dict[str, Any]:
    answer = api.post("/subscriptions", {"url": HOOK, **changes})
    assert answer.status_code == 201, answer.body
    made: dict[str, Any] = answer.json_body
    return made


def brought_once(services: Any, *names: str) -> Mail:
    """Have images labelled and told of with one try each; the mail that brings what is left."""
    mail = Mail(services)
    for name in names:
        pipeline.label_image(services.drop(f"uploads/{name}", name.encode()), services)
    mail.announce()
    mail.bring()
    return mail


class TestSubscribing:
    def test_the_secret_is_shown_once(self, api: Api) -> None:
        made = subscribed(api, filter="cat & !dog", format="xml")
        assert signatures.sign([made["secret"]], "id", 1, b"")
        shown = api.get(f"/subscriptions/{made['id']}").json_body
        assert shown == {name: value for name, value in made.items() if name != "secret"}
        assert api.get("/subscriptions").json_body == {"subscriptions": [shown]}

    def test_a_subscriber_is_told_and_can_check_the_signature(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        made = subscribed(api, filter="cat", event_types=["sightline.image.labelled"])
        other = subscribed(api, filter="dog")
        told(services, "cat.jpg")
        posted = next(one for one in receiver.posted if one.url == HOOK)
        verify(made["secret"], posted.headers, posted.body, now=services.now())
        [delivery] = api.get(f"/subscriptions/{made['id']}/deliveries").json_body["deliveries"]
        assert (delivery["id"], delivery["status"]) == (posted.headers["webhook-id"], "delivered")
        assert api.get(f"/subscriptions/{other['id']}/deliveries").json_body["deliveries"] == []

    def test_who_has_left_is_told_nothing(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        made = subscribed(api)
        assert api.delete(f"/subscriptions/{made['id']}").status_code == 204
        told(services, "cat.jpg")
        assert [one.url for one in receiver.posted if one.url == HOOK] == []
        assert api.get(f"/subscriptions/{made['id']}").status_code == 404

    @pytest.mark.parametrize(
        ("changes", "status", "pointer"),
        [
            ({"url": None}, 400, "/url"),
            ({"url": "http://hook.example/"}, 422, "/url"),
            ({"url": "https://127.0.0.1/"}, 422, "/url"),
            ({"url": "ftp://hook.example/"}, 422, "/url"),
            ({"url": "https://hook.example/" + "a" * 2048}, 400, "/url"),
            ({"format": "yaml"}, 400, "/format"),
            ({"filter": "cat &"}, 400, "/filter"),
            ({"filter": ""}, 400, "/filter"),
            ({"event_types": []}, 400, "/event_types"),
            ({"event_types": ["image.seen"]}, 400, "/event_types"),
            ({"secret": "mine"}, 400, "/secret"),
        ],
    )
    def test_what_cannot_be_is_refused_with_a_pointer(
        self, api: Api, changes: dict[str, Any], status: int, pointer: str
    ) -> None:
        answer = api.post("/subscriptions", {"url": HOOK, **changes})
        assert (answer.status_code, answer.json_body["pointer"]) == (status, pointer)

    def test_a_stage_that_allows_private_urls_needs_no_tls(self, api: Api, services: FakeServices) -> None:
        services.with_settings(allow_private_urls=True)
        subscribed(api, url="http://hook.example/")

    def test_a_url_is_needed(self, api: Api) -> None:
        assert api.post("/subscriptions", {}).json_body["pointer"] == "/url"

    def test_there_is_an_end_to_subscribing(self, api: Api) -> None:
        for _ in range(MOST):
            subscribed(api)
        assert api.post("/subscriptions", {"url": HOOK}).status_code == 409

    @pytest.mark.parametrize("name", ["x", "01JD3Y7V4M8B5WZ0QX6T2K9RCA", "a" * 4000])
    def test_what_is_not_there_is_not_found(self, api: Api, name: str) -> None:
        here = f"/subscriptions/{name}"
        assert api.get(here).status_code == api.delete(here).status_code == 404
        assert api.get(f"{here}/deliveries").status_code == 404
        assert api.post(f"{here}/test").status_code == 404
        assert api.post(f"{here}/signing-secret/rotate").status_code == 404


class TestChanging:
    def test_what_is_given_changes_and_the_rest_stays(self, api: Api, services: FakeServices) -> None:
        made = subscribed(api, filter="cat", format="xml")
        changes = {"filter": "dog", "event_types": ["sightline.image.failed"], "paused": True}
        changed = api.request("PATCH", f"/subscriptions/{made['id']}", body=changes).json_body
        assert changed == {name: value for name, value in made.items() if name != "secret"} | changes
        assert api.get(f"/subscriptions/{made['id']}").json_body == changed
        assert services.keyring.get("default", made["id"]).current == made["secret"]
        without = api.request("PATCH", f"/subscriptions/{made['id']}", body={"filter": None}).json_body
        assert without == {**changed, "filter": None}

    @pytest.mark.parametrize(
        ("changes", "status", "pointer"),
        [
            ({"url": None}, 400, "/url"),
            ({"url": "https://127.0.0.1/"}, 422, "/url"),
            ({"format": "blob"}, 400, "/format"),
            ({"filter": "cat &"}, 400, "/filter"),
            ({"event_types": []}, 400, "/event_types"),
            ({"paused": "yes"}, 400, "/paused"),
            ({"id": "x"}, 400, "/id"),
        ],
    )
    def test_what_cannot_be_is_refused_and_changes_nothing(
        self, api: Api, changes: dict[str, Any], status: int, pointer: str
    ) -> None:
        made = subscribed(api, filter="cat")
        answer = api.request("PATCH", f"/subscriptions/{made['id']}", body={"format": "xml", **changes})
        assert (answer.status_code, answer.json_body["pointer"]) == (status, pointer)
        assert api.get(f"/subscriptions/{made['id']}").json_body["format"] == "json"

    def test_two_who_edit_the_same_are_told_apart_by_its_entity_tag(self, api: Api) -> None:
        here = f"/subscriptions/{subscribed(api)['id']}"
        seen = str(api.get(here).headers["ETag"])
        first = api.request("PATCH", here, body={"filter": "cat"}, if_match=seen)
        assert (first.status_code, first.headers["ETag"]) == (200, api.get(here).headers["ETag"])
        late = api.request("PATCH", here, body={"filter": "dog"}, if_match=seen)
        assert (late.status_code, api.get(here).json_body["filter"]) == (412, "cat")

    def test_who_edits_at_the_same_moment_undoes_nothing(self, api: Api, services: FakeServices) -> None:
        made = subscribed(api, filter="cat")

        def edit(before: Subscription) -> Subscription:
            if not before.paused:
                api.request("PATCH", f"/subscriptions/{made['id']}", body={"paused": True})
            return dataclasses.replace(before, filter="dog")

        services.subscriptions.change("default", made["id"], edit)
        shown = api.get(f"/subscriptions/{made['id']}").json_body
        assert (shown["filter"], shown["paused"]) == ("dog", True)

    def test_what_was_removed_meanwhile_does_not_come_back(self, api: Api, services: FakeServices) -> None:
        made = subscribed(api)

        def edit(before: Subscription) -> Subscription:
            api.delete(f"/subscriptions/{made['id']}")
            return before

        with pytest.raises(NotFound):
            services.subscriptions.change("default", made["id"], edit)
        assert api.get("/subscriptions").json_body == {"subscriptions": []}

    def test_one_stored_before_there_were_pauses_can_be_paused(
        self, api: Api, services: FakeServices
    ) -> None:
        made = subscribed(api)
        key = key_of("default", made["id"])
        row = services.table.get(key) or {}
        text = str(row["subscription"]).replace(', "paused": false', "")
        services.table.write(Put(key, {"subscription": text}))
        api.request("PATCH", f"/subscriptions/{made['id']}", body={"paused": True})
        assert api.get(f"/subscriptions/{made['id']}").json_body["paused"] is True

    def test_a_paused_one_is_sent_nothing_but_tests_and_never_told_what_happened_meanwhile(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        here = f"/subscriptions/{subscribed(api)['id']}"
        api.request("PATCH", here, body={"paused": True})
        mail = brought_once(services, "cat.jpg")
        assert api.get(f"{here}/deliveries").json_body["deliveries"] == []
        assert api.post(f"{here}/test").json_body["arrived"]
        receiver.posted.clear()
        api.request("PATCH", here, body={"paused": False})
        pipeline.label_image(services.drop("uploads/dog.jpg", b"dog"), services)
        mail.run()
        assert [one.url for one in receiver.posted if one.url == HOOK] == [HOOK]

    def test_what_was_waiting_when_it_was_paused_is_parked_and_can_be_sent_again(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        here = f"/subscriptions/{subscribed(api)['id']}"
        services.with_settings(integration_url="")
        receiver.answer_with(503)
        mail = brought_once(services, "cat.jpg")
        api.request("PATCH", here, body={"paused": True})
        receiver.answer_with(200)
        mail.run()
        [delivery] = api.get(f"{here}/deliveries").json_body["deliveries"]
        assert (delivery["status"], delivery["reason"]) == ("parked", PAUSED)
        api.request("PATCH", here, body={"paused": False})
        api.post(f"/deliveries/{delivery['id']}/retry")
        mail.run()
        [delivery] = api.get(f"{here}/deliveries").json_body["deliveries"]
        assert delivery["status"] == "delivered"

    def test_what_waits_follows_to_another_origin_which_has_to_agree_by_itself(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        services.with_settings(integration_url="")
        services.origins = Origins(services.table, services.now, per_hour=1)
        made = subscribed(api)
        services.origins.confirm("default", "https://hook.example")
        other = subscribed(api, event_types=["sightline.image.restored"])
        receiver.answer_with(503)
        mail = brought_once(services, "cat.jpg", "dog.jpg")
        receiver.answer_with(200)
        receiver.posted.clear()
        moved = api.request(
            "PATCH", f"/subscriptions/{made['id']}", body={"url": "https://other.example/in"}
        ).json_body
        assert moved["confirmed"] is False
        services.clock.forward(60)
        pipeline.sweep(services)
        mail.bring()
        assert [one.url for one in receiver.posted] == ["https://other.example/in"]  # the other one waits
        mail.run()
        verify(made["secret"], receiver.posted[-1].headers, receiver.posted[-1].body, now=services.now())
        assert [one.url for one in receiver.posted] == ["https://other.example/in"] * 2
        assert services.origins.is_confirmed("default", "https://hook.example")
        api.request("PATCH", f"/subscriptions/{other['id']}", body={"url": "https://other.example/2"})
        assert not services.origins.is_confirmed("default", "https://hook.example")  # nobody is left there


class TestTryingOut:
    def test_a_signed_sample_is_sent_and_the_answer_shown(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        receiver.answer_with(418)
        made = subscribed(api)
        answer = api.post(f"/subscriptions/{made['id']}/test").json_body
        assert (answer["arrived"], answer["status"]) == (False, 418)
        [posted] = receiver.posted
        assert b'"sightline.test"' in posted.body
        verify(made["secret"], posted.headers, posted.body, now=services.now())

    def test_an_origin_that_sends_the_challenge_back_is_confirmed(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        made = subscribed(api)
        assert made["confirmed"] is False
        refused = api.post(f"/subscriptions/{made['id']}/confirm", {})
        assert (refused.status_code, refused.json_body["confirmed"]) == (200, False)

        def echo(url: str, *, headers: Any, **_: Any) -> Reply:
            return Reply(200, Headers([(CHALLENGE, headers[CHALLENGE])]), b"")

        receiver.post = echo  # type: ignore[method-assign]
        assert api.post(f"/subscriptions/{made['id']}/confirm", {}).json_body["confirmed"] is True
        assert api.get(f"/subscriptions/{made['id']}").json_body["confirmed"] is True
        assert api.get("/subscriptions").json_body["subscriptions"][0]["confirmed"] is True

    def test_challenges_that_are_too_many_are_refused_and_say_when_to_come_again(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        made = subscribed(api)
        answers = [api.post(f"/subscriptions/{made['id']}/confirm", {}) for _ in range(11)]
        assert [one.status_code for one in answers] == [200] * 10 + [429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 660

    def test_a_disabled_subscription_shows_why_and_is_enabled_by_a_test_that_arrives(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        services.with_settings(integration_url="")
        made = subscribed(api)
        receiver.answer_with(410, 500, 200)
        told(services, "cat.jpg")
        assert "410" in api.get(f"/subscriptions/{made['id']}").json_body["disabled"]["reason"]
        api.post(f"/subscriptions/{made['id']}/test")
        assert api.get(f"/subscriptions/{made['id']}").json_body["disabled"]
        api.post(f"/subscriptions/{made['id']}/test")
        assert api.get(f"/subscriptions/{made['id']}").json_body["disabled"] is None


class TestSecrets:
    def test_the_owners_secret_stays_until_it_is_rotated(self, api: Api) -> None:
        first = api.get("/signing-secret").json_body
        assert first == api.get("/signing-secret").json_body
        assert first["older_secrets_sign_until"] is None
        second = api.post("/signing-secret/rotate").json_body
        assert second["secret"] != first["secret"]
        assert second == api.get("/signing-secret").json_body

    def test_both_secrets_sign_for_a_day(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        made = subscribed(api)
        rotated = api.post(f"/subscriptions/{made['id']}/signing-secret/rotate").json_body
        api.post(f"/subscriptions/{made['id']}/test")
        for secret in (made["secret"], rotated["secret"]):
            posted = receiver.posted[-1]
            verify(secret, posted.headers, posted.body, now=services.now())
        services.clock.forward(24 * 3600 + 1)
        api.post(f"/subscriptions/{made['id']}/test")
        assert len(receiver.posted[-1].headers["webhook-signature"].split()) == 1

    def test_rotations_whose_answers_were_lost_do_not_shut_the_receiver_out(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        made = subscribed(api)
        for _ in range(3):
            api.post(f"/subscriptions/{made['id']}/signing-secret/rotate")
        api.post(f"/subscriptions/{made['id']}/test")
        verify(made["secret"], receiver.posted[-1].headers, receiver.posted[-1].body, now=services.now())


@pytest.mark.parametrize(
    "url", ["https://[", "https://[\U0001f3fb", "https://a]b/", "https:", "[", "HTTPS://\u0130"]
)
def test_an_address_that_is_none_is_refused(api: Api, services: FakeServices, url: str) -> None:
    services.outbound = Outbound(allow_private=False, allowed_ports=frozenset(), resolve=lambda *_: [])  # type: ignore[assignment]
    answer = api.post("/subscriptions", {"url": url})
    assert (answer.status_code, answer.json_body["pointer"]) == (422, "/url")


def test_the_xml_contract_is_served_as_it_is_tested(api: Api) -> None:
    answer = api.get("/schemas/image-1.xsd")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert answer.body == SCHEMA.read_bytes()
