"""``Idempotency-Key``: the same request sent again does nothing again."""

from __future__ import annotations

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

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def once(
    request: Request,
    services: Services,
    make: Callable[[str], Response],
    renewed: Callable[[Json], Json],
) -> Response:
    """Answer with ``make(id)``, or with what it answered to this key within the last 24 hours.

    In that, ``renewed(body)`` replaces what does not hold so long, like addresses to upload to. Refusals are
    not kept: a request that was wrong may be put right under its key.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return make(new_id())
    if not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key has 1 to 255 visible ASCII characters.", code="bad-idempotency-key")
    claim = services.repeats.claim(owner_of(request), key, raw_body_of(request))
    if claim.answer is not None:
        return _again(claim, renewed)
    answer = _made(services, claim, make)
    kept = {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.body}
    services.repeats.keep(claim, kept)
    return answer


def _made(services: Services, claim: Claim, make: Callable[[str], Response]) -> Response:
    try:
        return make(claim.made_id)
    except Permanent:
        services.repeats.forget(claim)
        raise
    except Exception:
        services.repeats.give_back(claim)
        raise


def _again(claim: Claim, renewed: Callable[[Json], Json]) -> Response:
    kept = claim.answer or {}
    headers = {**kept["headers"], "Idempotency-Replayed": "true"}
    return Response(body=renewed(kept["body"]), status_code=kept["status"], headers=headers)
