"""A setting that holds a text itself, or ``secret:`` and the name of the secret that holds it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart
from chalicelib.cache import Cached
from chalicelib.errors import Unavailable

logger = logging.getLogger("sightline.secrets")

BY_NAME = "secret:"  # what the setting begins with where it is the name of a secret
KEPT_SECONDS = 300.0  # a changed secret is known so soon


class NamedSecret:
    """The text that ``named`` is, or that the secret it names holds.

    ``secrets()`` makes a client of AWS Secrets Manager, where there is a secret to read; ``what`` the text
    is, ``fits`` tells.
    """

    def __init__(
        self,
        named: str,
        secrets: Callable[[], Any],
        now: Callable[[], float],
        *,
        what: str,
        fits: Callable[[str], bool] = bool,
    ) -> None:
        self._named = named
        self._secrets = secrets
        self._what = what
        self._fits = fits
        self._secret = Cached(self._read, KEPT_SECONDS, now)

    def text(self) -> str:
        """The text; nothing where none is set.

        :raises Unavailable: the secret cannot be read or holds something else.
        """
        return self._secret.value() if self._named.startswith(BY_NAME) else self._named

    def _read(self) -> str:
        name = self._named.removeprefix(BY_NAME)
        try:
            with faults_told_apart("Secrets Manager"):
                kept = self._secrets().get_secret_value(SecretId=name)
        except ClientError as error:
            # A secret that is missing or shut is a fault of the deployment, which must lose nothing.
            logger.error("the secret %r cannot be read: %s", name, code_of(error))
            raise Unavailable(f"The secret {name!r} cannot be read: {code_of(error)}.") from error
        text = str(kept.get("SecretString", "")).strip()
        if not self._fits(text):
            logger.error("the secret %r holds no %s", name, self._what)  # what it holds is nobody's business
            raise Unavailable(f"The secret {name!r} holds no {self._what}.")
        return text
