"""Tokens: created, listed and revoked by an owner's token with the scope ``admin``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.access.tokens import ADMIN, LONGEST_DAYS, LONGEST_NAME, SCOPES
from chalicelib.api import responses
from chalicelib.api.requests import body_of, owner_of, query_of, token_of

if TYPE_CHECKING:
    from chalicelib.wiring import Services

DAYS = 365


def create(request: Request, services: Services) -> Response:
    """``POST /tokens``: create a token with one's own scopes or fewer; only this response shows it."""
    fields = body_of(request, ("name", "scopes", "days"), optional=True)
    maker, own = token_of(request)
    scopes = fields.choices("scopes", SCOPES) or [one for one in own if one != ADMIN] or own
    days = fields.whole("days", low=1, high=LONGEST_DAYS) or DAYS
    name = fields.line("name", longest=LONGEST_NAME) or ""
    token, text = services.tokens.issue(owner_of(request), scopes, days=days, name=name, maker=maker)
    answer = responses.created(
        f"{responses.base_of(request)}/tokens/{token.id}", {**token.document(), "token": text}
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def index(request: Request, services: Services) -> Response:
    """``GET /tokens``: the owner's tokens, newest first, without their secrets."""
    query_of(request, ())
    tokens = services.tokens.all(owner_of(request))
    known = {"", *(one.id for one in tokens)}
    return responses.fresh({"tokens": [one.document(orphan=one.made_by not in known) for one in tokens]})


def show(request: Request, services: Services, token_id: str) -> Response:
    """``GET /tokens/{id}``."""
    token = services.tokens.get(owner_of(request), token_id)
    return responses.fresh(token.document(orphan=services.tokens.is_orphan(token)))


def remove(request: Request, services: Services, token_id: str) -> Response:
    """``DELETE /tokens/{id}``: revoke a token and, unless ``children=keep``, those created with it."""
    kept = query_of(request, ("children",)).choice("children", "revoke", "keep") == "keep"
    services.tokens.revoke(services.tokens.get(owner_of(request), token_id), children=not kept)
    return Response(body="", status_code=204)
