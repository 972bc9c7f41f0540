"""Words as they are compared, and those that are written on an image or about it.

An image is found by what its caption, its alternative text and the lines read on it say: by whole words, by
the beginning of one, and by several in a row. A caption that is put together of labels says nothing new.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from chalicelib.model import Json, normalised

MOST_WORDS = 100  # different ones, of an image
LONGEST_WORD = 64  # characters; of longer ones the beginning counts
STEM = 3  # characters of a word's beginning that have a term of their own
_WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """A text as it is compared without its diacritics, too."""
    apart = unicodedata.normalize("NFKD", normalised(text))
    return normalised("".join(one for one in apart if not unicodedata.combining(one)))


def words_of(text: str) -> list[str]:
    """The words of a text, folded: letters and digits in a row."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(folded(text))]


def written_on(document: Json) -> list[list[str]]:
    """The words of each text of an image's public document, up to the hundredth different one."""
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
    """The term of all images on which a word is written."""
    return f"word:{word}"


def stem_term(word: str) -> str:
    """The term of all images with a word that begins as this one does."""
    return f"word:{word[:STEM]}*"


def written_terms(lines: Iterable[Iterable[str]]) -> dict[str, None]:
    """The terms of the words of some lines, each once."""
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
