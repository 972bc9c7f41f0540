"""Plain words as people type them, in the query language: ``dogs without cats`` becomes ``dog & !cat``.

A text with signs of the language is left as it is. Of any other, the longest runs of words that are labels of
the owner become these labels, whatever their case, diacritics and number; ``and``, ``or``, ``not``, ``-word``
and their like become signs, and what is no label is looked for among the words of file names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chalicelib.library.conditions import Labelled, Named
from chalicelib.library.words import folded

LONGEST_NAME = 5  # words
_STRICT = re.compile(r'[&|!()":@<>=]')
_SIGNS = {"and": "&", "with": "&", "but": "&", "+": "&", ",": "&", "or": "|", "not": "!", "without": "!"}
_PLURALS = (
    (re.compile("ies$"), "y"),
    (re.compile("(ch|sh|s|x|z)es$"), r"\1"),
    (re.compile("ves$"), "f"),
    (re.compile("s$"), ""),
    (re.compile("men$"), "man"),
    (re.compile("people$"), "person"),
    (re.compile("children$"), "child"),
    (re.compile("mice$"), "mouse"),
)


def translated(text: str, names: Iterable[str]) -> str:
    """What ``text`` asks for, in the query language; ``names`` are the labels that there are."""
    if _STRICT.search(text):
        return text
    known: dict[str, str] = {}
    for name in sorted(names):
        known.setdefault(folded(name), name)
    words = text.replace(",", " , ").split()
    query, between, contrary, at = "", "&", False, 0
    while at < len(words):
        sign = _SIGNS.get(words[at].casefold())
        if sign and folded(words[at]) not in known:
            contrary, between = (True, between) if sign == "!" else (contrary, sign)
            at += 1
            continue
        barred = len(words[at]) > 1 and words[at][0] == "-"
        term, taken = _term([words[at][barred:], *words[at + 1 : at + LONGEST_NAME]], known)
        query += f"{f' {between} ' if query else ''}{'!' if contrary or barred else ''}{term}"
        between, contrary, at = "&", False, at + taken
    return query


def _term(words: Sequence[str], known: Mapping[str, str]) -> tuple[str, int]:
    """The condition that the first words make, and how many they are."""
    for taken in range(len(words), 0, -1):
        for form in _forms(folded(" ".join(words[:taken]))):
            if form in known:
                return str(Labelled(known[form])), taken
    return str(Named(folded(words[0]))), 1


def _forms(name: str) -> Iterator[str]:
    """A name, and what it may be the plural of."""
    yield name
    for end, put in _PLURALS:
        if end.search(name):
            yield end.sub(put, name)
