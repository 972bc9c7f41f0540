"""What a recogniser is given, what is asked of it, and what it answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from chalicelib.model.json import Json
from chalicelib.model.labels import Label


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
    """What is asked of a recogniser: the lowest ``min_confidence`` (0–100) and at most ``max_labels``."""

    min_confidence: float
    max_labels: int


@dataclass(frozen=True)
class Recognition:
    """A recogniser's answer: ``labels`` by falling confidence, its ``model``, and the raw rest it gave."""

    labels: tuple[Label, ...]
    model: Model
    extra: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Photo:
    """An image that passed its checks: upright-agnostic ``content`` bytes and where they lie in S3."""

    content: bytes
    content_type: str
    width: int
    height: int
    bucket: str
    key: str
    orientation: int = 1  # how EXIF says the content must be turned to stand upright, 1–8
