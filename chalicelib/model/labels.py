"""Labels, their instances in the picture, people's corrections, and the vocabulary of terms."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from chalicelib.model.json import Json

LONGEST_LABEL_NAME = 128  # characters, of what people call labels
MOST_PARENTS = 20  # of a label that a person adds
_TERM_ENDS = re.compile(r"[,\n\r]")


def normalised(name: str) -> str:
    """A name for comparison: NFKC, case folded, white space collapsed (Unicode, "toNFKC_Casefold").

    Idempotent: a normalised name is not changed.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())


@dataclass(frozen=True)
class Box:
    """A bounding box: ``left``, ``top``, ``width``, ``height`` as fractions of the picture."""

    left: float
    top: float
    width: float
    height: float

    def to_json(self) -> Json:
        return {name: round(value, 5) for name, value in dataclasses.asdict(self).items()}

    @classmethod
    def between(cls, left: float, top: float, right: float, bottom: float) -> Box:
        """A box by its edges, cut where it reaches beyond the picture."""
        left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in (left, top, right, bottom))
        return cls(left, top, max(0.0, right - left), max(0.0, bottom - top))

    @classmethod
    def from_json(cls, data: Json) -> Box:
        return cls(data["left"], data["top"], data["width"], data["height"])


@dataclass(frozen=True)
class Instance:
    """One occurrence of a label in the picture, with the dominant colours of its box if known."""

    confidence: float
    box: Box
    dominant_colors: tuple[Json, ...] = ()

    def to_json(self) -> Json:
        return {
            "confidence": round(self.confidence, 2),
            "box": self.box.to_json(),
            "dominant_colors": list(self.dominant_colors),
        }

    @classmethod
    def from_json(cls, data: Json) -> Instance:
        return cls(data["confidence"], Box.from_json(data["box"]), tuple(data["dominant_colors"]))


@dataclass(frozen=True)
class Label:
    """A label of an image, with the fields of Rekognition's ``Label`` in snake case."""

    name: str
    confidence: float
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    instances: tuple[Instance, ...] = ()
    source: Literal["model", "person"] = "model"

    def to_json(self) -> Json:
        return {
            "name": self.name,
            "confidence": round(self.confidence, 2),
            "parents": list(self.parents),
            "aliases": list(self.aliases),
            "categories": list(self.categories),
            "instances": [instance.to_json() for instance in self.instances],
            "source": self.source,
        }

    @classmethod
    def from_json(cls, data: Json) -> Label:
        return cls(
            name=data["name"],
            confidence=data["confidence"],
            parents=tuple(data["parents"]),
            aliases=tuple(data["aliases"]),
            categories=tuple(data["categories"]),
            instances=tuple(Instance.from_json(one) for one in data["instances"]),
            source=data["source"],
        )


@dataclass(frozen=True)
class Correction:
    """A person's correction of a label: it is ``present`` or it is not. It outranks every recogniser.

    ``by`` is the owner who made it, or ``xmp`` for a keyword in the photo's XMP; ``at`` is when. If
    ``confidence`` (0–100) or ``parents`` is None, the recogniser's stay.
    """

    name: str
    present: bool
    by: str
    at: str
    confidence: float | None = None
    parents: tuple[str, ...] | None = None

    def to_json(self) -> Json:
        parents = None if self.parents is None else list(self.parents)
        return {**dataclasses.asdict(self), "parents": parents}

    @classmethod
    def from_json(cls, data: Json) -> Correction:
        parents = data["parents"]
        return cls(**{**data, "parents": None if parents is None else tuple(parents)})


@dataclass(frozen=True)
class Terms:
    """A closed vocabulary: terms and their aliases.

    ``names`` are the terms in their order; empty if there is no vocabulary. ``known`` maps every term and
    alias, normalised, to its term.
    """

    names: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Terms:
        """Parse a list of terms between line breaks or commas; ``=`` precedes an alias, ``#`` a comment.

        ::

            sneaker = trainer = running shoe
            hiking boot
        """
        entries = (entry.split("=") for entry in _TERM_ENDS.split(re.sub("#.*", "", text)))
        return cls.from_entries(
            [[tidy for one in entry if (tidy := " ".join(one.split()))] for entry in entries]
        )

    @classmethod
    def from_entries(cls, entries: Iterable[list[str]]) -> Terms:
        """From lists of a term and its aliases; a name that is given twice belongs to the first list."""
        names: list[str] = []
        known: dict[str, str] = {}
        for entry in entries:
            for one in entry:
                known.setdefault(normalised(one), entry[0])
            names += entry[:1]
        return cls(tuple(dict.fromkeys(names)), known)

    def __bool__(self) -> bool:
        return bool(self.names)

    def term(self, name: str) -> str | None:
        """The term for ``name``, compared normalised; None if there is none."""
        return self.known.get(normalised(name))

    def of_any(self, names: Iterable[str]) -> str | None:
        """The term for the first of ``names`` that has one, or None."""
        return next((term for one in names if (term := self.term(one))), None)
