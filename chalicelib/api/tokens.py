"""Tokens: made, listed, revoked, by whoever has the scope ``admin``, for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.access.tokens import LONGEST_DAYS, LONGEST_NAME, READ, SCOPES, WRITE
from chalicelib.api import answers
from chalicelib.api.requests import body_of, owner_of, query_of

if TYPE_CHECKING:
    from chalicelib.wiring import Services

DAYS = 365


def create(request: Request, services: Services) -> Response:
    """``POST /tokens``: a new token; this answer alone shows it."""
    fields = body_of(request, ("name", "scopes", "days"), optional=True)
    scopes = fields.choices("scopes", SCOPES) or (READ, WRITE)
    days = fields.whole("days", low=1, high=LONGEST_DAYS) or DAYS
    name = fields.line("name", longest=LONGEST_NAME) or ""
    token, text = services.tokens.issue(owner_of(request), scopes, days=days, name=name)
    answer = answers.created(
        f"{answers.base_of(request)}/tokens/{token.id}", {**token.document(), "token": text}
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def index(request: Request, services: Services) -> Response:
    """``GET /tokens``: the owner's tokens, newest first, without their secrets."""
    query_of(request, ())
    return answers.fresh({"tokens": [one.document() for one in services.tokens.all(owner_of(request))]})


def show(request: Request, services: Services, token_id: str) -> Response:
    """``GET /tokens/{id}``."""
    return answers.fresh(services.tokens.get(owner_of(request), token_id).document())


def remove(request: Request, services: Services, token_id: str) -> Response:
    """``DELETE /tokens/{id}``: revoke a token."""
    services.tokens.revoke(services.tokens.get(owner_of(request), token_id))
    return Response(body="", status_code=204)
