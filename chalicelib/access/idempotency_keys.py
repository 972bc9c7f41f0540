"""Requests that may come twice: by its idempotency key a repeat gets the first one's answer.

A key is claimed before anything is done, with the id that what is made will have. So whoever takes over
from a crashed first request makes the same thing again and not a second one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from chalicelib.errors import Busy, KeyReused
from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import new_id
from chalicelib.model import Json
from chalicelib.table import ConditionFailed, Table

KEPT_SECONDS = 24 * 3600
LEASE_SECONDS = 35.0  # the API's function is ended after 30
PATIENCE_SECONDS = 10.0  # how long a repeat waits for the first one's answer
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Claim:
    """A key of an owner, held for ``request`` (a digest); ``answer`` is there once it was answered."""

    owner: str
    key: str
    request: str
    made_id: str
    revision: str
    lease_until: float
    expires_at: int
    answer: Json | None = None

    @property
    def place(self) -> Key:
        return _place(self.owner, self.key)

    def to_item(self) -> Item:
        return {
            "revision": self.revision,
            "request": self.request,
            "made_id": self.made_id,
            "lease_until": self.lease_until,
            "expires_at": self.expires_at,  # DynamoDB removes the item some time after
            **_kept(self.answer),
        }


class IdempotencyKeys:
    """Claims keys and keeps answers for a day."""

    def __init__(
        self, table: Table, now: Callable[[], float], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._table = table
        self._now = now
        self._sleep = sleep

    def claim(self, owner: str, key: str, request: bytes) -> Claim:
        """Hold a key for this request, or find what it was answered.

        :raises KeyReused: the key was used for another request.
        :raises Busy: the first request has not been answered yet.
        """
        digest = hashlib.sha256(request).hexdigest()
        for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
            stored = self._find(owner, key)
            if stored and stored.request != digest:
                raise KeyReused("This Idempotency-Key was used for another request; take a new one.")
            if stored and stored.answer is not None:
                return stored
            if stored is None or stored.lease_until <= self._now():
                with contextlib.suppress(ConditionFailed):  # somebody else was faster: look again
                    return self._held(owner, key, digest, stored)
            self._sleep(POLL_SECONDS)
        raise Busy("The first request with this key is still being answered.", code="still-answering")

    def keep(self, claim: Claim, answer: Json) -> None:
        """Let every repeat get this answer."""
        item = {**claim.to_item(), **_kept(answer), "revision": new_id()}
        # Whoever has taken over meanwhile, after the lease, answers for the same thing.
        with contextlib.suppress(ConditionFailed):
            self._table.write(Put(claim.place, item, when={"revision": claim.revision}))

    def forget(self, claim: Claim) -> None:
        """Free a key whose request was refused: nothing was made."""
        with contextlib.suppress(ConditionFailed):
            self._table.write(Delete(claim.place, when={"revision": claim.revision}))

    def give_back(self, claim: Claim) -> None:
        """Let the next repeat take over at once: it is not known how far this request came."""
        item = {**claim.to_item(), "lease_until": 0.0, "revision": new_id()}
        with contextlib.suppress(ConditionFailed):
            self._table.write(Put(claim.place, item, when={"revision": claim.revision}))

    def _find(self, owner: str, key: str) -> Claim | None:
        item = self._table.get(_place(owner, key))
        return _read(item, owner, key) if item and int(item["expires_at"]) > self._now() else None

    def _held(self, owner: str, key: str, digest: str, before: Claim | None) -> Claim:
        now = self._now()
        claim = Claim(
            owner=owner,
            key=key,
            request=digest,
            made_id=before.made_id if before else new_id(),
            revision=new_id(),
            lease_until=now + LEASE_SECONDS,
            expires_at=before.expires_at if before else int(now) + KEPT_SECONDS,
        )
        left = before.revision if before else self._expired(claim.place)
        self._table.write(Put(claim.place, claim.to_item(), when={"revision": left}))
        return claim

    def _expired(self, place: Key) -> str | None:
        """The revision of what DynamoDB has not removed yet."""
        item = self._table.get(place)
        return str(item["revision"]) if item and int(item["expires_at"]) <= self._now() else None


def _read(item: Item, owner: str, key: str) -> Claim:
    return Claim(
        owner=owner,
        key=key,
        request=str(item["request"]),
        made_id=str(item["made_id"]),
        revision=str(item["revision"]),
        lease_until=float(item["lease_until"]),
        expires_at=int(item["expires_at"]),
        answer=json.loads(zlib.decompress(cast(bytes, item["answer"]))) if "answer" in item else None,
    )


def _kept(answer: Json | None) -> Item:
    """An answer as the table holds it: an image of many labels would not fit an item as it is."""
    return {} if answer is None else {"answer": zlib.compress(json.dumps(answer).encode())}


def _place(owner: str, key: str) -> Key:
    # Of a client's own words only a digest goes into a key.
    return Key(f"{owner}#repeat#{hashlib.sha256(key.encode()).hexdigest()}", "claim")
