"""The label query language: of the parameter ``q=`` and of subscriptions' filters.

::

    query    = every { "|" every }                     either of them
    every    = single { "&" single }                   all of them; "&" binds closer than "|"
    single   = "!" single | "(" query ")" | field | label
    label    = name { "@" number | ">=" whole }        each at most once, in either order
    field    = ("status" | "filename" | "named" | "text" | "before" | "after" | "taken") ":" value
    name     = words without  & | ! ( ) " @ : < > = \\  or a quoted text; spaces within are fine
    value    = characters without white space and  & | ! ( ) " \\  or a quoted text
    quoted   = '"' { any character, " and \\ as \\" and \\\\ } '"'

* ``dog@90``: a confidence of at least 90 (0–100, up to two decimals).
* ``person>=2``: at least two instances (1–1000; labels without boxes have none).
* A name also finds labels that have it as a parent or as an alias. Names and file names are compared after
  NFKC and case folding.
* ``status:`` takes a status of the API, ``filename:`` a prefix, ``named:`` the beginning of any word of the
  file name without its folders.
* ``text:`` takes words that follow each other in the detected text, the caption or the alternative text. A
  ``*`` after the last one stands for any ending: ``text:invoice``, ``text:"total eur"``, ``text:inv*``.
* ``before:`` and ``after:`` take an RFC 3339 time or a date (its midnight in UTC). ``after`` includes that
  moment, ``before`` does not: ``after:2026-03-01 & before:2026-04-01`` is March.
* ``taken:`` takes a year, a month or a day of the camera's clock, or a range that may be open at either end:
  ``taken:2019-05..2019-06`` is two months, ``!taken:..`` matches photos without a date.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.library.conditions import Facts
from chalicelib.library.grammar import Reader
from chalicelib.library.query_algebra import Node, every, surer
from chalicelib.model import Image, Json


@dataclass(frozen=True)
class Query:
    """A parsed query; ``root`` is None if it matches every image.

    ``str()`` gives the canonical form: the same for all spellings of a query, and it parses to an equal one.
    """

    root: Node | None = None

    def matches(self, image: Image) -> bool:
        """Whether the image matches."""
        return self.holds(image.id, image.document())

    def holds(self, image_id: str, document: Json) -> bool:
        """Whether an image with this public document matches."""
        return self.root is None or self.root.holds(Facts.of(image_id, document))

    def __and__(self, other: Query) -> Query:
        """The query that matches what both match."""
        asked = [one.root for one in (self, other) if one.root]
        return Query(every(asked) if asked else None)

    def at_least(self, confidence: float) -> Query:
        """The same query, with ``confidence`` (0–100) as the default for each label without one."""
        return Query(self.root and surer(self.root, confidence))

    def __str__(self) -> str:
        return "" if self.root is None else str(self.root)


def parse(text: str) -> Query:
    """Parse a query.

    :raises BadQuery: the text is no query; the error names the column and what was expected there.
    """
    return Query(Reader(text).query())
