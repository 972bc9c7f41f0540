"""AWS in this process: moto without HTTP behind every client of a session, and faults in between."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from local import moto_queues, moto_sizes
from local.shard import Shard
from tests.fakes.dynamodb import FakeDynamo
from tests.fakes.pressure import Pressure
from tests.fakes.table import FakeTable
from tests.stubs.fault_proxy import DELAY_SECONDS, REFUSED, Answer, Fault, throttled
from torture.inside import answered, carried_out, session
from torture.invocation import at_work, current, now_in, sleep
from torture.plan import Plan
from torture.seer import Seer
from torture.witness import witnessed

INDEX_LAG = 1.0  # seconds until the index shows what has changed
# Of a partition: less than DynamoDB's thousand, as a schedule's fifty images are less than a busy owner's.
UNITS_A_SECOND = 400
SHARDS = 3  # of the stream: what lies in two of them comes in any order
READ_TIMEOUT = 10.0  # seconds, as in wiring


class Cloud:
    """Sessions of two kinds: one whose calls go as the plan says, and one that nothing happens to.

    Rekognition's calls are answered by ``seer``, the table's by a fake that is held to DynamoDB's contract,
    all others by moto.
    """

    def __init__(self, plan: Plan, seer: Seer, clock: Callable[[], float]) -> None:
        self._plan = plan
        self._seer = seer
        self.pressure = Pressure(
            now_in(clock), at_work, units_a_second=UNITS_A_SECOND, others=plan.meets_another
        )
        table = FakeTable(clock, shards=SHARDS, index_lag=INDEX_LAG)
        self._dynamo = FakeDynamo(table, self.pressure)
        self._clients: dict[str, Any] = {}
        self.quiet = session(self._carried_out)
        moto_queues.mend()
        moto_sizes.mend()

    def session(self) -> Any:
        """A session for the service under test."""
        return witnessed(session(self._spoilt), self._seer)

    def client(self, service: str) -> Any:
        """A client for setting things up and looking at them, made once."""
        if service not in self._clients:
            self._clients[service] = self.quiet.client(service)
        return self._clients[service]

    def shards(self) -> Sequence[Shard]:
        """The shards of the table's stream."""
        return self._dynamo.table.shards

    def first_due(self) -> str | None:
        """When the first record is due of those that the sweep looks after."""
        return next(iter(self._dynamo.table.due_times("")), None)

    def _spoilt(self, service: str, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        current().about_to(operation)
        fault = self._plan.fault_for(operation)
        match fault:
            case Fault.LOSE_CALL:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.REFUSE:
                return answered(request, REFUSED)
            case Fault.THROTTLE:
                return answered(request, throttled(request.method, _text(request.headers), _body(request)))
            case Fault.DELAY:
                time.sleep(DELAY_SECONDS)
            case Fault.REPEAT:
                self._carried_out(service, operation, request)
                request.reset_stream()
        answer = self._carried_out(service, operation, request)
        if fault is Fault.LOSE_ANSWER:
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    def _carried_out(self, service: str, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        if service == "rekognition":
            return self._recognised(request)
        if service == "dynamodb" and self._dynamo.knows(operation):
            status, answer = self._dynamo.answer(operation, _body(request))
            return answered(request, Answer(status, (), json.dumps(answer).encode()))
        return carried_out(service, request)

    def _recognised(self, request: AWSPreparedRequest) -> AWSResponse:
        reply = self._seer.answered(_text(request.headers), _body(request))
        if reply is None:
            sleep(READ_TIMEOUT)
            raise ReadTimeoutError(endpoint_url=request.url)
        return answered(request, Answer(reply.status, tuple(reply.headers.items()), reply.content))


def _text(headers: Any) -> dict[str, str]:
    return {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()
    }


def _body(request: AWSPreparedRequest) -> bytes:
    """What was sent; nothing where it is a stream, which only S3's calls are."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    return body if isinstance(body, bytes) else b""
