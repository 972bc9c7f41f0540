"""Bearer tokens: who holds one, what it opens, and until when.

A token reads ``sightline.<owner>.<id>.<secret>``. Of the secret, 32 random bytes, only its SHA-256 is kept:
so much chance cannot be guessed, so a slow hash, which is for passwords, would protect nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.errors import BadRequest, Conflict, NotFound, Unauthorized
from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.ids import is_id, new_id, rfc3339
from chalicelib.model import Json
from chalicelib.quotas import put_within
from chalicelib.table import Table

READ, WRITE, ADMIN = SCOPES = ("read", "write", "admin")
MOST = 100  # of one owner
LONGEST_DAYS = 3650
DAY_SECONDS = 86_400
LONGEST_NAME = 128
SECRET_BYTES = 32
_OWNER = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_REFUSED = "This token is not known here, or not any more."


@dataclass(frozen=True)
class Token:
    """What a token says of its holder; ``expires_at`` is in seconds since 1970, ``name`` is for people."""

    id: str
    owner: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: int

    def document(self) -> Json:
        """The token as its owner sees it; the secret is not in it."""
        return {
            "id": self.id,
            "owner": self.owner,
            "name": self.name,
            "scopes": list(self.scopes),
            "created_at": self.created_at,
            "expires_at": rfc3339(self.expires_at),
        }


class Tokens:
    """Issues, recognises and revokes tokens, by owner."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def issue(self, owner: str, scopes: Sequence[str], *, days: int, name: str = "") -> tuple[Token, str]:
        """A new token and its text, which is told this once and kept nowhere.

        :raises BadRequest: the owner's name is not 1 to 40 lower-case letters, digits and inner hyphens.
        :raises Conflict: the owner has 100 tokens already.
        """
        if not _OWNER.fullmatch(owner):
            raise BadRequest(
                "An owner's name has 1 to 40 lower-case letters, digits and inner hyphens.", code="bad-owner"
            )
        now = self._now()
        known = tuple(one for one in SCOPES if one in scopes)
        token = Token(new_id(), owner, name, known, rfc3339(now), int(now) + days * DAY_SECONDS)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        if not put_within(self._table, Put(_key(owner, token.id), _item(token, secret)), MOST, now):
            raise Conflict(f"There are {MOST} tokens; revoke one first.", code="too-many-tokens")
        return token, f"sightline.{owner}.{token.id}.{secret}"

    def recognise(self, text: str) -> Token:
        """:raises Unauthorized: nobody holds such a token, or it has expired."""
        match text.split("."):
            case ["sightline", owner, token_id, secret] if _OWNER.fullmatch(owner) and is_id(token_id):
                item = self._table.get(_key(owner, token_id))
            case _:
                raise Unauthorized(_REFUSED)
        # Without an item the comparison is made all the same, and takes as long.
        kept = str(item["secret_sha256"]) if item else ""
        if not hmac.compare_digest(_hashed(secret), kept) or item is None:
            raise Unauthorized(_REFUSED)
        token = _read(item, owner)
        if token.expires_at <= self._now():
            raise Unauthorized(_REFUSED)
        return token

    def all(self, owner: str) -> tuple[Token, ...]:
        """An owner's tokens, newest first, those that have expired left out."""
        items = self._table.query(_partition(owner), limit=2 * MOST, newest_first=True)
        tokens = (_read(item, owner) for item in items)
        return tuple(one for one in tokens if one.expires_at > self._now())

    def get(self, owner: str, token_id: str) -> Token:
        """:raises NotFound: this owner has no such token."""
        item = self._table.get(_key(owner, token_id)) if is_id(token_id) else None
        if item is None:
            raise NotFound("There is no such token.")
        return _read(item, owner)

    def revoke(self, token: Token) -> None:
        """Let it open nothing any more."""
        self._table.write(Delete(_key(token.owner, token.id)))


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _item(token: Token, secret: str) -> Item:
    return {
        "name": token.name,
        "scopes": " ".join(token.scopes),
        "created_at": token.created_at,
        "secret_sha256": _hashed(secret),
        "expires_at": token.expires_at,  # DynamoDB removes the item some time after
    }


def _read(item: Item, owner: str) -> Token:
    return Token(
        id=str(item["sk"]),
        owner=owner,
        name=str(item["name"]),
        scopes=tuple(str(item["scopes"]).split()),
        created_at=str(item["created_at"]),
        expires_at=int(item["expires_at"]),
    )


def _partition(owner: str) -> str:
    return f"{owner}#tokens"


def _key(owner: str, token_id: str) -> Key:
    return Key(_partition(owner), token_id)
