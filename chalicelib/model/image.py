"""An image, and all that is known of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from chalicelib.model.json import Json
from chalicelib.model.labels import Correction, Label
from chalicelib.model.recognition import ASKED, Asked, Caption, Model
from chalicelib.model.uploads import CallbackFormat

Status = Literal["awaiting_upload", "labelling", "labelled", "failed", "binned"]
FINAL: frozenset[Status] = frozenset({"labelled", "failed", "binned"})  # nothing more happens by itself
DEFAULT_OWNER = "default"


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
class Location:
    """A point on the earth: degrees, north and east positive."""

    latitude: float
    longitude: float

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Location:
        return cls(data["latitude"], data["longitude"])


@dataclass(frozen=True)
class Image(Asked):
    """All that is known of one image.

    ``result`` counts the final results so far (0: none yet), a person's changes of one
    and its ways into the bin and out of it included; ``etag`` and ``sequencer`` are
    those of the object that the current result was made from. ``labels`` are what a
    recogniser saw, as corrected by ``corrections``; ``corrected_at`` says when the present
    result was last changed so. An image in the bin since ``binned_at`` is erased at
    ``erases_at``; ``missing`` says that it is there because its object has gone from the
    bucket. ``restored_at`` is when the present result came out of the bin. ``copied_from``
    is the image with the same bytes whose answer this image was given; ``sha256`` is the
    digest of these bytes, in hexadecimal digits. While an upload is waited for, ``size`` and
    ``content_type`` are what was announced of it.
    ``width`` and ``height`` are those of the upright picture; an image that has them
    has a thumbnail. ``preview`` says that the picture is the preview inside a camera raw
    file; ``warnings`` name what is missing from a picture that was labelled all the same.
    ``taken_at`` is the camera's clock, with an offset from UTC only if the camera noted
    one, and ``taken_at_source`` the note it is from, as ``exif:DateTimeOriginal``; the
    camera's name and the place are kept only if settings say so.
    ``properties``, ``moderation`` and ``text`` are what :class:`Recognition` says of them, and so is
    ``caption`` unless a person has written one.
    """

    id: str
    owner: str
    key: str
    status: Status
    filename: str
    created_at: str
    callback_url: str | None = None
    callback_format: CallbackFormat = "event"
    metadata: Mapping[str, str] = field(default_factory=dict)
    started_at: str | None = None
    completed_at: str | None = None
    content_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    preview: bool = False
    warnings: tuple[str, ...] = ()
    taken_at: str | None = None
    taken_at_source: str | None = None
    camera: str | None = None
    location: Location | None = None
    etag: str = ""
    sequencer: str = ""
    labels: tuple[Label, ...] = ()
    corrections: tuple[Correction, ...] = ()
    corrected_at: str | None = None
    binned_at: str | None = None
    erases_at: str | None = None
    missing: bool = False
    restored_at: str | None = None
    copied_from: str | None = None
    model: Model | None = None
    properties: Json | None = None
    moderation: Json | None = None
    text: Json | None = None
    caption: Caption | None = None
    error: Failure | None = None
    result: int = 0

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def binned(self) -> bool:
        return self.status == "binned"

    def bare(self, filename: str = "") -> Image:
        """What is left to say of an image that is no more: none of what was seen on it, or said of it."""
        return Image(
            id=self.id,
            owner=self.owner,
            key="",
            status="binned",
            filename=filename,
            created_at=self.created_at,
            binned_at=self.binned_at,
            erases_at=self.erases_at,
            missing=self.missing,
            result=self.result,
        )

    @property
    def pictured_at(self) -> str:
        """When the present thumbnail was made, about; empty where there is none."""
        return (self.completed_at or self.created_at) if self.width is not None else ""

    def to_json(self) -> Json:
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {
            **plain,
            **{name: _listed(value) for name, value in self.asked().items()},
            "warnings": list(self.warnings),
            "metadata": dict(self.metadata),
            "location": self.location and self.location.to_json(),
            "labels": [label.to_json() for label in self.labels],
            "corrections": [correction.to_json() for correction in self.corrections],
            "model": self.model and self.model.to_json(),
            "caption": self.caption and self.caption.to_json(),
            "error": self.error and self.error.to_json(),
        }

    def document(self) -> Json:
        """The image as everybody outside sees it: the API's answer, the sidecar, the event's data."""
        hidden = {"owner", "key", "etag", "sequencer"}
        return {name: value for name, value in self.to_json().items() if name not in hidden}

    @classmethod
    def from_json(cls, data: Json) -> Image:
        known = {f.name for f in dataclasses.fields(cls)}
        plain = {name: value for name, value in data.items() if name in known}
        return cls(
            **{
                **plain,
                **{name: _frozen(data[name]) for name in ASKED},
                "warnings": tuple(data.get("warnings", ())),
                "location": Location.from_json(data["location"]) if data["location"] else None,
                "labels": tuple(Label.from_json(one) for one in data["labels"]),
                "corrections": tuple(Correction.from_json(one) for one in data["corrections"]),
                "model": Model.from_json(data["model"]) if data["model"] else None,
                "caption": Caption.from_json(data["caption"]) if data.get("caption") else None,
                "error": Failure.from_json(data["error"]) if data["error"] else None,
            }
        )


def time_of(document: Json) -> str:
    """When an image's present result came about, by its public document."""
    moments = ("binned_at", "restored_at", "corrected_at", "completed_at", "created_at")
    return next(str(document[one]) for one in moments if document.get(one))


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
