"""An image on its way in: announced, uploaded, or named by a line of a job."""

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
# Bounds of an image's metadata: the record, an item of at most 400 KB, has the labels to hold as well.
MOST_METADATA = 50  # members
LONGEST_METADATA_KEY = 128  # characters
LONGEST_METADATA_VALUE = 1024
MOST_METADATA_BYTES = 16_384


@dataclass(frozen=True)
class ObjectUploaded:
    """A hint to look at the object under ``key``: from an S3 event, or from the sweep.

    It was put there, or ``removed``; what is true by now only a look can tell. ``etag`` and ``sequencer`` are
    empty where the sender did not know them, and ``at`` (RFC 3339) says when S3 noticed.
    """

    key: str
    etag: str = ""
    sequencer: str = ""
    removed: bool = False
    at: str = ""

    @property
    def moment(self) -> float | None:
        """When S3 noticed, in seconds since 1970; None where nobody said so."""
        with contextlib.suppress(ValueError):  # an event that S3 did not write
            return millisecond_at(self.at) / 1000
        return None

    def to_json(self) -> Json:
        """Shaped like an S3 notification record, so that one reader serves the queue's both senders."""
        detail = {"key": quote_plus(self.key), "eTag": self.etag, "sequencer": self.sequencer}
        named = {"eventName": f"{REMOVED}:Delete"} if self.removed else {}
        timed = {"eventTime": self.at} if self.at else {}
        return {"eventSource": "aws:s3", **named, **timed, "s3": {"object": detail}}

    @classmethod
    def from_json(cls, record: Json) -> ObjectUploaded:
        """Read one record of an S3 notification; its key comes form-encoded."""
        detail, at = record["s3"]["object"], record.get("eventTime", "")
        key = unquote_plus(detail["key"])
        if REMOVED in record.get("eventName", ""):  # by any of its names, that of a delete marker too
            return cls(key, removed=True, at=at)
        return cls(key, detail.get("eTag", ""), detail.get("sequencer", ""), at=at)


@dataclass(frozen=True)
class NewImage(Asked):
    """What a client says of an image it is about to hand in, and the ``id`` it is going to have.

    ``size`` and ``content_type`` are those of the file that is going to come, where the client has announced
    them. ``callback_url`` is told in the ``callback_format``: of every result by an event, or once as older
    services tell of a blob.
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

    ``etag``, ``size`` (bytes) and ``modified`` (seconds since 1970) are what the source says of the object,
    where it says so. ``refused`` is a code where the line names nothing that can be labelled.
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
        """As a manifest names it."""
        return self.url or (f"s3://{self.bucket}/{self.key}" if self.bucket else "")

    def to_json(self) -> Json:
        """Without what is not known."""
        told = dataclasses.asdict(self)
        return {name: value for name, value in told.items() if value not in ("", None, {})}

    @classmethod
    def from_json(cls, data: Json) -> SourceEntry:
        known: dict[str, Any] = dict(data)
        return cls(**known)


@dataclass(frozen=True)
class JobLine:
    """A line of a job on its way to a labeler: which ``entry``, and what was ``asked`` for it.

    ``since`` is when the job began (RFC 3339): a result from then on is the job's. An object that was put
    there after ``unchanged_since`` (seconds since 1970) is not taken.
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
