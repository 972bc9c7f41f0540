"""The conditions of a label query, and the facts about an image that they are checked against."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.ids import EPOCH, moment_of
from chalicelib.library.index import SECOND, IndexEntry, described, label_term
from chalicelib.library.words import STEM, stem_term, word_term, words_of, written_on
from chalicelib.model import Json, normalised

LAST_CHARACTER = "~"  # sorts above all characters of a time
BARE = re.compile(r'[^\s&|!()"@:<>=\\]+(?:\s+[^\s&|!()"@:<>=\\]+)*')  # a name that needs no quotes
BARE_VALUE = re.compile(r'[^\s&|!()"\\]+')  # a field's value that needs no quotes


@dataclass(frozen=True)
class Facts:
    """An image's data in the form in which conditions compare it."""

    id: str
    status: str
    filename: str
    entries: Mapping[str, IndexEntry]
    taken: str = ""  # by the camera's clock, to the second; empty if unknown
    written: tuple[str, ...] = ()  # lines of folded words, with a space before and after each word

    @classmethod
    def of(cls, image_id: str, document: Json) -> Facts:
        """The facts in an image's public document."""
        name, taken = normalised(document["filename"]), (document["taken_at"] or "")[:SECOND]
        written = tuple(f" {' '.join(line)} " for line in written_on(document))
        return cls(image_id, document["status"], name, described(document), taken, written)


@dataclass(frozen=True)
class Labelled:
    """The image has a label, parent or alias ``name``.

    The label has at least ``confidence`` (0–100) and at least ``instances`` boxes.
    """

    name: str
    confidence: float = 0.0
    instances: int = 0

    @property
    def term(self) -> str:
        return label_term(self.name)

    def holds(self, facts: Facts) -> bool:
        entry = facts.entries.get(self.term)
        return entry is not None and self.admits(entry)

    def admits(self, entry: IndexEntry) -> bool:
        """Whether an entry under :attr:`term` has enough confidence and instances."""
        return entry.confidence >= self.confidence and entry.instances >= self.instances

    def __str__(self) -> str:
        sure = f"@{self.confidence:g}" if self.confidence else ""
        many = f">={self.instances}" if self.instances else ""
        return _quoted_unless(BARE, self.name) + sure + many


@dataclass(frozen=True)
class HasStatus:
    """The image is ``awaiting_upload``, ``labelling``, ``labelled``, ``failed`` or ``binned``."""

    status: str

    def holds(self, facts: Facts) -> bool:
        return facts.status == self.status

    def __str__(self) -> str:
        return f"status:{self.status}"


@dataclass(frozen=True)
class FileNamed:
    """The image's file name begins with ``prefix``; both are normalised."""

    prefix: str

    def holds(self, facts: Facts) -> bool:
        return facts.filename.startswith(self.prefix)

    def __str__(self) -> str:
        return "filename:" + _quoted_unless(BARE_VALUE, self.prefix)


@dataclass(frozen=True)
class Named:
    """The file's name without its folders has a word that begins with ``word``.

    If ``word`` is several words, they have to follow each other. Case and diacritics do not matter; words are
    made of letters and digits.
    """

    word: str

    def holds(self, facts: Facts) -> bool:
        name = facts.filename.rpartition("/")[2]
        return f" {' '.join(words_of(self.word))}" in f" {' '.join(words_of(name))}"

    def __str__(self) -> str:
        return "named:" + _quoted_unless(BARE_VALUE, self.word)


@dataclass(frozen=True)
class Written:
    """The caption, the alternative text or a line of detected text has these ``words``, one after the other.

    With ``prefix``, the last one is the beginning of a word. Case and diacritics do not matter.
    """

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def terms(self) -> tuple[str, ...]:
        """The index terms of the words: an image with all of them is a candidate."""
        whole = self.words[:-1] if self.prefix else self.words
        last = self.words[-1]
        stems = (stem_term(last),) if self.prefix and len(last) >= STEM else ()
        return (*map(word_term, whole), *stems)

    def holds(self, facts: Facts) -> bool:
        wanted = f" {' '.join(self.words)}{'' if self.prefix else ' '}"
        return any(wanted in line for line in facts.written)

    def __str__(self) -> str:
        return "text:" + _quoted_unless(BARE_VALUE, f"{' '.join(self.words)}{'*' if self.prefix else ''}")


@dataclass(frozen=True)
class Before:
    """The image arrived before ``millisecond`` (since 1970), by the time in its id."""

    millisecond: int

    def holds(self, facts: Facts) -> bool:
        return moment_of(facts.id) < self.millisecond

    def __str__(self) -> str:
        return f"before:{_moment(self.millisecond)}"


@dataclass(frozen=True)
class After:
    """The image arrived at ``millisecond`` (since 1970) or later, by the time in its id."""

    millisecond: int

    def holds(self, facts: Facts) -> bool:
        return moment_of(facts.id) >= self.millisecond

    def __str__(self) -> str:
        return f"after:{_moment(self.millisecond)}"


@dataclass(frozen=True)
class Taken:
    """The photo was taken from ``first`` to ``last``, by the camera's clock: years, months or days.

    Each stands for its whole period (``2019`` is all of the year); empty means open. A photo without a date
    never matches.
    """

    first: str = ""
    last: str = ""

    def holds(self, facts: Facts) -> bool:
        return self.oldest <= facts.taken <= self.newest

    @property
    def oldest(self) -> str:
        """A lower bound of the times within ``first``, above the empty text of an unknown date."""
        return self.first or "0"

    @property
    def newest(self) -> str:
        """An upper bound of the times within ``last``."""
        return self.last + LAST_CHARACTER

    def __str__(self) -> str:
        return f"taken:{self.first}" if self.first == self.last != "" else f"taken:{self.first}..{self.last}"


Condition = Labelled | HasStatus | FileNamed | Named | Written | Before | After | Taken


def _quoted_unless(bare: re.Pattern[str], text: str) -> str:
    if bare.fullmatch(text):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A text in quotes, as the query language writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _moment(millisecond: int) -> str:
    at = EPOCH + datetime.timedelta(milliseconds=millisecond)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z").removesuffix("T00:00:00.000Z")
