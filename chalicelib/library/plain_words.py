"""Translates plain words into the query language: ``dogs without cats`` becomes ``dog & !cat``.

A text that contains operators of the language stays as it is. In any other text, the longest runs of words
that are labels of the owner become these labels; case, diacritics and plural do not matter. ``and``, ``or``,
``not``, ``-word`` and similar words become operators. A word that is no label is searched in file names.
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
    """``text`` in the query language; ``names`` are the owner's labels."""
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
    """The condition for the first words, and the number of words in it."""
    for taken in range(len(words), 0, -1):
        for form in _forms(folded(" ".join(words[:taken]))):
            if form in known:
                return str(Labelled(known[form])), taken
    return str(Named(folded(words[0]))), 1


def _forms(name: str) -> Iterator[str]:
    """A name, and the singulars that it may be the plural of."""
    yield name
    for end, put in _PLURALS:
        if end.search(name):
            yield end.sub(put, name)
