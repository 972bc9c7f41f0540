"""The delivery log over HTTP: what was sent to whom, and sending it again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.delivery import KEPT_ATTEMPTS
from chalicelib.delivery.delivery_log import key_of
from chalicelib.expressions import Update
from chalicelib.outbound.response import Headers, Reply
from tests.api.client import Api
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver
from tests.fakes.services import FakeServices


def told(services: Any, *names: str) -> list[str]:
    """Have images labelled and told of; their ids."""
    mail = Mail(services)
    for name in names:
        services.clock.forward(1)
        pipeline.label_image(services.drop(f"uploads/{name}"), services)
        mail.run()
    return [services.image_at(f"uploads/{name}").id for name in names]


class TestTheLog:
    def test_an_image_shows_who_was_told_attempt_by_attempt(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        receiver.answer_with(503, 200)
        [image_id] = told(services, "cat.jpg")
        [delivery] = api.get(f"/images/{image_id}/deliveries").json_body["deliveries"]
        assert (delivery["destination"], delivery["status"]) == ("integration", "delivered")
        assert [one["status"] for one in delivery["attempts"]] == [503, 200]
        assert delivery["id"] == receiver.ids[0]
        assert api.get(f"/deliveries/{delivery['id']}").json_body == delivery

    def test_a_destination_is_paged_newest_first_without_gap_or_repeat(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        ids = told(services, *"abcde")
        seen, cursor = [], ""
        while True:
            page = api.get(f"/deliveries?destination=integration&limit=2{cursor}").json_body
            seen += [one["image_id"] for one in page["deliveries"]]
            if not page["next_cursor"]:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == ids[::-1]

    def test_the_parked_ones_can_be_listed_alone(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        receiver.answer_with(200, 400, 200)
        _, refused, _ = told(services, *"abc")
        page = api.get("/deliveries?destination=integration&status=parked").json_body
        assert [one["image_id"] for one in page["deliveries"]] == [refused]
        assert page["deliveries"][0]["reason"]

    def test_without_a_destination_all_that_is_parked_is_listed(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        api.post("/subscriptions", {"url": "https://hook.example/in"})
        receiver.answer_with(400, 400, 200)
        first, _ = told(services, *"ab")
        listed = api.get("/deliveries?status=parked").json_body["deliveries"]
        assert {(one["image_id"], one["status"]) for one in listed} == {(first, "parked")}
        assert len({one["destination"] for one in listed}) == 2
        assert api.get("/deliveries").json_body["deliveries"] == listed
        api.post(f"/deliveries/{listed[0]['id']}/retry", {})
        assert api.get("/deliveries").json_body["deliveries"] == listed[1:]

    def test_a_page_ends_before_it_is_too_large_for_an_answer(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        receiver.answer_with(Reply(400, Headers(), b"\x00" * 1024))
        ids = told(services, *(f"{number}.jpg" for number in range(48)))
        for image_id in ids:
            for one in api.get(f"/images/{image_id}/deliveries").json_body["deliveries"]:
                delivery = services.deliveries.get("default", one["id"])
                attempts = (delivery.attempts * KEPT_ATTEMPTS)[:KEPT_ATTEMPTS]
                long = dataclasses.replace(delivery, attempts=attempts)
                services.table.write(Update(key_of("default", long.id), set=long.to_item()))
        seen, cursor, pages = [], "", 0
        while True:
            answer = api.get(f"/deliveries?destination=integration&limit=50{cursor}")
            assert len(json.dumps(answer.body.decode())) < 4_000_000
            seen += [one["image_id"] for one in answer.json_body["deliveries"]]
            pages += 1
            if not answer.json_body["next_cursor"]:
                break
            cursor = f"&cursor={answer.json_body['next_cursor']}"
        assert (seen, pages > 1) == (ids[::-1], True)

    @pytest.mark.parametrize(
        "path",
        [
            "/deliveries?destination=nobody",
            "/deliveries?destination=integration&status=delivered",
            "/deliveries?destination=integration&limit=51",
            "/deliveries?destination=integration&cursor=AAAA",
            "/deliveries?destination=integration&page=2",
        ],
    )
    def test_a_question_that_makes_no_sense_is_refused(self, api: Api, path: str) -> None:
        assert api.get(path).status_code == 400

    @pytest.mark.parametrize("name", ["x", "0" * 31, "G" * 32, "a" * 4000, "%2e%2e"])
    def test_what_is_not_there_is_not_found(self, api: Api, name: str) -> None:
        assert api.get(f"/deliveries/{name}").status_code == 404
        assert api.post(f"/deliveries/{name}/retry").status_code == 404
        assert api.get(f"/images/{name}/deliveries").status_code == 404


def test_a_dry_run_shows_the_very_bytes_that_are_sent(
    api: Api, services: FakeServices, receiver: FakeReceiver
) -> None:
    [image_id] = told(services, "kätzchen & co.jpg")
    dry = api.get(f"/images/{image_id}/metadata", accept="application/xml")
    assert dry.body == receiver.posted[0].body


class TestSendingAgain:
    def test_a_parked_delivery_is_sent_again_under_its_id(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        receiver.answer_with(400, 200)
        told(services, "cat.jpg")
        answer = api.post(f"/deliveries/{receiver.ids[0]}/retry")
        assert (answer.status_code, answer.json_body["status"]) == (202, "pending")
        Mail(services).run()
        assert api.get(f"/deliveries/{receiver.ids[0]}").json_body["status"] == "delivered"
        assert len(receiver.ids) == 2
        assert len(set(receiver.ids)) == 1

    def test_what_has_arrived_is_a_conflict(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        told(services, "cat.jpg")
        answer = api.post(f"/deliveries/{receiver.ids[0]}/retry")
        assert (answer.status_code, answer.json_body["code"]) == (409, "delivery-settled")

    def test_a_range_of_time_is_sent_again(
        self, api: Api, services: FakeServices, receiver: FakeReceiver
    ) -> None:
        receiver.answer_with(400)
        told(services, *"abc")
        asked = {"destination": "integration", "since": "2026-01-01", "until": "2027-01-01T00:00:00+02:00"}
        assert api.post("/deliveries/retry", asked).json_body == {"count": 3, "more": False}
        receiver.answer_with(200)
        Mail(services).run()
        page = api.get("/deliveries?destination=integration&status=parked").json_body
        assert page["deliveries"] == []

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"destination": None}, "/destination"),
            ({"destination": "nobody"}, "/destination"),
            ({"since": "yesterday"}, "/since"),
            ({"until": "2026-02-30"}, "/until"),
            ({"until": 5}, "/until"),
            ({"all": True}, "/all"),
        ],
    )
    def test_a_range_that_makes_no_sense_is_refused_with_a_pointer(
        self, api: Api, changes: dict[str, Any], pointer: str
    ) -> None:
        asked = {"destination": "integration", "since": "2026-01-01", "until": "2027-01-01", **changes}
        answer = api.post("/deliveries/retry", asked)
        assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)

    def test_a_range_without_an_end_is_refused(self, api: Api) -> None:
        answer = api.post("/deliveries/retry", {"destination": "integration", "since": "2026-01-01"})
        assert (answer.status_code, answer.json_body["pointer"]) == (400, "/until")
