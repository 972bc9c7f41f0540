"""Bodies that nobody sends by accident: never a 500, always a problem with a code.

Holds `chalicelib/api/fields.py`.
"""

from __future__ import annotations

import json

import pytest
from chalice.app import Request

from chalicelib.api import requests
from chalicelib.errors import BadRequest
from tests.api.client import Api
from tests.fakes.services import FakeServices

ROUTES = ("/images", "/blobs", "/blobs/upload", "/upload")
PNG = "iVBORw0KGgo="


def with_field(name: str, value: object) -> bytes:
    return json.dumps({name: value}).encode()


# What no route can read.
UNREADABLE = {
    "not json": b"{",
    "a word": b"hello",
    "single quotes": b"{'url': 1}",
    "a trailing comma": b'{"url": "x",}',
    "two documents": b"{}{}",
    "null": b"null",
    "true": b"true",
    "a number": b"12",
    "a string": b'"url"',
    "a list": b"[]",
    "a list of objects": b'[{"url": "https://example.com/"}]',
    "white space": b"  \n ",
    "a NUL": b"\x00",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "invalid UTF-8": b'{"filename": "\xff"}',
    "half a UTF-8 character": b'{"filename": "\xc3',
    "an overlong UTF-8 slash": b'{"filename": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"filename": "\xed\xa0\x80"}',
    "a raw control character": b'{"filename": "a\nb"}',
    "NaN alone": b"NaN",
    "Infinity alone": b"-Infinity",
    "NaN in a field": b'{"min_confidence": NaN, "callback_url": 1}',
    "an endless number": b'{"callback_url": ' + b"9" * 5000 + b"}",
    "a huge exponent": b'{"callback_url": 1e999}',
    "deep lists": b"[" * 100_000,
    "deep lists, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep in a field": b'{"callback_url":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a field twice": b'{"callback_url": "https://a.example/", "callback_url": "https://b.example/"}',
    "an unknown field": b'{"colour": "red"}',
    "an unknown field of a megabyte": json.dumps({"x" * 1_000_000: 1}).encode(),
    "an unknown field with a lone surrogate": b'{"\\ud800": 1}',
    "an unknown field twice": b'{"a": 1, "a": 2}',
    "an empty field name": b'{"": 1}',
    "a prototype": b'{"__proto__": {"admin": true}}',
    "a field in capitals": b'{"URL": "https://example.com/"}',
    "seven megabytes": b'{"callback_url": "' + b"x" * 7_000_000 + b'"}',
}

# What is read but refused.
REFUSED = {
    "/images": {
        "an empty body": b"",
        "url is null": with_field("url", None),
        "url is a number": with_field("url", 1),
        "url is a list": with_field("url", ["https://example.com/"]),
        "url is empty": with_field("url", ""),
        "url is private": with_field("url", "http://127.0.0.1/"),
        "url is a file": with_field("url", "file:///etc/passwd"),
        "url is script": with_field("url", "javascript:alert(1)"),
        "url has a line break": with_field("url", "https://example.com/\r\nHost: x"),
        "url is endless": with_field("url", "https://example.com/" + "a" * 3000),
        "url has a surrogate": with_field("url", "https://example.com/\ud800"),
        "content is null": with_field("content", None),
        "content is an object": with_field("content", {}),
        "content is empty": with_field("content", ""),
        "content is not base64": with_field("content", "not base64!"),
        "content is URL-safe base64": with_field("content", "_-__"),
        "content lacks padding": with_field("content", "iVBORw0KGgo"),
        "content is padding": with_field("content", "===="),
        "content has spaces": with_field("content", "iVBO Rw0K"),
        "content has surplus padding": with_field("content", "iVBORw0K===="),
        "content goes on after padding": with_field("content", PNG + "AAAA"),
        "content is not ASCII": with_field("content", "é" * 4),
        "content is a surrogate": with_field("content", "\ud800"),
        "content is a data URL without base64": with_field("content", "data:image/png,abc"),
        "content is a data URL without a comma": with_field("content", "data:image/png;base64"),
        "content is an empty data URL": with_field("content", "data:,"),
        "content is a data URL of nothing": with_field("content", "data:image/png;base64,"),
        "content has endless parameters": with_field("content", "data:image/png" + ";a=b" * 5000 + "," + PNG),
        "content is large": with_field("content", "A" * 6_100_000),
        "two sources": json.dumps({"url": "https://example.com/", "content": PNG}).encode(),
        "filename is a number": with_field("filename", 1),
        "filename is empty": with_field("filename", ""),
        "filename is long": with_field("filename", "x" * 256),
        "filename has a NUL": with_field("filename", "a\x00.jpg"),
        "filename has a line break": with_field("filename", "a\r\nSet-Cookie: x"),
        "filename has a C1 control": with_field("filename", "a\x85b"),
        "filename has a line separator": with_field("filename", "a\u2028b"),
        "filename has a surrogate": with_field("filename", "\udfff.jpg"),
        "callback is a number": with_field("callback_url", 1),
        "callback is private": with_field("callback_url", "http://127.0.0.1/"),
        "metadata is a list": with_field("metadata", []),
        "metadata is null": with_field("metadata", None),
        "metadata holds a number": with_field("metadata", {"a": 1}),
        "metadata holds an object": with_field("metadata", {"a": {"b": "c"}}),
        "metadata has a field twice": b'{"metadata": {"a": "1", "a": "2"}}',
        "metadata has an empty key": with_field("metadata", {"": "a"}),
        "metadata has a long key": with_field("metadata", {"k" * 129: "a"}),
        "metadata has a control in a key": with_field("metadata", {"a\x07": "a"}),
        "metadata has a long value": with_field("metadata", {"a": "v" * 1025}),
        "metadata has a surrogate": with_field("metadata", {"a": "\ud800"}),
        "metadata has many entries": with_field("metadata", {str(number): "" for number in range(51)}),
        "metadata is large": with_field("metadata", {str(number): "v" * 1000 for number in range(20)}),
        "confidence is text": with_field("min_confidence", "70"),
        "confidence is true": with_field("min_confidence", True),
        "confidence is NaN": b'{"min_confidence": NaN}',
        "confidence is infinite": b'{"min_confidence": 1e999}',
        "confidence is negative": with_field("min_confidence", -0.1),
        "confidence is above 100": with_field("min_confidence", 100.1),
        "confidence is enormous": b'{"min_confidence": ' + b"9" * 400 + b"}",
        "labels are none": with_field("max_labels", 0),
        "labels are many": with_field("max_labels", 1001),
        "labels are half": with_field("max_labels", 1.5),
        "labels are false": with_field("max_labels", False),
        "labels are enormous": b'{"max_labels": ' + b"9" * 4000 + b"}",
    },
    "/upload": {
        "an empty body": b"",
        "an empty object": b"{}",
        "no content": with_field("filename", "a.jpg"),
        "no filename": with_field("content", PNG),
        "filename is null": json.dumps({"filename": None, "content": PNG}).encode(),
        "filename has a NUL": json.dumps({"filename": "\x00", "content": PNG}).encode(),
        "content is not base64": json.dumps({"filename": "a.jpg", "content": "%%%"}).encode(),
        "content is large": json.dumps({"filename": "a.jpg", "content": "A" * 6_100_000}).encode(),
    },
    "/blobs": {
        "callback is null": with_field("callback_url", None),
        "callback is a list": with_field("callback_url", []),
        "callback is empty": with_field("callback_url", ""),
        "callback is private": with_field("callback_url", "http://127.0.0.1:9/"),
        "a field of another route": with_field("filename", "a.jpg"),
    },
}
CASES = [
    *(
        pytest.param(route, body, id=f"{route} {name}")
        for route in ROUTES
        for name, body in UNREADABLE.items()
    ),
    *(
        pytest.param(route, body, id=f"{route} {name}")
        for route, bodies in REFUSED.items()
        for name, body in bodies.items()
    ),
]


@pytest.mark.parametrize(("route", "body"), CASES)
def test_a_hostile_body_is_answered_by_a_problem_and_leaves_nothing(
    api: Api, services: FakeServices, route: str, body: bytes
) -> None:
    answer = api.request("POST", route, raw=body)
    assert answer.status_code in (400, 413, 422), answer.body[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json_body["code"]
    assert len(answer.body) < 2000, "the answer echoes what was sent"
    assert services.table.transactions == []
    assert services.objects.stored == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"metadata": {"a/b": 1}}, "/metadata/a~1b"),
        ({"max_labels": 0}, "/max_labels"),
        ({"content": "!"}, "/content"),
        ([], ""),
    ],
)
def test_a_problem_points_at_what_it_is_about(api: Api, body: object, pointer: str) -> None:
    assert api.post("/images", body).json_body["pointer"] == pointer


def test_an_unknown_field_is_answered_with_those_that_are_known(api: Api) -> None:
    detail = api.post("/upload", {"name": "a.jpg"}).json_body["detail"]
    assert detail == "name is not a field here; known are filename, content, image, body, file."


def test_a_number_without_a_fraction_is_whole_however_it_is_written(api: Api) -> None:
    image = api.request("POST", "/images", raw=b'{"max_labels": 5.0, "min_confidence": 0}').json_body
    assert (image["max_labels"], image["min_confidence"]) == (5, 0)


def gateway_request(body: str | None, *, encoded: bool) -> Request:
    """A request with its body as API Gateway hands it over."""
    event = {
        "multiValueQueryStringParameters": None,
        "headers": {"content-type": "application/json"},
        "pathParameters": None,
        "requestContext": {"httpMethod": "POST", "resourcePath": "/images", "path": "/api/images"},
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": encoded,
    }
    return Request(event)


@pytest.mark.parametrize(
    ("body", "encoded"), [('{"filename": "é.jpg"}', False), ("eyJmaWxlbmFtZSI6ICLDqS5qcGcifQ==", True)]
)
def test_a_body_is_read_as_a_gateway_hands_it_over(body: str, encoded: bool) -> None:
    fields = requests.body_of(gateway_request(body, encoded=encoded), ("filename",))
    assert fields.line("filename", longest=9) == "é.jpg"


@pytest.mark.parametrize(
    ("body", "encoded"), [(None, False), ("é", True), ("e", True), ('{"filename": "\ud800"}', False)]
)
def test_a_body_that_a_gateway_mangled_is_refused(body: str | None, encoded: bool) -> None:
    with pytest.raises(BadRequest) as refused:
        requests.body_of(gateway_request(body, encoded=encoded), ("filename",))
    assert refused.value.code == "bad-json"
