"""AWS in this process: moto without HTTP behind every client of a session, and faults in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from chalicelib.aws import THROTTLED
from local import queues, tables
from local.aws import REGION
from tests.stubs.fault_proxy import DELAY_SECONDS, REFUSED, Answer, Fault, throttled
from torture.album import REFUSALS
from torture.invocation import current, given_up, sleep
from torture.plan import Plan
from torture.seer import Seer

READ_TIMEOUT = 10.0  # seconds, as in wiring
_moto = BotocoreStubber()
# moto is not made for threads, and a notification reaches from one service into another.
_turn = threading.RLock()


class Cloud:
    """Sessions of two kinds: one whose calls go as the plan says, and one that nothing happens to.

    Rekognition's calls are answered by ``seer``, all others by moto.
    """

    def __init__(self, plan: Plan, seer: Seer) -> None:
        self._plan = plan
        self._seer = seer
        self._clients: dict[str, Any] = {}
        self.quiet = _session(self._carried_out)
        queues.mend()
        tables.mend()

    def session(self) -> Any:
        """A session for the service under test."""
        session = _session(self._spoilt)
        session.events.register("after-call", self._ended)
        session.events.register("after-call-error", given_up)
        return session

    def client(self, service: str) -> Any:
        """A client for setting things up and looking at them, made once."""
        if service not in self._clients:
            self._clients[service] = self.quiet.client(service)
        return self._clients[service]

    def _ended(self, http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        code = parsed.get("Error", {}).get("Code", "")
        if http_response.status_code >= 500 or code in THROTTLED:
            given_up()
        elif model.name == "DetectLabels" and (not code or code in REFUSALS):
            self._seer.note_heard()

    def _spoilt(self, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        current().about_to(operation)
        fault = self._plan.fault_for(operation)
        match fault:
            case Fault.LOSE_CALL:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.REFUSE:
                return _response(request, REFUSED)
            case Fault.THROTTLE:
                return _response(request, throttled(request.method, _text(request.headers), _body(request)))
            case Fault.DELAY:
                time.sleep(DELAY_SECONDS)
            case Fault.REPEAT:
                self._carried_out(operation, request)
                request.reset_stream()
        answer = self._carried_out(operation, request)
        if fault is Fault.LOSE_ANSWER:
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    def _carried_out(self, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        if operation == "DetectLabels":
            return self._recognised(request)
        with _turn:
            answer = _moto.process_request(request)
        status, headers, body = answer or (404, {}, b"")
        return AWSResponse(request.url, status, headers, MockRawResponse(body))

    def _recognised(self, request: AWSPreparedRequest) -> AWSResponse:
        reply = self._seer.answered(_text(request.headers), _body(request))
        if reply is None:
            sleep(READ_TIMEOUT)
            raise ReadTimeoutError(endpoint_url=request.url)
        return _response(request, Answer(reply.status, tuple(reply.headers.items()), reply.content))


def _session(serve: Callable[[str, AWSPreparedRequest], AWSResponse]) -> Any:
    session = boto3.session.Session("testing", "testing", region_name=REGION)
    session.events.register(
        "before-send", lambda event_name, request, **_: serve(event_name.rpartition(".")[2], request)
    )
    return session


def _response(request: AWSPreparedRequest, answer: Answer) -> AWSResponse:
    return AWSResponse(request.url, answer.status, dict(answer.headers), MockRawResponse(answer.body))


def _text(headers: Any) -> dict[str, str]:
    return {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()
    }


def _body(request: AWSPreparedRequest) -> bytes:
    """What was sent; nothing where it is a stream, which only S3's calls are."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    return body if isinstance(body, bytes) else b""
