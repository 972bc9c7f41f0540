"""The input, the options and the result of a recogniser."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chalicelib.model.json import Json
from chalicelib.model.labels import Label

TOKENS = "_tokens"  # the suffix of counters that count tokens, not calls
LONGEST_CAPTION = 500  # characters
LONGEST_ALT = 125  # characters; screen readers split or cut longer texts
FEATURES = ("labels", "properties", "moderation", "text", "caption")


@dataclass(frozen=True)
class Caption:
    """A caption (``text``, a sentence or two) and an alternative text (``alt``); either may be empty.

    ``source`` is who wrote them: a multimodal ``model``, a ``template`` that names labels, or a ``person``,
    who outranks both. ``language`` is a BCP 47 tag, None if unknown.
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
    """A recogniser's ``name``, and the ``version`` of its network."""

    name: str
    version: str

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Model:
        return cls(data["name"], data["version"])


@dataclass(frozen=True)
class RecognitionOptions:
    """The options of a recognition.

    Labels have at least ``min_confidence`` (0–100); there are at most ``max_labels``. ``features`` are some
    of :data:`FEATURES`. ``exclude_…`` removes labels by name, alias or category; with ``include_…`` only the
    named ones stay. Names are compared case-insensitively.
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
    """A client's choice of :class:`RecognitionOptions`.

    None leaves a field to the stage's settings; an empty list means no filter.
    """

    min_confidence: float | None = None
    max_labels: int | None = None
    features: tuple[str, ...] | None = None
    include_labels: tuple[str, ...] | None = None
    exclude_labels: tuple[str, ...] | None = None
    include_categories: tuple[str, ...] | None = None
    exclude_categories: tuple[str, ...] | None = None

    def options(self, defaults: RecognitionOptions) -> RecognitionOptions:
        """The options: the client's choice, and the defaults for the rest."""
        return dataclasses.replace(defaults, **_given(self.asked()))

    def asked(self) -> dict[str, Any]:
        """The fields of this class only, without those of a subclass."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(Asked)}


ASKED = tuple(one.name for one in dataclasses.fields(Asked))


@dataclass(frozen=True)
class Recognition:
    """A recogniser's result: its ``labels``, the most confident first, and its ``model``.

    ``passed_over`` are further labels: below the threshold, filtered out, or too many. ``properties``,
    ``moderation``, ``text`` and ``caption`` are None if they were not requested or are not supported.
    ``calls`` counts calls by price list name, for language models also tokens.
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
        model, written = Model.from_json(data["model"]), data.get("caption")
        caption = Caption.from_json(written) if written else None
        return cls(
            **{**data, "labels": labels, "passed_over": passed_over, "model": model, "caption": caption}
        )


@dataclass(frozen=True)
class Photo:
    """The input of a recogniser: an upright JPEG or PNG, RGB or grey, of 80–10,000 pixels a side.

    ``content`` is the object under ``key``, of at most 15 MB; or a JPEG that was made from it, of at most
    5 MB, with ``key`` None. ``width`` and ``height`` are those of the original.
    """

    content: bytes
    content_type: str
    width: int
    height: int
    bucket: str
    key: str | None


def calls_in(counted: Mapping[str, int]) -> int:
    """The number of calls in :attr:`Recognition.calls`, without tokens."""
    return sum(number for name, number in counted.items() if not name.endswith(TOKENS))


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}
