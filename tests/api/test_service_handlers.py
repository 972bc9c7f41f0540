"""The service itself over HTTP.

Holds `chalicelib/health.py`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

import chalicelib
from chalicelib.errors import Unavailable
from chalicelib.health import KEPT_SECONDS, Health
from chalicelib.settings import Settings
from chalicelib.wiring import Services
from local.moto_server import LocalAws
from tests.api.client import Api
from tests.conftest import ENVIRONMENT
from tests.fakes.clock import Clock
from tests.fakes.services import FakeServices


class TestHealth:
    def test_it_says_which_version_answers(self, api: Api) -> None:
        assert api.get("/health").json_body == {
            "status": "ok",
            "version": chalicelib.__version__,
            "auth": "none",
        }

    def test_a_part_that_cannot_be_reached_is_named(self, api: Api, services: FakeServices) -> None:
        def silent() -> None:
            raise Unavailable("S3 could not be reached: ReadTimeoutError.")

        services.objects.reach = silent  # type: ignore[method-assign]
        answer = api.get("/health")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json_body["code"] == "bucket-unreachable"
        assert answer.json_body["detail"] == "The bucket cannot be reached."

    def test_asking_often_makes_no_more_calls(self, api: Api, services: FakeServices) -> None:
        for _ in range(20):
            api.get("/health")
        assert services.objects.reached == 1
        services.clock.forward(KEPT_SECONDS)
        api.get("/health")
        assert services.objects.reached == 2

    def test_a_part_that_comes_back_is_noticed_and_one_that_stays_away_is_not_asked_for_more_often(
        self,
    ) -> None:
        clock, asked, broken = Clock(), 0, True

        def probe() -> None:
            nonlocal asked
            asked += 1
            if broken:
                raise Unavailable("no")

        health = Health({"table": probe}, clock)
        for _ in range(3):
            with pytest.raises(Unavailable, match="The table cannot be reached"):
                health.check()
        assert asked == 1
        broken = False
        clock.forward(KEPT_SECONDS)
        health.check()
        assert asked == 2


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.mark.slow
class TestHealthOfRealClients:
    @pytest.fixture
    def services(self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch, aws_credentials: None) -> Services:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        return Services(Settings.read(ENVIRONMENT))

    def test_both_are_there_or_named_as_missing(self, services: Services, aws: LocalAws) -> None:
        with pytest.raises(Unavailable, match="The table and the bucket cannot be reached") as missing:
            services.health.check()
        assert missing.value.code == "table-unreachable"
        aws.client("s3").create_bucket(
            Bucket=ENVIRONMENT["BUCKET"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        aws.client("dynamodb").create_table(**table(ENVIRONMENT["TABLE"]))
        Services(services.settings).health.check()

    def test_a_silent_part_is_named_within_seconds(
        self, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            for service in ("S3", "DYNAMODB"):
                url = f"http://127.0.0.1:{silent.getsockname()[1]}"
                monkeypatch.setitem(os.environ, f"AWS_ENDPOINT_URL_{service}", url)
            began = time.monotonic()
            with pytest.raises(Unavailable, match="The table and the bucket"):
                services.health.check()
            assert time.monotonic() - began < 10


def table(name: str) -> dict[str, Any]:
    keys = {"pk": "HASH", "sk": "RANGE"}
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in keys],
        "KeySchema": [{"AttributeName": one, "KeyType": kind} for one, kind in keys.items()],
    }


def test_the_description_names_the_address_it_was_fetched_from(api: Api) -> None:
    description = api.get("/openapi.json", host="labels.example", x_forwarded_proto="https").json_body
    assert description["servers"] == [{"url": "https://labels.example"}]
    assert description["info"]["version"] == chalicelib.__version__
