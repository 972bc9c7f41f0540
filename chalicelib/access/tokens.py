"""Bearer tokens: their owner, their scopes, their expiry.

A token has the form ``sightline.<owner>.<id>.<secret>``. Only the SHA-256 of the secret is stored. The secret
is 32 random bytes and cannot be guessed, so a slow hash as for passwords would add no protection.

A token that was created with another one is its child: it has no more scopes than its parent, and is revoked
with it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.errors import BadRequest, Conflict, Forbidden, NotFound, Transient, Unauthorized
from chalicelib.expressions import Delete, Item, Key, Put, Update
from chalicelib.ids import is_id, new_id, rfc3339
from chalicelib.model import Json
from chalicelib.quotas import put_within
from chalicelib.table import Table

log = logging.getLogger("sightline.access")

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
    """A token without its secret. ``expires_at`` is in seconds since 1970, ``name`` is for people.

    ``made_by`` is the id of its parent, empty for a token that an operator made. ``last_used_at`` is exact to
    the hour.
    """

    id: str
    owner: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: int
    made_by: str = ""
    last_used_at: str = ""

    def document(self, *, orphan: bool = False) -> Json:
        """The token as the API shows it, without the secret.

        An ``orphan``'s parent has expired, or was revoked without it.
        """
        return {
            "id": self.id,
            "owner": self.owner,
            "name": self.name,
            "scopes": list(self.scopes),
            "created_at": self.created_at,
            "expires_at": rfc3339(self.expires_at),
            "last_used_at": self.last_used_at or None,
            "made_by": self.made_by or None,
            "orphan": orphan,
        }


class Tokens:
    """Issues, checks and revokes the tokens of all owners."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def issue(
        self, owner: str, scopes: Sequence[str], *, days: int, name: str = "", maker: str = ""
    ) -> tuple[Token, str]:
        """A new token and its text, which is not stored and cannot be shown again.

        ``maker`` is the id of the token that the request came with.

        :raises Unauthorized: the maker has been revoked.
        :raises Forbidden: the maker does not have all these scopes itself.
        :raises BadRequest: the owner's name is not 1 to 40 lower-case letters, digits and inner hyphens.
        :raises Conflict: the owner has 100 tokens already.
        """
        if not _OWNER.fullmatch(owner):
            raise BadRequest(
                "An owner's name has 1 to 40 lower-case letters, digits and inner hyphens.", code="bad-owner"
            )
        now = self._now()
        known = tuple(one for one in SCOPES if one in scopes)
        if maker:
            self._check_maker(owner, maker, known)
        token = Token(new_id(), owner, name, known, rfc3339(now), int(now) + days * DAY_SECONDS, maker)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        if not put_within(self._table, Put(_key(owner, token.id), _item(token, secret)), MOST, now):
            raise Conflict(f"There are {MOST} tokens; revoke one first.", code="too-many-tokens")
        return token, f"sightline.{owner}.{token.id}.{secret}"

    def recognise(self, text: str) -> Token:
        """The token with this text.

        :raises Unauthorized: there is no such token, or it has expired.
        """
        match text.split("."):
            case ["sightline", owner, token_id, secret] if _OWNER.fullmatch(owner) and is_id(token_id):
                item = self._table.get(_key(owner, token_id))
            case _:
                raise Unauthorized(_REFUSED)
        # The comparison is made even without an item, so that it takes the same time.
        kept = str(item["secret_sha256"]) if item else ""
        if not hmac.compare_digest(_hashed(secret), kept) or item is None:
            raise Unauthorized(_REFUSED)
        token = _read(item, owner)
        if token.expires_at <= self._now():
            raise Unauthorized(_REFUSED)
        self._note_use(token, kept)
        return token

    def all(self, owner: str) -> tuple[Token, ...]:
        """An owner's tokens that have not expired, newest first."""
        items = self._table.query(_partition(owner), limit=2 * MOST, newest_first=True)
        tokens = (_read(item, owner) for item in items)
        return tuple(one for one in tokens if one.expires_at > self._now())

    def get(self, owner: str, token_id: str) -> Token:
        """:raises NotFound: this owner has no such token."""
        item = self._table.get(_key(owner, token_id)) if is_id(token_id) else None
        if item is None:
            raise NotFound("There is no such token.")
        return _read(item, owner)

    def is_orphan(self, token: Token) -> bool:
        """Whether a token's parent is gone."""
        return token.made_by not in ("", *(one.id for one in self.all(token.owner)))

    def revoke(self, token: Token, *, children: bool = True) -> None:
        """Revoke a token and, with ``children``, all its descendants.

        The youngest go first: if this is interrupted, the tokens that are left still have their parents.
        """
        gone = [token]
        if children:
            for one in reversed(self.all(token.owner)):  # oldest first: a child is younger than its parent
                if one.made_by in {known.id for known in gone}:
                    gone.append(one)
        for one in reversed(gone):
            self._table.write(Delete(_key(one.owner, one.id)))

    def _check_maker(self, owner: str, maker: str, scopes: Sequence[str]) -> None:
        item = self._table.get(_key(owner, maker))
        if item is None:
            raise Unauthorized(_REFUSED)
        lacking = [one for one in scopes if one not in _read(item, owner).scopes]
        if lacking:
            raise Forbidden(
                f"A token gives only scopes that it has itself, and this one has no {lacking[0]}.",
                code="insufficient-scope",
            )

    def _note_use(self, token: Token, kept: str) -> None:
        """Store the hour in which a token is used, by one small write per hour, which may fail."""
        hour = rfc3339(self._now() // 3600 * 3600)
        if token.last_used_at == hour:
            return
        try:
            used = Update(
                _key(token.owner, token.id), set={"last_used_at": hour}, when={"secret_sha256": kept}
            )
            self._table.write(used)
        except Transient as error:  # no reason to refuse the request; the token may have been revoked, too
            log.warning("use of a token was not noted: %r", error)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _item(token: Token, secret: str) -> Item:
    return {
        "name": token.name,
        "scopes": " ".join(token.scopes),
        "created_at": token.created_at,
        "secret_sha256": _hashed(secret),
        "expires_at": token.expires_at,  # DynamoDB removes the item some time after
        **({"made_by": token.made_by} if token.made_by else {}),
    }


def _read(item: Item, owner: str) -> Token:
    return Token(
        id=str(item["sk"]),
        owner=owner,
        name=str(item["name"]),
        scopes=tuple(str(item["scopes"]).split()),
        created_at=str(item["created_at"]),
        expires_at=int(item["expires_at"]),
        made_by=str(item.get("made_by", "")),
        last_used_at=str(item.get("last_used_at", "")),
    )


def _partition(owner: str) -> str:
    return f"{owner}#tokens"


def _key(owner: str, token_id: str) -> Key:
    return Key(_partition(owner), token_id)
