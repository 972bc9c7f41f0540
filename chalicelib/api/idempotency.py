"""``Idempotency-Key``: a POST that is sent again is not done again; it gets the first answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.access.idempotency_keys import Claim
from chalicelib.api.requests import owner_of, raw_body_of
from chalicelib.errors import BadRequest, Permanent
from chalicelib.ids import new_id
from chalicelib.model import Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services

Handler = Callable[..., Response]

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_MADE_ID = "sightline.made_id"


@dataclass(frozen=True)
class Renewal:
    """How a stored answer is completed when it is given again.

    ``renewed(body, owner, services, **path)`` replaces what expires within a day, such as upload addresses,
    and adds the field ``hidden``, which is never stored.
    """

    renewed: Callable[..., Json] = lambda body, owner, services, **path: body
    hidden: str = ""


_UNCHANGED = Renewal()
_RENEWALS: dict[Handler, Renewal] = {}  # filled while the handlers' modules are imported


def renewing(renewed: Callable[..., Json], *, hidden: str = "") -> Callable[[Handler], Handler]:
    """Decorator for a handler whose stored answers need a :class:`Renewal`."""

    def decorated(handler: Handler) -> Handler:
        _RENEWALS[handler] = Renewal(renewed, hidden)
        return handler

    return decorated


def made_id(request: Request) -> str:
    """The id for what a request creates: a new one, or the one that its key was claimed with."""
    return str(request.context.get(_MADE_ID) or new_id())


def call(
    handler: Handler, request: Request, services: Services, path: Mapping[str, str], *, keyed: bool
) -> Response:
    """Call ``handler(request, services, **path)``, or give the answer that its key got within 24 hours.

    A handler takes the id of what it creates from :func:`made_id`, so a repeat that takes over from a crashed
    request creates the same thing. An error is not stored: a wrong request may be corrected under its key.

    :raises BadRequest: the key is malformed, or the route does not take one (``keyed``). It is not ignored
        there, because the client relies on it.
    """
    key = _key_of(request)
    if key is None:
        return handler(request, services, **path)
    if not keyed:
        raise BadRequest(
            "This route takes no Idempotency-Key: its answer holds what is kept nowhere.",
            code="no-idempotency-key-here",
        )
    renewal, owner = _RENEWALS.get(handler, _UNCHANGED), owner_of(request)
    asked = "\n".join([request.path, *path.values(), ""]).encode()
    claim = services.idempotency_keys.claim(owner, key, asked + raw_body_of(request))
    if claim.answer is not None:
        return _again(claim, renewal.renewed(claim.answer["body"], owner, services, **path))
    request.context[_MADE_ID] = claim.made_id
    answer = _made(services, claim, lambda: handler(request, services, **path))
    shown = answer.body
    if renewal.hidden:
        shown = {name: one for name, one in shown.items() if name != renewal.hidden}
    kept = {"status": answer.status_code, "headers": dict(answer.headers), "body": shown}
    services.idempotency_keys.keep(claim, kept)
    return answer


def _key_of(request: Request) -> str | None:
    """The key of a POST. The other methods are idempotent anyway, so their keys are ignored."""
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key has 1 to 255 visible ASCII characters.", code="bad-idempotency-key")
    return key


def _made(services: Services, claim: Claim, make: Callable[[], Response]) -> Response:
    try:
        return make()
    except Permanent:
        services.idempotency_keys.forget(claim)
        raise
    except Exception:
        services.idempotency_keys.give_back(claim)
        raise


def _again(claim: Claim, body: Json) -> Response:
    kept = claim.answer or {}
    headers = {**kept["headers"], "Idempotency-Replayed": "true"}
    return Response(body=body, status_code=kept["status"], headers=headers)
