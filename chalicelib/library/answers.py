"""What recognisers have answered, kept by owner and bytes, so that the same question is paid for once.

An answer is *asked for* under a lease: of those who want the same one at the same time one asks, the others
are told to come back. A lease that ends without an answer, because its holder died, is free again. Images
are counted as an answer's users in the transactions of their records; one that nobody uses goes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.errors import Busy
from chalicelib.expressions import Delete, Item, Key, Update, Write
from chalicelib.ids import new_id
from chalicelib.model import Recognition, RecognitionOptions
from chalicelib.table import ConditionFailed, Table

LEASE_SECONDS = 90.0  # longer than the labeler may run (60 s)
COME_BACK_SECONDS = 3.0  # a recogniser takes a second or two


@dataclass(frozen=True)
class Question:
    """Which answer is wanted: of what bytes (``sha256``), from whom and how asked (``fingerprint``)."""

    owner: str
    sha256: str
    fingerprint: str

    @property
    def name(self) -> str:
        """By which a record remembers whose user it is."""
        return f"{self.sha256}.{self.fingerprint}"


@dataclass(frozen=True)
class Answer:
    """A kept answer: what was said, with which ``options`` it was asked, and of which image."""

    recognition: Recognition
    options: RecognitionOptions
    image_id: str

    @classmethod
    def from_item(cls, item: Item) -> Answer | None:
        """What a row holds, if it holds an answer and not only a lease."""
        if not item.get("answer"):
            return None
        recognition = Recognition.from_json(json.loads(str(item["answer"])))
        options = RecognitionOptions.from_json(json.loads(str(item["options"])))
        return cls(recognition, options, str(item["image_id"]))


@dataclass(frozen=True)
class Turn:
    """The right to ask the recogniser ``question``, until it is answered, given back, or the lease ends."""

    question: Question
    revision: str


class Answers:
    """All that is kept of recognisers' answers."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def find_or_ask(self, question: Question, *, not_before: float = 0.0) -> Answer | Turn:
        """The kept answer, if it is from ``not_before`` (seconds since 1970) or later; else the turn to ask.

        :raises Busy: somebody is asking right now.
        """
        item = self._table.get(_key(question.owner, question.name)) or {}
        answer = Answer.from_item(item)
        if answer and float(item["answered_at"]) >= not_before:
            return answer
        if float(item.get("lease_until", 0)) > self._now():
            raise _busy()
        turn = Turn(question, new_id())
        lease: Item = {"revision": turn.revision, "lease_until": self._now() + LEASE_SECONDS}
        known = {"revision": item.get("revision")}
        try:
            self._table.write(Update(_key(question.owner, question.name), set=lease, when=known))
        except ConditionFailed:
            raise _busy() from None
        return turn

    def find(self, owner: str, name: str) -> Answer | None:
        """The kept answer of this name, as records remember it."""
        item = self._table.get(_key(owner, name)) if name else None
        return Answer.from_item(item) if item else None

    def keep(self, turn: Turn, answer: Answer, along: Sequence[Write] = ()) -> None:
        """Store the answer for everyone, and what goes ``along``.

        A turn that another has taken over meanwhile keeps nothing of the answer.
        """
        texts = {"answer": answer.recognition.to_json(), "options": answer.options.to_json()}
        item: Item = {
            name: json.dumps(text, ensure_ascii=False, separators=(",", ":")) for name, text in texts.items()
        }
        self._end(turn, {**item, "answered_at": self._now(), "image_id": answer.image_id}, along)

    def give_back(self, turn: Turn, along: Sequence[Write] = ()) -> None:
        """End the turn without an answer: somebody else may ask at once. What goes ``along`` is stored."""
        self._end(turn, {}, along)

    def forget_unused(self, owner: str, name: str) -> None:
        """Remove the answer of this name if no image uses it any more."""
        if name:
            with contextlib.suppress(ConditionFailed):
                self._table.write(Delete(_key(owner, name), when={"uses": 0}))

    def _end(self, turn: Turn, changes: Item, along: Sequence[Write]) -> None:
        key = _key(turn.question.owner, turn.question.name)
        ended = {**changes, "revision": new_id(), "lease_until": 0.0}
        try:
            # Nobody uses it yet; adding nothing makes sure that there is a number to say so.
            end = Update(key, set=ended, add={"uses": 0}, when={"revision": turn.revision})
            self._table.transact([end, *along])
        except ConditionFailed:
            if along:
                self._table.transact(along)


def used(owner: str, before: str, after: str) -> list[Write]:
    """The writes of an image that goes from one answer (its name, or nothing) to another."""
    if before == after:
        return []
    moves = ((before, -1), (after, 1))
    return [Update(_key(owner, name), add={"uses": by}) for name, by in moves if name]


def _busy() -> Busy:
    return Busy("The same photo is being recognised.", retry_after=COME_BACK_SECONDS)


def _key(owner: str, name: str) -> Key:
    return Key(f"{owner}#answer#{name}", "answer")
