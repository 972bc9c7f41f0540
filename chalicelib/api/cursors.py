"""Page cursors: opaque strings, signed by this service and valid for one question of one owner only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from chalicelib.errors import BadRequest

if TYPE_CHECKING:
    from chalicelib.wiring import Services

LONGEST = 2048  # characters: base64 of a signature and of DynamoDB's longest sort key, 1,024 bytes
SIGNATURE_BYTES = 16


class Cursors:
    """The cursors of one question of one owner; the strings of ``question`` tell it from any other."""

    def __init__(self, services: Services, owner: str, *question: str) -> None:
        self._key = services.secret.key_for("cursors")
        self._question = json.dumps([owner, *question]).encode()

    def encode(self, place: str | None) -> str | None:
        """The cursor of the page that begins at ``place``; ``None`` if there is no further page."""
        if place is None:
            return None
        signed = self._signature(place.encode()) + place.encode()
        return base64.urlsafe_b64encode(signed).decode().rstrip("=")

    def decode(self, cursor: str | None) -> str | None:
        """The place that :meth:`encode` was given for this question; anything else is a :exc:`BadRequest`."""
        if cursor is None:
            return None
        try:
            signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError as error:  # binascii.Error, or characters beyond ASCII
            raise _bad() from error
        signature, place = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(place)):
            raise _bad()
        return place.decode()

    def _signature(self, place: bytes) -> bytes:
        # With its length in front, the question cannot run into the place.
        framed = b"%d:%b%b" % (len(self._question), self._question, place)
        return hmac.digest(self._key, framed, hashlib.sha256)[:SIGNATURE_BYTES]


def _bad() -> BadRequest:
    return BadRequest(
        "The cursor was not given out for this question; start again without it.",
        code="bad-cursor",
        pointer="?cursor",
    )
