"""The parser of the query language, which is described in :mod:`chalicelib.library.query`.

A recursive descent parser; its errors name the column and what was expected there.
"""

from __future__ import annotations

import re
import unicodedata
from typing import get_args

from chalicelib.errors import BadQuery
from chalicelib.ids import millisecond_at
from chalicelib.library.conditions import (
    BARE,
    BARE_VALUE,
    After,
    Before,
    Condition,
    FileNamed,
    HasStatus,
    Labelled,
    Named,
    Taken,
    Written,
)
from chalicelib.library.query_algebra import Node, either, every, negated
from chalicelib.library.words import STEM, folded, words_of
from chalicelib.model import Status, normalised

LONGEST = 1000  # characters
LONGEST_NAME = 255  # characters
MOST_NAME_BYTES = 1000  # normalised: one character may become eighteen, and a sort key holds 1,024 bytes
MOST_CONDITIONS = 20
DEEPEST = 12  # parentheses and negations within each other

_FIELD = re.compile(r"(\w+)\s*:\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_CONFIDENCE = re.compile(r"\s*(100(?:\.0{1,2})?|[0-9]{1,2}(?:\.[0-9]{1,2})?)(?![0-9.])")
_INSTANCES = re.compile(r"\s*(1000|[1-9][0-9]{0,2})(?![0-9.])")
_FOUND = re.compile(r'[^\s&|!()"]{1,20}|.', re.DOTALL)
_DATE = r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_TAKEN = re.compile(rf"({_DATE})|({_DATE})?\.\.({_DATE})?")
_OPERAND = "a label's name, status:, filename:, named:, text:, before:, after:, taken:, ! or ("
_PERIOD = "a year, a month or a day (2019, 2019-05, 2019-05-17), or a range of them (2019-05..2019-06)"
_MOMENT = "a date (2026-03-01) or an RFC 3339 time (2026-03-01T09:30:00Z)"


class Reader:
    """Parses one query; each method parses one rule of the grammar and stops behind it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._conditions = 0

    def query(self) -> Node:
        """Parse the whole text.

        :raises BadQuery: it is no query.
        """
        if len(self._text) > LONGEST:
            raise self._error(f"at most {LONGEST} characters", LONGEST)
        for at, char in enumerate(self._text):
            if unicodedata.category(char) in ("Cc", "Cs") and not char.isspace():
                raise self._error("printable text", at)
        node = self._either(depth=0)
        if self._at < len(self._text):
            raise self._error("&, | or the end")
        return node

    def _either(self, depth: int) -> Node:
        parts = [self._every(depth)]
        while self._took("|"):
            parts.append(self._every(depth))
        return either(parts)

    def _every(self, depth: int) -> Node:
        parts = [self._single(depth)]
        while self._took("&"):
            parts.append(self._single(depth))
        return every(parts)

    def _single(self, depth: int) -> Node:
        began = self._after_space()
        if depth > DEEPEST:
            raise self._error(f"at most {DEEPEST} parentheses and negations within each other")
        if self._took("!"):
            return negated(self._single(depth + 1))
        if self._took("("):
            node = self._either(depth + 1)
            if not self._took(")"):
                raise self._error("&, | or )")
            return node
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise self._error(f"at most {MOST_CONDITIONS} names and fields", began)
        return self._condition(began)

    def _condition(self, began: int) -> Condition:
        field = _FIELD.match(self._text, began)
        if not field:
            return self._label()
        return self._field(field, began)

    def _field(self, field: re.Match[str], began: int) -> Condition:
        self._at = field.end()
        match field[1].casefold():
            case "status":
                return self._status()
            case "filename":
                return FileNamed(self._normal(self._value("the beginning of a file name"), field.end()))
            case "named":
                return self._named()
            case "text":
                return self._written()
            case "before":
                return Before(self._moment())
            case "after":
                return After(self._moment())
            case "taken":
                return self._taken()
        fields = 'status:, filename:, named:, text:, before:, after:, taken: (names with a colon go in " ")'
        raise self._error(fields, began)

    def _label(self) -> Labelled:
        began = self._at
        name = self._normal(self._text_of(BARE, _OPERAND), began)
        confidence = instances = None
        while True:
            if confidence is None and self._took("@"):
                confidence = float(self._number(_CONFIDENCE, "a confidence from 0 to 100"))
            elif instances is None and self._took(">="):
                instances = int(self._number(_INSTANCES, "a whole number from 1 to 1000"))
            else:
                return Labelled(name, confidence or 0.0, instances or 0)

    def _status(self) -> HasStatus:
        began, known = self._at, get_args(Status)
        status = self._value(", ".join(known)).casefold()
        if status not in known:
            raise self._error(" or ".join(known), began)
        return HasStatus(status)

    def _moment(self) -> int:
        began = self._at
        text = self._value(_MOMENT)
        try:
            return millisecond_at(text)
        except ValueError:
            raise self._error(_MOMENT, began) from None

    def _named(self) -> Named:
        began, expected = self._at, "a word of a file's name"
        word = folded(self._normal(self._value(expected), began))
        if not words_of(word):
            raise self._error(expected, began)
        return Named(word)

    def _written(self) -> Written:
        began, expected = self._at, f"words, or the first {STEM} letters of one and more with a *"
        text = self._normal(self._value(expected), began)
        words = tuple(words_of(text))
        prefix = text.endswith("*")
        if not words or (prefix and len(words) == 1 and len(words[0]) < STEM):
            raise self._error(expected, began)
        return Written(words, prefix)

    def _taken(self) -> Taken:
        began = self._at
        period = _TAKEN.fullmatch(self._value(_PERIOD))
        if not period:
            raise self._error(_PERIOD, began)
        first, last = period[1] or period[2] or "", period[1] or period[3] or ""
        shorter = min(len(first), len(last))
        if first[:shorter] > last[:shorter]:
            raise self._error("a range that ends after it begins", began)
        return Taken(first, last)

    def _value(self, expected: str) -> str:
        return self._text_of(BARE_VALUE, expected)

    def _text_of(self, bare: re.Pattern[str], expected: str) -> str:
        if self._text.startswith('"', self._at):
            quoted = _QUOTED.match(self._text, self._at)
            if not quoted:
                raise self._error('a closing " (and \\" for one within)', len(self._text))
            self._at = quoted.end()
            return re.sub(r"\\(.)", r"\1", quoted[1])
        plain = bare.match(self._text, self._at)
        if not plain:
            raise self._error(expected)
        self._at = plain.end()
        return plain[0]

    def _normal(self, name: str, began: int) -> str:
        compared = normalised(name)
        if not compared:
            raise self._error("a name that is not empty", began)
        if len(name) > LONGEST_NAME or len(compared.encode()) > MOST_NAME_BYTES:
            raise self._error(f"a name of at most {LONGEST_NAME} characters", began)
        return compared

    def _number(self, form: re.Pattern[str], expected: str) -> str:
        number = form.match(self._text, self._at)
        if not number:
            self._after_space()
            raise self._error(expected)
        self._at = number.end()
        return number[1]

    def _took(self, symbol: str) -> bool:
        if not self._text.startswith(symbol, self._after_space()):
            return False
        self._at += len(symbol)
        return True

    def _after_space(self) -> int:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at

    def _error(self, expected: str, at: int | None = None) -> BadQuery:
        place = self._at if at is None else at
        found = _FOUND.match(self._text, place)
        return BadQuery(place + 1, expected, ascii(found[0]) if found else "the end")
