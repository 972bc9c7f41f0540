"""The recognition cache: recognitions by owner, bytes and options, so that each is paid for once.

A recognition is made under a lease: of concurrent workers that want the same one, one calls the recogniser
and the others get :exc:`Busy`. A lease whose holder died expires. The cached recognitions of some bytes are
deleted with the last image that has these bytes (:mod:`chalicelib.pipeline.projection`).
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
KEPT_SECONDS = 365 * 24 * 3600  # an upper limit: after a crash nothing else may delete the row
_MOST = 1000  # recognitions of the same bytes


@dataclass(frozen=True)
class Question:
    """A cache key: the bytes (``sha256``), and the model and options (``fingerprint``)."""

    owner: str
    sha256: str
    fingerprint: str

    @property
    def name(self) -> str:
        """The name under which a record refers to the cached recognition."""
        return f"{self.sha256}.{self.fingerprint}"


@dataclass(frozen=True)
class CachedRecognition:
    """A cached recognition with its ``options``, and the image and ``result`` it was first made for."""

    recognition: Recognition
    options: RecognitionOptions
    image_id: str
    result: int

    @classmethod
    def from_item(cls, item: Item) -> CachedRecognition | None:
        """The recognition in a row; None if the row has only a lease."""
        if "recognition" not in item:
            return None
        recognition = Recognition.from_json(unpacked(item["recognition"]))
        options = RecognitionOptions.from_json(unpacked(item["options"]))
        return cls(recognition, options, str(item["image_id"]), int(item["result"]))


@dataclass(frozen=True)
class Lease:
    """The right to call the recogniser for ``question``, until the result is kept or the lease ends."""

    question: Question
    revision: str


class RecognitionCache:
    """Reads and writes cached recognitions and leases."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def find_or_lease(self, question: Question, *, not_before: float = 0.0) -> CachedRecognition | Lease:
        """The cached recognition, if it is from ``not_before`` (seconds since 1970) or later; else a lease.

        One call if the bytes are new or known, two if the cached recognition is too old.

        :raises Busy: another worker holds the lease.
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
        """The cached recognition with this name, or None."""
        sha256, _, fingerprint = name.partition(".")
        item = self._table.get(_key(Question(owner, sha256, fingerprint))) if name else None
        return CachedRecognition.from_item(item) if item else None

    def keep(self, lease: Lease, cached: CachedRecognition) -> None:
        """Store the recognition and end the lease; does nothing if another worker has the lease by now."""
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
        """End the lease without a result, so that another worker can take it at once."""
        self._end(lease, {})

    def _forget(self, owner: str, sha256: str) -> None:
        rows = self._table.query(_partition(owner, sha256), limit=_MOST)
        self._table.write_many([Delete(Key(_partition(owner, sha256), str(row["sk"]))) for row in rows])

    def forget_unused(self, owner: str, sha256: str | None) -> None:
        """Delete the cached recognitions of these bytes if no image of the owner has them."""
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
