"""How Lambda notices that functions set each other off without end: a header goes along from call to call.

A function's calls carry the chain that led to it (botocore adds the header), SQS and SNS hand it on with the
message, and a function that is in the chain for the sixteenth time is not invoked again
(AWS Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops").
"""

from __future__ import annotations

import contextvars
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore import handlers

from local.limits import IN_A_CHAIN

HEADER = "X-Amzn-Trace-Id"
ATTRIBUTE = "AWSTraceHeader"  # of a message, in SQS's system attributes
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")


@contextmanager
def carried(trace: str) -> Iterator[None]:
    """Let what is sent in this block carry a trace."""
    before = _trace.set(trace)
    try:
        yield
    finally:
        _trace.reset(before)


def current() -> str:
    """The trace of this thread's work; empty where no function is at work."""
    return _trace.get()


def times(trace: str, function: str) -> int:
    """How often a function has been invoked in the chain that a trace tells of."""
    return _chain(trace).get(_name(function), 0)


def too_long(trace: str, function: str) -> bool:
    """Whether Lambda would not invoke a function any more in this chain."""
    return times(trace, function) >= IN_A_CHAIN


def extended(trace: str, function: str) -> str:
    """The trace that a function's own calls carry when it was invoked with ``trace``."""
    chain = _chain(trace)
    chain[_name(function)] = chain.get(_name(function), 0) + 1
    lineage = "|".join(f"{name}:{count}" for name, count in chain.items())
    return f"Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0;Lineage={lineage}"


def longest(traces: Iterable[str | None], function: str) -> str:
    """Of a batch's traces the one in which a function is found most often."""
    return max((one or "" for one in traces), key=lambda trace: times(trace, function), default="")


def _chain(trace: str) -> dict[str, int]:
    lineage = trace.partition("Lineage=")[2].partition(";")[0]
    parts = (part.partition(":") for part in lineage.split("|") if part)
    return {name: int(count) for name, _, count in parts}


def _name(function: str) -> str:
    """Lambda has a hash of the function's ARN there."""
    return f"{zlib.crc32(function.encode()):08x}"


class Traced:
    """A WSGI application that does what a request asks for in the trace of whoever sent it."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with carried(environ.get("HTTP_X_AMZN_TRACE_ID", "")):
            return self._app(environ, start_response)


def stamp(message: Any) -> None:
    """Note the trace of this thread's work on a message of moto's that has none."""
    if current() and ATTRIBUTE not in message.system_attributes:
        told = {"DataType": "String", "StringValue": current()}
        message.system_attributes = {**message.system_attributes, ATTRIBUTE: told}


def mend() -> None:
    """Let botocore take the trace from the thread's work: here a process is many functions at a time.

    In Lambda it is an environment variable of the process. Sessions made from now on have it.
    """
    built_in = handlers.BUILTIN_HANDLERS
    for place, one in enumerate(built_in):
        if one[1] is handlers.add_recursion_detection_header:
            built_in[place] = (one[0], _add_header, *one[2:])
    if not any(one[1] is _add_header for one in built_in):
        raise AttributeError("botocore adds no trace header any more: look how Lambda detects loops now.")


def _add_header(params: dict[str, Any], **_: Any) -> None:
    if current():
        params["headers"].setdefault(HEADER, current())
