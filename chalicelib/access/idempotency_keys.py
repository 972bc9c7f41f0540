"""Idempotency keys: a repeated request gets the stored answer of the first one.

A key is claimed before any work starts. The claim holds the id of the thing that will be created, so a repeat
that takes over from a crashed request creates the same thing and not a second one.
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
LEASE_SECONDS = 35.0  # the timeout of the API's function is 30
PATIENCE_SECONDS = 10.0  # how long a repeat waits for the first one's answer
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Claim:
    """An owner's key, claimed for a request (by its digest); ``answer`` is set once there is one."""

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
    """Claims keys, and stores answers for a day."""

    def __init__(
        self, table: Table, now: Callable[[], float], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._table = table
        self._now = now
        self._sleep = sleep

    def claim(self, owner: str, key: str, request: bytes) -> Claim:
        """Claim a key for this request, or find the answer that is stored under it.

        :raises KeyReused: the key was used for another request.
        :raises Busy: the first request is still being answered.
        """
        digest = hashlib.sha256(request).hexdigest()
        for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
            stored = self._find(owner, key)
            if stored and stored.request != digest:
                raise KeyReused("This Idempotency-Key was used for another request; take a new one.")
            if stored and stored.answer is not None:
                return stored
            if stored is None or stored.lease_until <= self._now():
                with contextlib.suppress(ConditionFailed):  # another request was faster: look again
                    return self._held(owner, key, digest, stored)
            self._sleep(POLL_SECONDS)
        raise Busy("The first request with this key is still being answered.", code="still-answering")

    def keep(self, claim: Claim, answer: Json) -> None:
        """Store the answer for repeats."""
        item = {**claim.to_item(), **_kept(answer), "revision": new_id()}
        # A request that took over after the lease answers with the same thing.
        with contextlib.suppress(ConditionFailed):
            self._table.write(Put(claim.place, item, when={"revision": claim.revision}))

    def forget(self, claim: Claim) -> None:
        """Free the key of a request that was refused and has created nothing."""
        with contextlib.suppress(ConditionFailed):
            self._table.write(Delete(claim.place, when={"revision": claim.revision}))

    def give_back(self, claim: Claim) -> None:
        """End the lease, so that a repeat can take over at once: this request failed at an unknown point."""
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
        """The revision of an expired claim that DynamoDB has not removed yet."""
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
    """An answer as it is stored, compressed: an image with many labels would not fit into an item."""
    return {} if answer is None else {"answer": zlib.compress(json.dumps(answer).encode())}


def _place(owner: str, key: str) -> Key:
    # A client's own text goes into a key of the table as a digest only.
    return Key(f"{owner}#repeat#{hashlib.sha256(key.encode()).hexdigest()}", "claim")
