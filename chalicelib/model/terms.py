"""A closed vocabulary: the owner's own terms, and by what other names each may be said.

::

    sneaker = trainer = running shoe
    hiking boot

One term a line or between commas, its aliases behind ``=``; what follows ``#`` is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chalicelib.model.labels import normalised

_ENDS = re.compile(r"[,\n\r]")


@dataclass(frozen=True)
class Terms:
    """The ``names`` in their order; none means that any name will do.

    ``known`` leads from every name and alias, normalised, to its term.
    """

    names: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Terms:
        """Read a list of terms."""
        entries = (entry.split("=") for entry in _ENDS.split(re.sub("#.*", "", text)))
        return cls.made([[tidy for one in said if (tidy := " ".join(one.split()))] for said in entries])

    @classmethod
    def made(cls, entries: Iterable[list[str]]) -> Terms:
        """Of lists that hold a term and its aliases; a name that is given twice belongs to the first."""
        names: list[str] = []
        known: dict[str, str] = {}
        for said in entries:
            for one in said:
                known.setdefault(normalised(one), said[0])
            names += said[:1]
        return cls(tuple(dict.fromkeys(names)), known)

    def __bool__(self) -> bool:
        return bool(self.names)

    def term(self, name: str) -> str | None:
        """The term that goes by ``name``, whatever its case; None where there is none."""
        return self.known.get(normalised(name))

    def of_any(self, names: Iterable[str]) -> str | None:
        """The term of the first of ``names`` that has one."""
        return next((term for one in names if (term := self.term(one))), None)
