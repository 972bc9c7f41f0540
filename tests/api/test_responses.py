"""Links, behind whatever stands before the service."""

from __future__ import annotations

import pytest
from chalice.app import Request

from chalicelib.api import responses


def request(path: str, template: str, **headers: str) -> Request:
    """A request as API Gateway describes it: ``path`` with the stage or base path, ``template`` without."""
    event = {
        "multiValueQueryStringParameters": None,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "pathParameters": {},
        "requestContext": {"httpMethod": "GET", "resourcePath": template, "path": path},
        "body": None,
        "stageVariables": None,
    }
    return Request(event)


GATEWAY = {"Host": "x1.execute-api.eu-west-1.amazonaws.com", "X_Forwarded_Proto": "https"}


@pytest.mark.parametrize(
    ("path", "template", "headers", "base"),
    [
        ("/images", "/images", {"Host": "127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ("/images/1/content", "/images/{image_id}/content", {"Host": "[::1]:8000"}, "http://[::1]:8000"),
        ("/api/images/1", "/images/{image_id}", GATEWAY, f"https://{GATEWAY['Host']}/api"),
        ("/api/", "/", GATEWAY, f"https://{GATEWAY['Host']}/api"),
        ("/api", "/", GATEWAY, f"https://{GATEWAY['Host']}/api"),
        ("/images/", "/images", {"Host": "labels.example"}, "http://labels.example"),
        ("/v1/photos/images", "/images", {"Host": "labels.example"}, "http://labels.example/v1/photos"),
        ("/", "/", {"Host": "labels.example"}, "http://labels.example"),
        ("/api/images", "/images", {}, "/api"),
        ("/api/images", "/images", {"Host": 'evil"><script>'}, "/api"),
        ("/api/images", "/images", {"Host": "a.example/path"}, "/api"),
        ("/images", "/images", {"Host": "a.example", "X_Forwarded_Proto": "gopher"}, "http://a.example"),
    ],
)
def test_links_begin_where_the_client_found_the_api(
    path: str, template: str, headers: dict[str, str], base: str
) -> None:
    assert responses.base_of(request(path, template, **headers)) == base


def test_any_tag_will_do_for_a_star() -> None:
    answer = responses.tagged(request("/", "/", if_none_match="*"), {"a": 1})
    assert (answer.status_code, answer.body) == (304, "")


def test_the_same_body_has_the_same_tag_and_another_has_not() -> None:
    asked = request("/", "/")
    tags = [responses.tagged(asked, body).headers["ETag"] for body in ({"a": 1}, {"a": 1}, {"a": 2})]
    assert tags[0] == tags[1] != tags[2]
