"""Signing secrets, each with those it has replaced and that still sign for a while."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.delivery import signatures
from chalicelib.errors import Unavailable
from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import new_id
from chalicelib.table import ConditionFailed, Table

OWNER = "owner"  # signs for the integration server and for every callback of an owner
OVERLAP_SECONDS = 24 * 3600.0
MOST_REPLACED = 4  # a client that lost the answers to its rotations keeps the secret it knows
TRIES = 5


@dataclass(frozen=True)
class Secret:
    """A signing secret in force; ``replaced`` are older ones that sign too, each until seconds since 1970."""

    current: str
    replaced: tuple[tuple[str, float], ...] = ()
    revision: str = ""

    def signing(self, now: float) -> list[str]:
        """The secrets to sign with at this moment, the newest first."""
        return [self.current, *(secret for secret, until in self.replaced if until > now)]

    def rotated(self, now: float) -> Secret:
        """With a new one in force; the present one signs along for another day."""
        standing = [(secret, until) for secret, until in self.replaced if until > now]
        replaced = [(self.current, now + OVERLAP_SECONDS), *standing][:MOST_REPLACED]
        return Secret(signatures.new_secret(), tuple(replaced), new_id())

    @classmethod
    def from_item(cls, item: Item) -> Secret:
        """The secret as it is stored."""
        replaced = [(str(secret), float(until)) for secret, until in json.loads(str(item["replaced"]))]
        return cls(str(item["current"]), tuple(replaced), str(item["revision"]))


class Keyring:
    """Keeps secrets by owner and by who signs with them: the owner, or a subscription."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def find(self, owner: str, signer: str) -> Secret | None:
        """The secret, or None."""
        item = self._table.get(key_of(owner, signer))
        return Secret.from_item(item) if item else None

    def get(self, owner: str, signer: str) -> Secret:
        """The secret, which is made if there is none yet."""
        found = self.find(owner, signer)
        if found:
            return found
        made = Secret(signatures.new_secret(), revision=new_id())
        try:
            self._put(owner, signer, made, None)
        except ConditionFailed:  # somebody else was faster: there is one now
            return self.get(owner, signer)
        return made

    def rotate(self, owner: str, signer: str) -> Secret:
        """Put a new secret in force; deliveries carry signatures by both for 24 hours."""
        for _ in range(TRIES):
            before = self.get(owner, signer)
            after = before.rotated(self._now())
            try:
                self._put(owner, signer, after, before.revision)
            except ConditionFailed:
                continue
            return after
        raise Unavailable("The secret keeps being rotated by others; ask again.")

    def discard(self, owner: str, signer: str) -> None:
        """Forget a secret."""
        self._table.write(Delete(key_of(owner, signer)))

    def _put(self, owner: str, signer: str, secret: Secret, expected: str | None) -> None:
        replaced = json.dumps(secret.replaced)
        item = {"current": secret.current, "replaced": replaced, "revision": secret.revision}
        self._table.write(Put(key_of(owner, signer), {**item}, when={"revision": expected}))


def key_of(owner: str, signer: str) -> Key:
    """The key of a secret."""
    return Key(f"{owner}#signing#{signer}", "secret")
