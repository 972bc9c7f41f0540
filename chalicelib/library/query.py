"""The label query language: what ``q=`` asks, what a subscription waits for.

::

    query    = every { "|" every }                     either of them
    every    = single { "&" single }                   all of them; "&" binds closer than "|"
    single   = "!" single | "(" query ")" | field | label
    label    = name { "@" number | ">=" whole }        each at most once, in either order
    field    = ("status" | "filename" | "named" | "text" | "before" | "after" | "taken") ":" value
    name     = words without  & | ! ( ) " @ : < > = \\  or a quoted text; spaces within are fine
    value    = characters without white space and  & | ! ( ) " \\  or a quoted text
    quoted   = '"' { any character, " and \\ as \\" and \\\\ } '"'

``dog@90`` is at least 90 sure (0–100, up to two decimals), ``person>=2`` shows at least two instances
(1–1000; labels without boxes have none). A name finds its children, and what has it for an alias. Names
and file names are compared after NFKC and case folding. ``status:`` takes the four words of the API,
``filename:`` a prefix, ``named:`` the beginning of any word of the name without its folders.
``text:`` takes words in a row that are written on the image, in its caption or in its alternative text; a
``*`` behind the last one stands for any ending (``text:invoice``, ``text:"total eur"``, ``text:inv*``).
``before:`` and ``after:`` take RFC 3339 or a date (its midnight in UTC); ``after``
holds from that moment on and ``before`` up to it, so ``after:2026-03-01 & before:2026-04-01`` is March.
``taken:`` takes a year, a month or a day of the camera's clock, or a range of them that may be open at either
end: ``taken:2019-05..2019-06`` is two months, ``!taken:..`` holds where the photo notes no date.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.library.conditions import Facts
from chalicelib.library.grammar import Reader
from chalicelib.library.query_algebra import Node, every, surer
from chalicelib.model import Image, Json


@dataclass(frozen=True)
class Query:
    """A question that was understood. ``root`` is None where nothing is asked: every image will do.

    ``str()`` gives the canonical form, the same for all spellings of a question, which parses to an equal
    query.
    """

    root: Node | None = None

    def matches(self, image: Image) -> bool:
        """Whether the image, as it is now, is one that is asked for."""
        return self.holds(image.id, image.document())

    def holds(self, image_id: str, document: Json) -> bool:
        """Whether an image with this public document is one that is asked for."""
        return self.root is None or self.root.holds(Facts.of(image_id, document))

    def __and__(self, other: Query) -> Query:
        """What both ask for."""
        asked = [one.root for one in (self, other) if one.root]
        return Query(every(asked) if asked else None)

    def at_least(self, confidence: float) -> Query:
        """The same, each label asked for with at least ``confidence`` (0–100) where it says none itself."""
        return Query(self.root and surer(self.root, confidence))

    def __str__(self) -> str:
        return "" if self.root is None else str(self.root)


def parse(text: str) -> Query:
    """Read a query; :exc:`~chalicelib.errors.BadQuery` says at which column what was expected."""
    return Query(Reader(text).query())
