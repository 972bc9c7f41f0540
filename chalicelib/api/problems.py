"""Errors as problem documents (RFC 9457). Only this table gives an error its HTTP status."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chalice.app import CORSConfig, Request, Response

from chalicelib.api.responses import Headers
from chalicelib.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    KeyReused,
    NotFound,
    SightlineError,
    SourceRefused,
    Stale,
    TooLarge,
    TooManyRequests,
    TooMuch,
    Transient,
    Unauthorized,
    UnreadableBody,
    UnusableImage,
    UnusableUrl,
)
from chalicelib.model import Json

log = logging.getLogger("sightline.api")

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:sightline:problem:"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="sightline"'}  # RFC 6750 §3
NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}  # browsers are not to guess another media type
RETRY_AFTER_SECONDS = 1  # where the error names no time


@dataclass(frozen=True)
class ProblemType:
    """A problem type: its HTTP ``status``, the ``slug`` at the end of its type URI, and its ``title``."""

    status: int
    slug: str
    title: str


BAD_REQUEST = ProblemType(400, "bad-request", "The request cannot be understood")
METHOD_NOT_ALLOWED = ProblemType(405, "method-not-allowed", "The method does not fit this address")
INTERNAL_ERROR = ProblemType(500, "internal-error", "Something broke on our side")

PROBLEM_TYPES: dict[type, ProblemType] = {
    BadRequest: BAD_REQUEST,
    Unauthorized: ProblemType(401, "unauthorized", "This needs a token"),
    Forbidden: ProblemType(403, "forbidden", "This is not open to you"),
    NotFound: ProblemType(404, "not-found", "There is no such thing"),
    Conflict: ProblemType(409, "conflict", "It is not in a state for this"),
    Stale: ProblemType(412, "precondition-failed", "It has changed meanwhile"),
    KeyReused: ProblemType(422, "key-reused", "The key stands for another request"),
    TooLarge: ProblemType(413, "too-large", "That is more than may be sent this way"),
    TooMuch: ProblemType(422, "too-much", "That is more than can be kept"),
    UnreadableBody: ProblemType(415, "unsupported-media-type", "The body is not of a type that is read here"),
    SourceRefused: ProblemType(422, "unreadable", "The source cannot be read"),
    UnusableUrl: ProblemType(422, "unusable-url", "The URL cannot be used"),
    UnusableImage: ProblemType(422, "unusable-image", "The image cannot be used"),
    TooManyRequests: ProblemType(429, "too-many-requests", "Too many requests at once"),
    Transient: ProblemType(503, "unavailable", "Not now; please try again"),
}
OF_FRAMEWORK = {kind.status: kind for kind in (BAD_REQUEST, METHOD_NOT_ALLOWED)}
INTERNAL_DETAIL = "The request could not be answered; what happened was logged."


def of_error(error: Exception, request: Request, *, message: bool = False) -> Response:
    """The problem document for an error.

    An unexpected error is logged with its traceback; the answer, a 500, says nothing about it. With
    ``message`` the detail is also there under that name, where clients of older services look for it.
    """
    kind = type_of(error)
    if isinstance(error, SightlineError) and kind is not INTERNAL_ERROR:
        advice, more = _advice(error), error.data
        made = problem(kind, error.detail, code=error.code, pointer=error.pointer, headers=advice, more=more)
    else:
        log.error("%s %s broke", request.method, request.path, exc_info=error)
        made = problem(INTERNAL_ERROR, INTERNAL_DETAIL, code=INTERNAL_ERROR.slug)
    if message:
        made.body["message"] = made.body["detail"]
    return made


def framework_errors_as_problems(cors: CORSConfig | bool | None) -> Callable[..., Response]:
    """Middleware that turns Chalice's own errors (``{"Code", "Message"}``) into problems, headers kept.

    A 405 comes before a route is found, so Chalice gives it no CORS headers; they are added from ``cors``.
    """
    shared: Headers = dict(cors.get_access_control_headers()) if isinstance(cors, CORSConfig) else {}

    def answered(request: Request, get_response: Callable[[Request], Response]) -> Response:
        response = get_response(request)
        body = response.body
        if not (isinstance(body, dict) and body.keys() == {"Code", "Message"}):
            return response
        kind = OF_FRAMEWORK.get(response.status_code, INTERNAL_ERROR)
        headers = {**shared, **response.headers}
        return problem(kind, _detail(kind, body["Message"]), code=kind.slug, headers=headers)

    return answered


def type_of(error: Exception) -> ProblemType:
    """The problem type of the error's closest class; an internal error if no class has one."""
    return next((PROBLEM_TYPES[cls] for cls in type(error).__mro__ if cls in PROBLEM_TYPES), INTERNAL_ERROR)


def problem(
    kind: ProblemType,
    detail: str,
    *,
    code: str,
    pointer: str | None = None,
    headers: Headers | None = None,
    more: Mapping[str, str | int] = MappingProxyType({}),
) -> Response:
    """A response with a problem document.

    ``pointer`` is a JSON Pointer (RFC 6901) into the body, or ``?name`` for a query parameter. ``more`` are
    extension members (RFC 9457 §3.2).
    """
    body: Json = {
        **more,
        "type": TYPE_PREFIX + kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": code,
    }
    if pointer is not None:
        body["pointer"] = pointer
    fixed: Headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **NO_SNIFFING}
    return Response(body=body, status_code=kind.status, headers={**(headers or {}), **fixed})


def _detail(kind: ProblemType, message: str) -> str:
    if kind is INTERNAL_ERROR:
        return INTERNAL_DETAIL
    return f"{message}."


def _advice(error: SightlineError) -> Headers:
    if isinstance(error, Unauthorized):
        return dict(CHALLENGE)
    if not isinstance(error, Transient):
        return {}
    seconds = error.retry_after or RETRY_AFTER_SECONDS
    return {"Retry-After": str(math.ceil(seconds))}
