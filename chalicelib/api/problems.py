"""What goes wrong becomes a problem document (RFC 9457); here alone an error gets its HTTP status."""

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
TYPES = "urn:sightline:problem:"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="sightline"'}  # RFC 6750 §3
NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}  # no answer is a page because it looks like one
RETRY_AFTER_SECONDS = 1  # said where the other side did not say


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its HTTP ``status``, the ``slug`` that ends its type URI, and its ``title``."""

    status: int
    slug: str
    title: str


BAD_REQUEST = Kind(400, "bad-request", "The request cannot be understood")
METHOD_NOT_ALLOWED = Kind(405, "method-not-allowed", "The method does not fit this address")
INTERNAL_ERROR = Kind(500, "internal-error", "Something broke on our side")

KINDS: dict[type, Kind] = {
    BadRequest: BAD_REQUEST,
    Unauthorized: Kind(401, "unauthorized", "This needs a token"),
    Forbidden: Kind(403, "forbidden", "This is not open to you"),
    NotFound: Kind(404, "not-found", "There is no such thing"),
    Conflict: Kind(409, "conflict", "It is not in a state for this"),
    Stale: Kind(412, "precondition-failed", "It has changed meanwhile"),
    KeyReused: Kind(422, "key-reused", "The key stands for another request"),
    TooLarge: Kind(413, "too-large", "That is more than may be sent this way"),
    TooMuch: Kind(422, "too-much", "That is more than can be kept"),
    UnreadableBody: Kind(415, "unsupported-media-type", "The body is not of a type that is read here"),
    SourceRefused: Kind(422, "unreadable", "The source cannot be read"),
    UnusableUrl: Kind(422, "unusable-url", "The URL cannot be used"),
    UnusableImage: Kind(422, "unusable-image", "The image cannot be used"),
    TooManyRequests: Kind(429, "too-many-requests", "Too many requests at once"),
    Transient: Kind(503, "unavailable", "Not now; please try again"),
}
FRAMEWORK_KINDS = {kind.status: kind for kind in (BAD_REQUEST, METHOD_NOT_ALLOWED)}
INTERNAL_DETAIL = "The request could not be answered; what happened was logged."


def of_error(error: Exception, request: Request, *, message: bool = False) -> Response:
    """The problem that an error is answered as; one that nobody foresaw is logged, and told nothing of.

    With ``message`` the problem has its detail under that name too: clients of older services look for it.
    """
    kind = kind_of(error)
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
    """Middleware: Chalice's own errors (``{"Code", "Message"}``) leave as problems, headers kept.

    What is said before a route is found, a 405, lacks the headers for pages of another origin: ``cors``.
    """
    shared: Headers = dict(cors.get_access_control_headers()) if isinstance(cors, CORSConfig) else {}

    def answered(request: Request, get_response: Callable[[Request], Response]) -> Response:
        response = get_response(request)
        body = response.body
        if not (isinstance(body, dict) and body.keys() == {"Code", "Message"}):
            return response
        kind = FRAMEWORK_KINDS.get(response.status_code, INTERNAL_ERROR)
        headers = {**shared, **response.headers}
        return problem(kind, _detail(kind, body["Message"]), code=kind.slug, headers=headers)

    return answered


def kind_of(error: Exception) -> Kind:
    """The kind of the error's closest class; what has none is our own fault."""
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), INTERNAL_ERROR)


def problem(
    kind: Kind,
    detail: str,
    *,
    code: str,
    pointer: str | None = None,
    headers: Headers | None = None,
    more: Mapping[str, str | int] = MappingProxyType({}),
) -> Response:
    """A problem document as an answer.

    ``pointer`` is a JSON Pointer (RFC 6901) into the body, or ``?name`` for a query parameter; ``more`` are
    the extension members of this kind of problem (RFC 9457 §3.2).
    """
    body: Json = {
        **more,
        "type": TYPES + kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": code,
    }
    if pointer is not None:
        body["pointer"] = pointer
    fixed: Headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **NO_SNIFFING}
    return Response(body=body, status_code=kind.status, headers={**(headers or {}), **fixed})


def _detail(kind: Kind, message: str) -> str:
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
