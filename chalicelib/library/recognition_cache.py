"""The recognition cache: what recognisers said of which bytes, by owner, so that the same is paid for once.

A recognition is made under a lease: of those who want the same one at the same time one asks the
recogniser, the others are told to come back. A lease that ends without a result, because its holder died,
is free again. What is cached of bytes goes when the last image with these bytes does (see
:mod:`chalicelib.pipeline.projection`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.errors import Busy
from chalicelib.expressions import Delete, Item, Key, Update
from chalicelib.ids import new_id
from chalicelib.library.index import digest_term, partition
from chalicelib.library.record import packed, unpacked
from chalicelib.model import Recognition, RecognitionOptions
from chalicelib.table import ConditionFailed, Table

LEASE_SECONDS = 90.0  # longer than the labeler may run (60 s)
COME_BACK_SECONDS = 3.0  # a recogniser takes a second or two
KEPT_SECONDS = 365 * 24 * 3600  # also where a worker died whose image was deleted, so that nothing forgets it
_MOST = 1000  # recognitions of the same bytes


@dataclass(frozen=True)
class Question:
    """Which recognition is wanted: of what bytes (``sha256``), from whom and how asked (``fingerprint``)."""

    owner: str
    sha256: str
    fingerprint: str

    @property
    def name(self) -> str:
        """By which a record remembers what it was made from."""
        return f"{self.sha256}.{self.fingerprint}"


@dataclass(frozen=True)
class CachedRecognition:
    """A cached recognition, with which ``options`` it was asked for, and for which image and ``result`` of
    it.
    """

    recognition: Recognition
    options: RecognitionOptions
    image_id: str
    result: int

    @classmethod
    def from_item(cls, item: Item) -> CachedRecognition | None:
        """What a row holds, if it holds a recognition and not only a lease."""
        if "recognition" not in item:
            return None
        recognition = Recognition.from_json(unpacked(item["recognition"]))
        options = RecognitionOptions.from_json(unpacked(item["options"]))
        return cls(recognition, options, str(item["image_id"]), int(item["result"]))


@dataclass(frozen=True)
class Lease:
    """The right to ask the recogniser ``question``, until it is answered, given back, or the lease ends."""

    question: Question
    revision: str


class RecognitionCache:
    """All that is cached of recognisers."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def find_or_lease(self, question: Question, *, not_before: float = 0.0) -> CachedRecognition | Lease:
        """The cached recognition, if it is from ``not_before`` (seconds since 1970) or later; else a lease.

        One call where the bytes are new or known; a second one where what is there is too old.

        :raises Busy: somebody is asking right now.
        """
        lease = Lease(question, new_id())
        try:
            self._take(lease, known=None)
            return lease
        except ConditionFailed as error:
            item = error.stored or {}
        cached = CachedRecognition.from_item(item)
        if cached and float(item["recognised_at"]) >= not_before:
            return cached
        if float(item.get("lease_until", 0)) > self._now():
            raise _busy()
        try:
            self._take(lease, known=str(item.get("revision", "")) or None)
        except ConditionFailed:
            raise _busy() from None
        return lease

    def find(self, owner: str, name: str) -> CachedRecognition | None:
        """The cached recognition of this name, as records remember it."""
        sha256, _, fingerprint = name.partition(".")
        item = self._table.get(_key(Question(owner, sha256, fingerprint))) if name else None
        return CachedRecognition.from_item(item) if item else None

    def keep(self, lease: Lease, cached: CachedRecognition) -> None:
        """Store the recognition for everyone; a lease that another has taken over meanwhile keeps nothing."""
        self._end(
            lease,
            {
                "recognition": packed(cached.recognition.to_json()),
                "options": packed(cached.options.to_json()),
                "image_id": cached.image_id,
                "result": cached.result,
                "recognised_at": self._now(),
            },
        )

    def give_back(self, lease: Lease) -> None:
        """End the lease without a result: somebody else may ask at once."""
        self._end(lease, {})

    def _forget(self, owner: str, sha256: str) -> None:
        rows = self._table.query(_partition(owner, sha256), limit=_MOST)
        self._table.write_many([Delete(Key(_partition(owner, sha256), str(row["sk"]))) for row in rows])

    def forget_unused(self, owner: str, sha256: str | None) -> None:
        """Remove what is cached of these bytes if no image of the owner has them."""
        if sha256 and not self._table.query(partition(owner, digest_term(sha256)), limit=1):
            self._forget(owner, sha256)

    def _take(self, lease: Lease, known: str | None) -> None:
        taken: Item = {
            "revision": lease.revision,
            "lease_until": self._now() + LEASE_SECONDS,
            "expires_at": int(self._now()) + KEPT_SECONDS,
        }
        self._table.write(Update(_key(lease.question), set=taken, when={"revision": known}))

    def _end(self, lease: Lease, changes: Item) -> None:
        ended = {**changes, "revision": new_id(), "lease_until": 0.0}
        try:
            self._table.write(Update(_key(lease.question), set=ended, when={"revision": lease.revision}))
        except ConditionFailed:
            return


def _busy() -> Busy:
    return Busy("The same photo is being recognised.", retry_after=COME_BACK_SECONDS)


def _key(question: Question) -> Key:
    return Key(_partition(question.owner, question.sha256), question.fingerprint)


def _partition(owner: str, sha256: str) -> str:
    return f"{owner}#recognised#{sha256}"
