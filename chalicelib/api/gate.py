"""The gate: every route is shut but for a few, and a token opens as much as its scopes say.

API Gateway asks the authorizer who sends a token, and keeps the answer for a minute; what the token
opens is decided here for each request, so that a route can be neither forgotten nor cached open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chalice.app import Authorizer, AuthResponse, CORSConfig, Request, RouteEntry

from chalicelib.access.rates import WINDOW_SECONDS
from chalicelib.access.tokens import ADMIN, READ, WRITE
from chalicelib.api.requests import owner_of
from chalicelib.errors import Forbidden, Unauthorized
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.wiring import Services

KEPT_SECONDS = 60  # how long a revoked token may still open a deployed API
OPEN = frozenset({"/", "/health", "/docs", "/openapi.json"})
OPEN_BELOW = ("/page/", "/schemas/")
# Reading takes read and everything else write, but for what is below these.
_SCOPE_BELOW = {
    "/tokens": ADMIN,
    "/signing-secret": WRITE,  # who knows it can speak in the service's name
}


def shut(routes: Mapping[str, Mapping[str, RouteEntry]], door: Authorizer | None) -> None:
    """Put every route of an app behind ``door``, if there is one; only :func:`is_open` lets one stay open."""
    for path, methods in routes.items():
        for entry in methods.values():
            entry.authorizer = None if is_open(path) else door


def shared_with(origin: str) -> CORSConfig | bool:
    """What browsers are told about pages of another ``origin``; pages of no other may ask where it is empty.

    One only: API Gateway answers preflight requests itself, always alike.
    """
    if not origin:
        return False
    return CORSConfig(
        allow_origin=origin,
        allow_headers=["Idempotency-Key", "If-Match", "If-None-Match", "Prefer"],
        expose_headers=["ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy"],
        max_age=3600,
    )


def is_open(route: str) -> bool:
    """Whether a route (``/images/{image_id}``) is open to everybody."""
    return route in OPEN or route.startswith(OPEN_BELOW)


def scope_for(method: str, route: str) -> str:
    """The scope that a token needs for a route that is not open."""
    special = (scope for below, scope in _SCOPE_BELOW.items() if f"{route}/".startswith(f"{below}/"))
    return next(special, READ if method in ("GET", "HEAD") else WRITE)


def admit(header: str, services: Services) -> AuthResponse:
    """The authorizer's answer to an ``Authorization`` header: who it is, with which scopes.

    Raises what API Gateway takes for a 401 (Amazon API Gateway developer guide, "Use API Gateway Lambda
    authorizers"): an exception that says ``Unauthorized``, and nothing else.
    """
    scheme, _, text = header.strip().partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise Unauthorized("A token is sent as Authorization: Bearer.")
        token = services.tokens.recognise(text.strip())
    except Unauthorized:
        raise Exception("Unauthorized") from None
    context = {"owner": token.owner, "scopes": " ".join(token.scopes), "token": token.id}
    return AuthResponse(routes=["*"], principal_id=token.owner, context=context)


def enter(request: Request, services: Services) -> dict[str, str]:
    """Let a request through to its route; the headers that tell what is left, if that is bounded.

    It is counted as soon as it is known who asks, and before anything else is looked at: what is refused,
    here or by its route, counts as well. The headers are those of the IETF's draft "RateLimit header fields
    for HTTP".

    :raises Unauthorized: nobody said who asks.
    :raises TooManyRequests: the owner has asked too often in the last minute.
    :raises Forbidden: its token does not open this.
    """
    route = request.context["resourcePath"]
    if is_open(route):
        return {}
    caller = request.context.get("authorizer")
    if not caller and services.settings.auth != "none":
        raise Unauthorized("Send a token: Authorization: Bearer.")
    allowance = services.rates.take(owner_of(request))
    _check_scope(scope_for(request.method, route), caller, services.settings)
    if allowance is None:
        return {}
    return {
        "RateLimit-Policy": f'"owner";q={allowance.limit};w={WINDOW_SECONDS}',
        "RateLimit": f'"owner";r={allowance.left};t={allowance.seconds}',
    }


def _check_scope(needed: str, caller: Mapping[str, str] | None, settings: Settings) -> None:
    if settings.auth == "none":
        if needed == ADMIN:  # a token made while everybody could make one would outlive that
            raise Forbidden("Tokens are only to be had over HTTP where AUTH is token.", code="auth-is-off")
    elif not caller or needed not in caller["scopes"].split():
        raise Forbidden(f"This takes a token with the scope {needed}.", code="insufficient-scope")
