"""Signing secrets. After a rotation the replaced secret signs along for a while.

No secret is stored. A row holds a random number; the secret is derived from that number, from its owner and
signer, and from the root key (:mod:`chalicelib.delivery.root_key`), which is not in the table. Beside the
number stands a mark of the root key. With another root key the secret would be another one, so it is refused.
"""

from __future__ import annotations

import dataclasses
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.delivery import signatures
from chalicelib.delivery.root_key import RootKey
from chalicelib.errors import Misconfigured, Unavailable
from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import new_id
from chalicelib.table import ConditionFailed, Table

OWNER = "owner"  # signs for the integration server and for every callback of an owner
OVERLAP_SECONDS = 24 * 3600.0
MOST_REPLACED = 4  # a client that lost the answers to its rotations keeps the secret it knows
TRIES = 5


@dataclass(frozen=True)
class Secret:
    """A signing secret; ``replaced`` are older ones that sign too, each until a time (seconds since 1970)."""

    current: str
    replaced: tuple[tuple[str, float], ...] = ()

    def signing(self, now: float) -> list[str]:
        """The secrets to sign with at this moment, the newest first."""
        return [self.current, *(secret for secret, until in self.replaced if until > now)]


@dataclass(frozen=True)
class SealedSecret:
    """A secret as it is stored: the numbers that ``current`` and ``replaced`` are derived from."""

    current: str
    replaced: tuple[tuple[str, float], ...] = ()
    revision: str = dataclasses.field(default_factory=new_id)

    def rotated(self, new: str, now: float) -> SealedSecret:
        """With a new secret; the present one signs along for another day."""
        standing = [(sealed, until) for sealed, until in self.replaced if until > now]
        replaced = [(self.current, now + OVERLAP_SECONDS), *standing][:MOST_REPLACED]
        return SealedSecret(new, tuple(replaced))

    @classmethod
    def from_item(cls, item: Item) -> SealedSecret:
        """The secret in a row."""
        replaced = [(str(sealed), float(until)) for sealed, until in json.loads(str(item["replaced"]))]
        return cls(str(item["current"]), tuple(replaced), str(item["revision"]))


class Keyring:
    """Keeps secrets by owner and signer: the owner, or one of the owner's subscriptions."""

    def __init__(self, table: Table, root: RootKey, now: Callable[[], float]) -> None:
        self._table = table
        self._root = root
        self._now = now

    def find(self, owner: str, signer: str) -> Secret | None:
        """The secret, or None."""
        stored = self._stored(owner, signer)
        return self.open(stored, owner, signer) if stored else None

    def get(self, owner: str, signer: str) -> Secret:
        """The secret, which is made if there is none yet."""
        return self.open(self._stored_or_made(owner, signer), owner, signer)

    def rotate(self, owner: str, signer: str) -> Secret:
        """Make a new secret; deliveries carry signatures by both for 24 hours."""
        for _ in range(TRIES):
            before = self._stored_or_made(owner, signer)
            after = before.rotated(self._new(), self._now())
            try:
                self._put(owner, signer, after, before.revision)
            except ConditionFailed:
                continue
            return self.open(after, owner, signer)
        raise Unavailable("The secret keeps being rotated by others; ask again.")

    def discard(self, owner: str, signer: str) -> None:
        """Forget a secret."""
        self._table.write(Delete(key_of(owner, signer)))

    def open(self, stored: SealedSecret, owner: str, signer: str) -> Secret:
        """The secret that was stored.

        :raises Misconfigured: the root key may not be read, or is not the one that the secret was made with;
            then only a rotation helps.
        """
        current = self._opened(stored.current, owner, signer)
        if current is None:
            raise Misconfigured("The root key is not the one that this secret was made with: rotate it.")
        now = self._now()
        replaced = [
            (opened, until)
            for sealed, until in stored.replaced
            if until > now and (opened := self._opened(sealed, owner, signer))
        ]
        return Secret(current, tuple(replaced))

    def _opened(self, sealed: str, owner: str, signer: str) -> str | None:
        """The secret; None where it was made with another root key."""
        mark, number = sealed.split(".")
        if not hmac.compare_digest(mark, self._mark()):
            return None
        return signatures.secret_of(self._root.derived("signing", owner, signer, number))

    def _new(self) -> str:
        return f"{self._mark()}.{secrets.token_hex(16)}"

    def _mark(self) -> str:
        return self._root.derived("mark").hex()[:16]

    def _stored(self, owner: str, signer: str) -> SealedSecret | None:
        item = self._table.get(key_of(owner, signer))
        return SealedSecret.from_item(item) if item else None

    def _stored_or_made(self, owner: str, signer: str) -> SealedSecret:
        stored = self._stored(owner, signer)
        if stored:
            return stored
        made = SealedSecret(self._new())
        try:
            self._put(owner, signer, made, None)
        except ConditionFailed:  # somebody else was faster: there is one now
            return self._stored_or_made(owner, signer)
        return made

    def _put(self, owner: str, signer: str, secret: SealedSecret, expected: str | None) -> None:
        replaced = json.dumps(secret.replaced)
        item = {"current": secret.current, "replaced": replaced, "revision": secret.revision}
        self._table.write(Put(key_of(owner, signer), {**item}, when={"revision": expected}))


def key_of(owner: str, signer: str) -> Key:
    """The key of a secret."""
    return Key(f"{owner}#signing#{signer}", "secret")
