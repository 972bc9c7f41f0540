"""An image with all its public and private fields."""

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
FINAL: frozenset[Status] = frozenset({"labelled", "failed", "binned"})  # no further work is pending
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
    """One image.

    * ``result``: the number of results so far (0: none). A correction, and a move into or out of the bin,
      each make a new result, too.
    * ``etag``, ``sequencer``: those of the object that the current result was made from.
    * ``labels``: the recogniser's, changed by ``corrections``; ``corrected_at``: the last such change.
    * ``binned_at``, ``erases_at``: when the image was put into the bin, and when it is erased. ``missing``:
      it is there because its object was removed. ``restored_at``: when the current result came out of it.
    * ``sha256``: the digest of the object, in hexadecimal; ``copied_from``: the image with the same bytes
      from which the result was copied.
    * ``size``, ``content_type``: before the upload, those that the client has announced.
    * ``width``, ``height``: those of the upright picture; an image that has them has a thumbnail.
    * ``preview``: the picture is the preview in a camera raw file; ``warnings``: what the file lacks.
    * ``taken_at``: by the camera's clock, with an offset from UTC only if the file has one;
      ``taken_at_source``: its metadata field, as ``exif:DateTimeOriginal``. ``camera`` and ``location`` are
      kept only if the setting ``KEEP_EXIF`` says so.
    * ``properties``, ``moderation``, ``text``, ``caption``: as in :class:`Recognition`; a person's caption
      replaces the recogniser's.
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
        """The image without labels, metadata and file data, as it may be shown after its deletion."""
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
        """About when the current thumbnail was made; empty if there is none."""
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
        """The public document: the API's answer, the sidecar, the event's data."""
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
    """The time of an image's current result, by its public document."""
    moments = ("binned_at", "restored_at", "corrected_at", "completed_at", "created_at")
    return next(str(document[one]) for one in moments if document.get(one))


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
