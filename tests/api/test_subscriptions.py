"""Subscriptions and signing secrets over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.delivery import signatures
from chalicelib.delivery.documents import SCHEMA
from chalicelib.delivery.origins import CHALLENGE
from chalicelib.delivery.subscriptions import MOST
from chalicelib.outbound import Outbound
from chalicelib.outbound.reply import Headers, Reply
from tests.api.client import Api
from tests.api.test_deliveries import told
from tests.fakes.receiver import FakeReceiver
from tests.fakes.services import FakeServices

HOOK = "https://hook.example/in?token=1"


def subscribed(api: Api, **changes: Any) -> dict[str, Any]:
    answer = api.post("/subscriptions", {"url": HOOK, **changes})
    assert answer.status_code == 201, answer.body
    made: dict[str, Any] = answer.json_body
    return made


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
        signatures.verify(made["secret"], posted.headers, posted.body, now=services.now())
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
        signatures.verify(made["secret"], posted.headers, posted.body, now=services.now())

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
            signatures.verify(secret, posted.headers, posted.body, now=services.now())
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
        signatures.verify(
            made["secret"], receiver.posted[-1].headers, receiver.posted[-1].body, now=services.now()
        )


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
