"""Where the integration server is: an address in the settings, or a secret that holds it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart
from chalicelib.errors import Unavailable

logger = logging.getLogger("sightline.delivery")

BY_NAME = "secret:"  # what the setting begins with where it is the name of a secret
KEPT_SECONDS = 300.0  # a changed secret is known so soon


class Integration:
    """The server that gets the XML: ``named`` is its address, ``secret:`` and a secret's name, or nothing.

    ``secrets()`` makes a client of AWS Secrets Manager, where there is a secret to read.
    """

    def __init__(self, named: str, secrets: Callable[[], Any], now: Callable[[], float]) -> None:
        self._named = named
        self._secrets = secrets
        self._now = now
        self._read: tuple[float, str] = (float("-inf"), "")

    def url(self) -> str:
        """The address; nothing where there is no such server.

        :raises Unavailable: the secret cannot be read or holds no address, so nobody knows yet whom to tell.
        """
        if not self._named.startswith(BY_NAME):
            return self._named
        at, url = self._read
        if self._now() - at >= KEPT_SECONDS:
            url = self._secret(self._named.removeprefix(BY_NAME))
            self._read = (self._now(), url)
        return url

    def _secret(self, name: str) -> str:
        try:
            with faults_told_apart("Secrets Manager"):
                kept = self._secrets().get_secret_value(SecretId=name)
        except ClientError as error:
            # A secret that is missing or shut is a fault of the deployment, which must lose no delivery.
            logger.error("the secret %r cannot be read: %s", name, code_of(error))
            raise Unavailable(f"The secret {name!r} cannot be read: {code_of(error)}.") from error
        url = str(kept.get("SecretString", "")).strip()
        if not is_address(url):
            logger.error("the secret %r holds no http(s) URL", name)  # and what it holds is nobody's business
            raise Unavailable(f"The secret {name!r} holds no http(s) URL.")
        return url


def is_address(text: str) -> bool:
    """Whether it is an http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
