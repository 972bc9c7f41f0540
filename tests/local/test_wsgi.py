"""The server in front of moto: one connection carries many requests, and none outlives its stack."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection

import pytest

from local.loopback import HOST
from local.moto_server import LocalAws

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/s3/aws4_request"}


@pytest.fixture(scope="module", autouse=True)
def bucket(aws: LocalAws) -> None:
    location = {"LocationConstraint": "eu-west-1"}
    aws.client("s3").create_bucket(Bucket="kept-open", CreateBucketConfiguration=location)


@pytest.fixture
def connection(aws: LocalAws) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection(HOST, aws.port, timeout=30)) as open_:
        yield open_


def ask(connection: HTTPConnection, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    headers = {**SIGNED, "X-Amz-Date": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")}
    connection.request(method, path, body, headers)  # type: ignore[arg-type]  # whatever it takes
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_requests_follow_each_other_on_a_connection(aws: LocalAws, connection: HTTPConnection) -> None:
    assert ask(connection, "PUT", "/kept-open/a", b"four")[0] == 200
    first = connection.sock
    assert ask(connection, "HEAD", "/kept-open/a") == (200, b"")
    assert ask(connection, "GET", "/kept-open/a") == (200, b"four")
    assert ask(connection, "DELETE", "/kept-open/a") == (204, b"")
    assert ask(connection, "GET", "/kept-open/a")[0] == 404
    assert connection.sock is first


def test_a_body_that_nobody_reads_is_no_part_of_the_next_request(connection: HTTPConnection) -> None:
    assert ask(connection, "PUT", "/no-such-bucket/a", b"x" * 100_000)[0] == 404
    assert ask(connection, "GET", "/no-such-bucket/a")[0] == 404


def test_a_body_may_come_in_chunks(connection: HTTPConnection) -> None:
    assert ask(connection, "PUT", "/kept-open/b", iter([b"fo", b"ur"]))[0] == 200
    assert ask(connection, "GET", "/kept-open/b")[1].endswith(b"four")


def test_a_stack_that_has_ended_answers_nobody() -> None:
    with LocalAws() as aws:
        connection = HTTPConnection(HOST, aws.port, timeout=30)
        assert ask(connection, "GET", "/no-such-bucket/a")[0] == 404
        assert isinstance(connection.sock, socket.socket)
    with closing(connection), pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(connection, "GET", "/no-such-bucket/a")
