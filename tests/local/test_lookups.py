"""What moto remembers is what it would find out again."""

from __future__ import annotations

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local import lookups


@pytest.mark.parametrize(
    ("host", "backend"),
    [
        ("dynamodb.eu-west-1.amazonaws.com", "dynamodb"),
        ("sqs.eu-west-1.amazonaws.com", "sqs"),
        ("moto_api", "moto_api"),
        (None, None),
    ],
)
def test_a_host_leads_to_its_service_each_time(host: str | None, backend: str | None) -> None:
    application = DomainDispatcherApplication(create_backend_app)

    assert [lookups.backend_for_host(application, host) for _ in range(2)] == [backend] * 2


@pytest.mark.parametrize(("name", "spelt"), [("GetItem", "get_item"), ("SSEDescription", "sse_description")])
def test_a_name_is_spelt_alike_each_time(name: str, spelt: str) -> None:
    assert [lookups.camelcase_to_underscores(name) for _ in range(2)] == [spelt] * 2
