"""The root key, from which signing secrets are derived: kept in SSM Parameter Store, not in the table.

It is a SecureString there, so whoever can read only the table cannot work out the signing secrets. The first
function that needs the key makes it; every process reads it once.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart
from chalicelib.errors import Misconfigured, Unavailable

log = logging.getLogger("sightline.delivery")

KEY_BYTES = 32


class RootKey:
    """The key under the parameter ``name``; ``ssm()`` makes a client of SSM where one is needed.

    A new one is encrypted with ``kms_key`` (its ARN), or with the key that AWS keeps for SSM where that is
    empty.
    """

    def __init__(self, ssm: Callable[[], Any], name: str, kms_key: str) -> None:
        self._ssm = ssm
        self._name = name
        self._kms_key = kms_key
        self._reading = threading.Lock()
        self._known: bytes | None = None

    def derived(self, *parts: str) -> bytes:
        """32 bytes that nobody without the key can work out (HMAC-SHA256 as a pseudo-random function).

        :raises Misconfigured: the deployment may not read the key.
        :raises Unavailable: SSM does not answer.
        """
        framed = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self._key(), framed.encode(), hashlib.sha256)

    def _key(self) -> bytes:
        with self._reading:  # ten deliveries begin side by side
            if self._known is None:
                self._known = self._read()
            return self._known

    def _read(self) -> bytes:
        try:
            with faults_told_apart("SSM"):
                return self._found() or self._made() or self._found() or b""
        except (ClientError, ValueError) as error:  # nothing of the key may get into a log
            why = code_of(error) if isinstance(error, ClientError) else "it is not 64 hexadecimal digits"
            raise Misconfigured(f"The parameter {self._name!r} cannot be used: {why}.") from None
        except Unavailable as error:
            log.error("the parameter %r cannot be read: %s", self._name, error)
            raise

    def _found(self) -> bytes | None:
        try:
            kept = self._ssm().get_parameter(Name=self._name, WithDecryption=True)
        except ClientError as error:
            if code_of(error) != "ParameterNotFound":
                raise
            return None
        return _key_in(kept["Parameter"]["Value"])

    def _made(self) -> bytes | None:
        """A new key; None where another process was faster, or an answer was lost."""
        new = secrets.token_hex(KEY_BYTES)
        chosen = {"KeyId": self._kms_key} if self._kms_key else {}
        try:
            self._ssm().put_parameter(
                Name=self._name,
                Value=new,
                Type="SecureString",
                Description="What webhooks' signing secrets are derived from. Without it they are lost.",
                **chosen,
            )
        except ClientError as error:
            if code_of(error) != "ParameterAlreadyExists":
                raise
            return None
        return _key_in(new)


def _key_in(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != KEY_BYTES:
        raise ValueError
    return key
