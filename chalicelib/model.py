"""What the rooms hand to each other: frozen values that own their JSON.

Confidences are 0–100, box edges are fractions of the picture (0–1), times are
RFC 3339 UTC strings, sizes are bytes and pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Status = Literal["awaiting_upload", "labelling", "labelled", "failed"]
FINAL: frozenset[Status] = frozenset({"labelled", "failed"})
DEFAULT_OWNER = "default"
RECORD_VERSION = 1


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
    def from_json(cls, data: Json) -> Box:
        return cls(data["left"], data["top"], data["width"], data["height"])


@dataclass(frozen=True)
class Instance:
    """One occurrence of a label in the picture."""

    confidence: float
    box: Box

    def to_json(self) -> Json:
        return {"confidence": round(self.confidence, 2), "box": self.box.to_json()}

    @classmethod
    def from_json(cls, data: Json) -> Instance:
        return cls(data["confidence"], Box.from_json(data["box"]))


@dataclass(frozen=True)
class Label:
    """Something seen on an image, in the shape of Rekognition's ``Label`` and this project's case."""

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


@dataclass(frozen=True)
class ObjectUploaded:
    """A hint that an object lies under ``key``: from an S3 event, or from the sweep.

    ``etag`` and ``sequencer`` are empty where the sender did not know them.
    """

    key: str
    etag: str = ""
    sequencer: str = ""

    def to_json(self) -> Json:
        """Shaped like an S3 notification record, so that one reader serves the queue's both senders."""
        from urllib.parse import quote_plus

        detail = {"key": quote_plus(self.key), "eTag": self.etag, "sequencer": self.sequencer}
        return {"eventSource": "aws:s3", "s3": {"object": detail}}

    @classmethod
    def from_json(cls, record: Json) -> ObjectUploaded:
        """Read one record of an S3 notification; its key comes form-encoded."""
        from urllib.parse import unquote_plus

        detail = record["s3"]["object"]
        return cls(unquote_plus(detail["key"]), detail.get("eTag", ""), detail.get("sequencer", ""))


@dataclass(frozen=True)
class NewImage:
    """What a client says of an image it is about to hand in."""

    filename: str = ""
    callback_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    min_confidence: float | None = None
    max_labels: int | None = None


@dataclass(frozen=True)
class Failure:
    """Why an image could not be labelled: a stable ``code`` and a sentence for a person."""

    code: str
    detail: str

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Failure:
        return cls(data["code"], data["detail"])


@dataclass(frozen=True)
class Image:
    """All that is known of one image.

    ``result`` counts the final results so far (0: none yet); ``etag`` and
    ``sequencer`` are those of the object that the current result was made from.
    """

    id: str
    owner: str
    key: str
    status: Status
    filename: str
    created_at: str
    min_confidence: float | None = None
    max_labels: int | None = None
    callback_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    started_at: str | None = None
    completed_at: str | None = None
    content_type: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    etag: str = ""
    sequencer: str = ""
    labels: tuple[Label, ...] = ()
    model: Model | None = None
    error: Failure | None = None
    result: int = 0

    @property
    def final(self) -> bool:
        return self.status in FINAL

    def to_json(self) -> Json:
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {
            **plain,
            "version": RECORD_VERSION,
            "metadata": dict(self.metadata),
            "labels": [label.to_json() for label in self.labels],
            "model": self.model and self.model.to_json(),
            "error": self.error and self.error.to_json(),
        }

    def document(self) -> Json:
        """The image as everybody outside sees it: the API's answer, the sidecar, the event's data."""
        hidden = {"owner", "key", "etag", "sequencer", "version"}
        return {name: value for name, value in self.to_json().items() if name not in hidden}

    @classmethod
    def from_json(cls, data: Json) -> Image:
        known = {f.name for f in dataclasses.fields(cls)}
        plain = {name: value for name, value in data.items() if name in known}
        return cls(
            **{
                **plain,
                "labels": tuple(Label.from_json(one) for one in data["labels"]),
                "model": Model.from_json(data["model"]) if data["model"] else None,
                "error": Failure.from_json(data["error"]) if data["error"] else None,
            }
        )
