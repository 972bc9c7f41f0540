"""The gate: a token opens as much as its scopes say, by the scope that stands in the table of routes.

API Gateway asks the authorizer who sends a token, and keeps the answer for a minute. What the token
opens is decided here for each request, so that a route can be neither forgotten nor cached open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chalice.app import AuthResponse, CORSConfig, Request

from chalicelib.access.rate_limiter import WINDOW_SECONDS
from chalicelib.access.tokens import ADMIN
from chalicelib.api.requests import owner_of
from chalicelib.errors import Forbidden, Unauthorized
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.wiring import Services

KEPT_SECONDS = 60  # how long a revoked token may still open a deployed API


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


def enter(request: Request, scope: str, services: Services) -> dict[str, str]:
    """Let a request through to a route that takes ``scope``; the headers that tell how many more may follow.

    A route without a scope is open to everybody. Any other request is counted as soon as it is known who
    asks, before anything else is looked at: what is refused, here or by its route, counts as well. The
    headers are those of the IETF's draft "RateLimit header fields for HTTP".

    :raises Unauthorized: nobody said who asks.
    :raises TooManyRequests: the owner has asked too often in the last minute.
    :raises Forbidden: its token does not open this.
    """
    if not scope:
        return {}
    caller = request.context.get("authorizer")
    if not caller and services.settings.auth != "none":
        raise Unauthorized("Send a token: Authorization: Bearer.")
    allowance = services.rate_limiter.take(owner_of(request))
    _check_scope(scope, caller, services.settings)
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
