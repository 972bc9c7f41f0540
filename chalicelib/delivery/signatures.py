"""Signatures of deliveries, by the Standard Webhooks specification.

Source: the Standard Webhooks specification 1.0, "Webhook signatures" and "Secret format".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from chalicelib.errors import BadRequest

PREFIX = "whsec_"


def secret_of(key: bytes) -> str:
    """The secret of 32 bytes, in the form that receivers paste."""
    return PREFIX + base64.b64encode(key).decode("ascii")


def sign(signing_secrets: Sequence[str], webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one delivery, signed with each of ``signing_secrets``: two while one is being replaced.

    ``timestamp`` is in Unix seconds and that of this attempt; ``webhook_id`` stays the same over all of them.
    """
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            _signature(secret, webhook_id, str(timestamp), body) for secret in signing_secrets
        ),
    }


def _signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join([webhook_id.encode(), timestamp.encode(), body])
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise BadRequest("A signing secret is whsec_ and base64.", code="bad-secret") from error
