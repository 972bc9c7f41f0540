"""moto without its server: a request of botocore's is handed to it in this process."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.loaders import create_loader
from moto.backends import get_backend
from moto.core.botocore_stubber import MockRawResponse
from moto.core.request import normalize_request
from werkzeug.exceptions import HTTPException

from local.loopback import ACCOUNT, REGION
from tests.stubs.fault_proxy import Answer

Serve = Callable[[str, str, AWSPreparedRequest], AWSResponse]

# moto is not made for threads, and a notification reaches from one service into another.
_turn = threading.RLock()
_descriptions = create_loader()  # of the services: each session would read them again


def session(serve: Serve) -> Any:
    """A boto3 session whose calls ``serve(service, operation, request)`` answers instead of a connection."""
    core = botocore.session.get_session()
    core.register_component("data_loader", _descriptions)
    made = boto3.session.Session("testing", "testing", region_name=REGION, botocore_session=core)

    def before_send(event_name: str, request: AWSPreparedRequest, **rest: Any) -> AWSResponse:
        _, service, operation = event_name.split(".")
        return serve(service, operation, request)

    made.events.register("before-send", before_send)
    return made


def carried_out(service: str, request: AWSPreparedRequest) -> AWSResponse:
    """What moto answers."""
    url = str(request.url).partition("?")[0]
    way = next(method for pattern, method in _ways_into(service) if pattern.match(url))
    asked = normalize_request(request)
    headers: Any
    body: Any
    with _turn:
        try:
            status, headers, body = way(asked, asked.raw_url, asked.headers)
        except HTTPException as error:
            status, headers, body = error.code or 500, dict(error.get_headers()), error.get_body()
    return AWSResponse(request.url, status, headers, MockRawResponse(body))


def answered(request: AWSPreparedRequest, answer: Answer) -> AWSResponse:
    """An answer that is not moto's."""
    return AWSResponse(request.url, answer.status, dict(answer.headers), MockRawResponse(answer.body))


@functools.cache
def _ways_into(service: str) -> list[tuple[re.Pattern[str], Any]]:
    regions = get_backend(service)[ACCOUNT]  # type: ignore[call-overload]  # a name that is not written here
    backend = regions["us-east-1" if "us-east-1" in regions else "aws"]
    return [(re.compile(pattern), method) for pattern, method in backend.urls.items()]
