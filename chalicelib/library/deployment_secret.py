"""The deployment's secret, from which keys are derived for data that only this deployment may sign."""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets

from chalicelib.expressions import Item, Key, Put
from chalicelib.table import ConditionFailed, Table

_PLACE = Key("#deployment", "secret")  # no owner has an empty name


class DeploymentSecret:
    """The secret: created on first use, stored in the table, read once per process."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def key_for(self, purpose: str) -> bytes:
        """32 bytes that are the same in every process of this deployment."""
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    @functools.cached_property
    def _secret(self) -> bytes:
        stored = self._table.get(_PLACE) or self._created()
        return bytes.fromhex(str(stored["secret"]))

    def _created(self) -> Item:
        new = secrets.token_hex(32)
        try:
            self._table.write(Put(_PLACE, {"secret": new, "revision": new[:16]}, when={"revision": None}))
        except ConditionFailed as error:  # another process was faster
            return error.stored or self._table.get(_PLACE) or {}
        return {"secret": new}
