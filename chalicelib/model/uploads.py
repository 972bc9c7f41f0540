"""Uploads: an announced image, an object in the bucket, and a line of a job."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus, unquote_plus

from chalicelib.ids import millisecond_at, new_id
from chalicelib.model.json import Json
from chalicelib.model.recognition import Asked

CallbackFormat = Literal["event", "blob"]
REMOVED = "ObjectRemoved"
LONGEST_URL = 2048  # characters
LONGEST_FILENAME = 255  # characters
# Limits of an image's metadata: the record is one item of at most 400 KB and also has the labels.
MOST_METADATA = 50  # members
LONGEST_METADATA_KEY = 128  # characters
LONGEST_METADATA_VALUE = 1024
MOST_METADATA_BYTES = 16_384


@dataclass(frozen=True)
class ObjectUploaded:
    """A hint from an S3 event, or from the sweep, that the object under ``key`` was put or ``removed``.

    The bucket may have changed since. ``etag`` and ``sequencer`` are empty if the sender does not know them.
    ``at`` (RFC 3339) is the time of the S3 event.
    """

    key: str
    etag: str = ""
    sequencer: str = ""
    removed: bool = False
    at: str = ""

    @property
    def moment(self) -> float | None:
        """The time of the S3 event in seconds since 1970, None if unknown."""
        with contextlib.suppress(ValueError):  # an event that S3 did not write
            return millisecond_at(self.at) / 1000
        return None

    def to_json(self) -> Json:
        """A record in the format of an S3 notification, so that the queue has one format."""
        detail = {"key": quote_plus(self.key), "eTag": self.etag, "sequencer": self.sequencer}
        named = {"eventName": f"{REMOVED}:Delete"} if self.removed else {}
        timed = {"eventTime": self.at} if self.at else {}
        return {"eventSource": "aws:s3", **named, **timed, "s3": {"object": detail}}

    @classmethod
    def from_json(cls, record: Json) -> ObjectUploaded:
        """Read one record of an S3 notification, whose key is form-encoded."""
        detail, at = record["s3"]["object"], record.get("eventTime", "")
        key = unquote_plus(detail["key"])
        if REMOVED in record.get("eventName", ""):  # delete markers have another suffix
            return cls(key, removed=True, at=at)
        return cls(key, detail.get("eTag", ""), detail.get("sequencer", ""), at=at)


@dataclass(frozen=True)
class NewImage(Asked):
    """A client's announcement of an image, with the ``id`` that the image will have.

    ``size`` and ``content_type`` are those of the file, if the client names them. ``callback_url`` receives
    deliveries in the ``callback_format``: an event for every result, or one blob document as older services
    send it.
    """

    filename: str = ""
    callback_url: str | None = None
    callback_format: CallbackFormat = "event"
    metadata: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    content_type: str | None = None
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class SourceEntry:
    """One line of a source: an object (``bucket`` and ``key``), or the ``url`` of a photo.

    ``etag``, ``size`` (bytes) and ``modified`` (seconds since 1970) are those of the object, if the source
    has them. ``refused`` is a code if the line names nothing that can be labelled.
    """

    bucket: str = ""
    key: str = ""
    url: str = ""
    etag: str = ""
    size: int | None = None
    modified: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""

    @property
    def ref(self) -> str:
        """The source reference, as a manifest has it."""
        return self.url or (f"s3://{self.bucket}/{self.key}" if self.bucket else "")

    def to_json(self) -> Json:
        """The entry without empty fields."""
        fields = dataclasses.asdict(self)
        return {name: value for name, value in fields.items() if value not in ("", None, {})}

    @classmethod
    def from_json(cls, data: Json) -> SourceEntry:
        known: dict[str, Any] = dict(data)
        return cls(**known)


@dataclass(frozen=True)
class JobLine:
    """A line of a job, as a message to the labeler: the ``entry``, and the options ``asked`` for.

    ``since`` (RFC 3339) is when the job began: a later result counts as the job's. An object that was
    modified after ``unchanged_since`` (seconds since 1970) is refused.
    """

    owner: str
    job: str
    line: int
    since: str
    entry: SourceEntry
    asked: Json = field(default_factory=dict)
    unchanged_since: float | None = None

    def to_json(self) -> Json:
        plain = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return {**plain, "entry": self.entry.to_json()}

    @classmethod
    def from_json(cls, data: Json) -> JobLine:
        known: dict[str, Any] = {**data, "entry": SourceEntry.from_json(data["entry"])}
        return cls(**known)
