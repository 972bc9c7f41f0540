"""What commands print: for people, as documents for programs, or ids alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

from sightline_labels.table import columns, printable

Json = dict[str, Any]
ROWS_AT_ONCE = 50  # whose columns are as wide as the widest of them


class Output:
    """Standard output in one of three forms: text, ``as_json`` (a document a line), or ``quiet`` (ids)."""

    def __init__(self, out: TextIO, *, as_json: bool, quiet: bool) -> None:
        self._out = out
        self.as_json = as_json
        self.quiet = quiet
        self._under_way = False

    def rows(self, found: Iterable[Json], row: Callable[[Json], Sequence[Any]], *, nothing: str) -> int:
        """A line for each document as it comes; answers the exit code."""
        waiting: list[Json] = []
        count = 0
        for one in found:
            count += 1
            waiting.append(one)
            if len(waiting) == ROWS_AT_ONCE:
                self._rows(waiting, row)
                waiting = []
        self._rows(waiting, row)
        if not count and not self.as_json and not self.quiet:
            self.line(nothing)
        return 0

    def _rows(self, found: Sequence[Json], row: Callable[[Json], Sequence[Any]]) -> None:
        if self.as_json:
            for one in found:
                self.line(_text(one))
        elif self.quiet:
            for one in found:
                self.line(str(one.get("id", one.get("name", ""))))
        else:
            for text in columns([row(one) for one in found]):
                self.line(text)

    def document(self, document: Json, lines: Sequence[str]) -> None:
        """One document, or the ``lines`` that tell of it."""
        self.clear()
        if self.as_json:
            self.line(_text(document))
        elif self.quiet:
            self.line(str(document.get("token") or document.get("id") or lines[0]))
        else:
            for text in lines:
                self.line(printable(text))

    def table(self, document: Json, heading: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """One document that is a table."""
        self.document(document, columns([heading, *rows]))

    def say(self, text: str) -> None:
        """Print a sentence, for people only."""
        if not self.as_json and not self.quiet:
            self.line(text)

    def line(self, text: str) -> None:
        self._out.write(f"{text}\n")

    def progress(self, text: str) -> None:
        """Show progress on a terminal, in a line that is replaced."""
        if sys.stderr.isatty() and not self.quiet:
            sys.stderr.write(f"\r\x1b[K{printable(text)}")
            sys.stderr.flush()
            self._under_way = True

    def clear(self) -> None:
        """Remove the line of :meth:`progress`."""
        if self._under_way:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._under_way = False


def _text(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
