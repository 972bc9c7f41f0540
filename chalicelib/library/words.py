"""The words of an image's text, and how words are compared and indexed.

An image can be found by the words of its caption, its alternative text and its detected text: by whole words,
by the beginning of a word, and by a phrase. A caption that was made from labels is not indexed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from chalicelib.model import Json, normalised

MOST_WORDS = 100  # different words of an image that are indexed
LONGEST_WORD = 64  # characters; a longer word is cut
STEM = 3  # length of a word's prefix that has a term
_WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """A text normalised and without diacritics, for comparison."""
    apart = unicodedata.normalize("NFKD", normalised(text))
    return normalised("".join(one for one in apart if not unicodedata.combining(one)))


def words_of(text: str) -> list[str]:
    """The folded words of a text: runs of letters and digits."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(folded(text))]


def written_on(document: Json) -> list[list[str]]:
    """The words of each text of an image's public document, up to :data:`MOST_WORDS` different ones."""
    known: set[str] = set()
    lines: list[list[str]] = []
    for text in _texts(document):
        line: list[str] = []
        for word in words_of(text):
            if word not in known and len(known) == MOST_WORDS:
                break
            known.add(word)
            line.append(word)
        if line:
            lines.append(line)
    return lines


def word_term(word: str) -> str:
    """The term of a word."""
    return f"word:{word}"


def stem_term(word: str) -> str:
    """The term of a word's prefix."""
    return f"word:{word[:STEM]}*"


def written_terms(lines: Iterable[Iterable[str]]) -> dict[str, None]:
    """The terms of the words in some lines, without duplicates."""
    words = dict.fromkeys(word for line in lines for word in line)
    stems = [stem_term(word) for word in words if len(word) >= STEM]
    return dict.fromkeys([*map(word_term, words), *stems])


def _texts(document: Json) -> Iterator[str]:
    caption, text = document.get("caption"), document.get("text")
    if caption and caption["source"] != "template":
        yield caption["text"]
        yield caption["alt"]
    if text:
        yield from (one["text"] for one in text.get("detections", ()) if one["type"] == "line")
