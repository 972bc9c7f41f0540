"""A setting whose value is a text, or ``secret:`` and the name of a secret with the text."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart
from chalicelib.cache import Cached
from chalicelib.errors import Unavailable

logger = logging.getLogger("sightline.secrets")

BY_NAME = "secret:"  # the prefix of a setting that names a secret
KEPT_SECONDS = 300.0  # until a changed secret is noticed


class NamedSecret:
    """The text of the setting ``named``, or of the secret that it names.

    ``secrets()`` makes a client of AWS Secrets Manager. ``fits(text)`` checks a secret's text, and ``what``
    says in an error what it should be.
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
        """The text; empty if the setting is.

        :raises Unavailable: the secret cannot be read or holds something else.
        """
        return self._secret.value() if self._named.startswith(BY_NAME) else self._named

    def _read(self) -> str:
        name = self._named.removeprefix(BY_NAME)
        try:
            with faults_told_apart("Secrets Manager"):
                kept = self._secrets().get_secret_value(SecretId=name)
        except ClientError as error:
            # A missing or unreadable secret is a fault of the deployment: it has to be retried.
            logger.error("the secret %r cannot be read: %s", name, code_of(error))
            raise Unavailable(f"The secret {name!r} cannot be read: {code_of(error)}.") from error
        text = str(kept.get("SecretString", "")).strip()
        if not self._fits(text):
            logger.error("the secret %r holds no %s", name, self._what)  # never log the text itself
            raise Unavailable(f"The secret {name!r} holds no {self._what}.")
        return text
