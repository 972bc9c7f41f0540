"""The gate: who sends a request, and may they? The scope that a route needs is in the table of routes.

API Gateway asks the authorizer who owns a token and caches the answer for a minute. The scope is checked
here, for each request: no route can be left open by mistake or by a cached answer.
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


def cors_for(origin: str) -> CORSConfig | bool:
    """The CORS headers that let pages of one other ``origin`` use the API; False if it is empty.

    There can be only one, because API Gateway answers every preflight request with the same headers.
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
    """The authorizer's answer to an ``Authorization`` header: the owner and the scopes of its token.

    For an unknown token it raises an exception whose whole text is ``Unauthorized``: API Gateway answers 401
    to nothing else (Amazon API Gateway developer guide, "Use API Gateway Lambda authorizers").
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
    """Check a request to a route that needs ``scope``; gives the headers that say how many more are allowed.

    A route without a scope is open to everybody. Any other request is counted first, so a request that is
    refused later, here or by its handler, counts too. The headers are those of the IETF draft "RateLimit
    header fields for HTTP".

    :raises Unauthorized: the request has no token.
    :raises TooManyRequests: the owner has sent too many requests in the last minute.
    :raises Forbidden: the token lacks the scope.
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
