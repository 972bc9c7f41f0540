"""``Idempotency-Key``: the same request sent again does nothing again."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.access.repeats import Claim
from chalicelib.api.requests import owner_of, raw_body_of
from chalicelib.errors import BadRequest, Permanent
from chalicelib.ids import new_id
from chalicelib.model import Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services

Handler = Callable[..., Response]

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_MADE_ID = "sightline.made_id"
_IDEMPOTENT: set[Handler] = set()  # filled while the handlers' modules are imported


def idempotent(
    renewed: Callable[..., Json] = lambda body, owner, services, *path: body, hidden: str = ""
) -> Callable[[Handler], Handler]:
    """Decorates the handler of a POST: it answers to a key as it answered to it within the last 24 hours.

    What it makes has the id that :func:`made_id` gives, so that whoever takes over from a crashed first
    request makes the same thing. In a repeated answer ``renewed(body, owner, services, *path)`` replaces what
    does not hold so long, like addresses to upload to, and the field ``hidden``, which is kept nowhere.
    Refusals are not kept: a request that was wrong may be put right under its key.
    """

    def decorated(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def once(request: Request, services: Services, *path: str) -> Response:
            key = _key_of(request)
            if key is None:
                return handler(request, services, *path)
            owner, asked = owner_of(request), "\n".join([request.path, *path, ""]).encode()
            claim = services.repeats.claim(owner, key, asked + raw_body_of(request))
            if claim.answer is not None:
                return _again(claim, renewed(claim.answer["body"], owner, services, *path))
            request.context[_MADE_ID] = claim.made_id
            answer = _made(services, claim, lambda: handler(request, services, *path))
            body = answer.body
            shown = {name: one for name, one in body.items() if name != hidden} if hidden else body
            kept = {"status": answer.status_code, "headers": dict(answer.headers), "body": shown}
            services.repeats.keep(claim, kept)
            return answer

        _IDEMPOTENT.add(once)
        return once

    return decorated


def made_id(request: Request) -> str:
    """The id for what a request makes: a new one, or the one that its key was claimed with."""
    return str(request.context.get(_MADE_ID) or new_id())


def check(request: Request, handler: Handler) -> None:
    """Refuse a key where it would not be honoured: whoever sends one counts on it.

    :raises BadRequest: ``handler`` is not :func:`idempotent`, or the key is no key.
    """
    if request.method == "POST" and _key_of(request) is not None and handler not in _IDEMPOTENT:
        raise BadRequest(
            "This route takes no Idempotency-Key: its answer holds what is kept nowhere.",
            code="no-idempotency-key-here",
        )


def _key_of(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key has 1 to 255 visible ASCII characters.", code="bad-idempotency-key")
    return key


def _made(services: Services, claim: Claim, make: Callable[[], Response]) -> Response:
    try:
        return make()
    except Permanent:
        services.repeats.forget(claim)
        raise
    except Exception:
        services.repeats.give_back(claim)
        raise


def _again(claim: Claim, body: Json) -> Response:
    kept = claim.answer or {}
    headers = {**kept["headers"], "Idempotency-Replayed": "true"}
    return Response(body=body, status_code=kept["status"], headers=headers)
