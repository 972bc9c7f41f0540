"""What a recogniser is given, what is asked of it, and what it answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chalicelib.model.json import Json
from chalicelib.model.labels import Label

TOKENS = "_tokens"  # what the names of counters end with that count no calls
LONGEST_CAPTION = 500  # characters
LONGEST_ALT = 125  # characters; screen readers read longer ones in pieces, or not to the end
FEATURES = ("labels", "properties", "moderation", "text", "caption")


@dataclass(frozen=True)
class Caption:
    """A sentence or two (``text``) and the alternative text (``alt``), either of which may be empty.

    ``source`` says whose they are: a multimodal ``model``'s; a ``template``'s, which names labels; a
    ``person``'s, who outranks both. ``language`` is a BCP 47 tag, None where nobody said.
    """

    text: str
    alt: str
    source: Literal["model", "template", "person"]
    language: str | None = None

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Caption:
        return cls(data["text"], data["alt"], data["source"], data["language"])


@dataclass(frozen=True)
class Model:
    """Who recognised: a recogniser's ``name`` and the ``version`` of its network."""

    name: str
    version: str

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Model:
        return cls(data["name"], data["version"])


@dataclass(frozen=True)
class RecognitionOptions:
    """What is asked of a recogniser.

    The lowest ``min_confidence`` (0–100), at most ``max_labels``, and which of :data:`FEATURES`. A label is
    left out that ``exclude_…`` names by itself, by an alias or by its category; where ``include_…`` names
    anything, only what it names stays. Names are compared without regard to case.
    """

    min_confidence: float
    max_labels: int
    features: tuple[str, ...] = ("labels",)
    include_labels: tuple[str, ...] = ()
    exclude_labels: tuple[str, ...] = ()
    include_categories: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> RecognitionOptions:
        read: dict[str, Any] = {n: tuple(one) if isinstance(one, list) else one for n, one in data.items()}
        return cls(**read)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a client asks of the recogniser, by the fields of :class:`RecognitionOptions`.

    None leaves a field to the stage's settings; an empty list says that there is no such filter.
    """

    min_confidence: float | None = None
    max_labels: int | None = None
    features: tuple[str, ...] | None = None
    include_labels: tuple[str, ...] | None = None
    exclude_labels: tuple[str, ...] | None = None
    include_categories: tuple[str, ...] | None = None
    exclude_categories: tuple[str, ...] | None = None

    def options(self, defaults: RecognitionOptions) -> RecognitionOptions:
        """What was asked for, and the defaults for the rest."""
        return dataclasses.replace(defaults, **_given(self.asked()))

    def asked(self) -> dict[str, Any]:
        """The fields of this class alone, whatever else a subclass has."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(Asked)}


ASKED = tuple(one.name for one in dataclasses.fields(Asked))


@dataclass(frozen=True)
class Recognition:
    """A recogniser's answer: ``labels`` by falling confidence and its ``model``.

    ``passed_over`` are labels that were seen too, but were not sure enough, filtered out or too many.
    ``properties``, ``moderation``, ``text`` and ``caption`` are None where they were not asked for or cannot
    be given. ``calls`` counts what was asked of whom, by the names that the price list has; for language
    models also the tokens.
    """

    labels: tuple[Label, ...]
    model: Model
    passed_over: tuple[Label, ...] = ()
    properties: Json | None = None
    moderation: Json | None = None
    text: Json | None = None
    caption: Caption | None = None
    calls: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> Json:
        plain = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        labels, passed_over = ([one.to_json() for one in some] for some in (self.labels, self.passed_over))
        return {
            **plain,
            "labels": labels,
            "passed_over": passed_over,
            "model": self.model.to_json(),
            "caption": self.caption and self.caption.to_json(),
            "calls": dict(self.calls),
        }

    @classmethod
    def from_json(cls, data: Json) -> Recognition:
        labels, passed_over = (tuple(map(Label.from_json, data[name])) for name in ("labels", "passed_over"))
        model, told = Model.from_json(data["model"]), data.get("caption")
        caption = Caption.from_json(told) if told else None
        return cls(
            **{**data, "labels": labels, "passed_over": passed_over, "model": model, "caption": caption}
        )


@dataclass(frozen=True)
class Photo:
    """What a recogniser is given: an upright JPEG or PNG, RGB or grey, of 80–10,000 pixels a side.

    ``content`` is the object under ``key``, of at most 15 MB; or a JPEG made from it, of at most 5 MB, and
    ``key`` is None. ``width`` and ``height`` are the original's.
    """

    content: bytes
    content_type: str
    width: int
    height: int
    bucket: str
    key: str | None


def calls_in(counted: Mapping[str, int]) -> int:
    """How many calls were made, of what :attr:`Recognition.calls` counts: tokens are none."""
    return sum(number for name, number in counted.items() if not name.endswith(TOKENS))


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}
