"""What a job finds at its source: objects and addresses of photos, one a line."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.model.json import Json


@dataclass(frozen=True)
class Entry:
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
    def from_json(cls, data: Json) -> Entry:
        known: dict[str, Any] = dict(data)
        return cls(**known)


@dataclass(frozen=True)
class Order:
    """A line of a job on its way to a labeler: which ``entry``, and what was ``asked`` for it.

    ``since`` is when the job began (RFC 3339): a result from then on is the job's. An object that was put
    there after ``unchanged_since`` (seconds since 1970) is not taken.
    """

    owner: str
    job: str
    line: int
    since: str
    entry: Entry
    asked: Json = field(default_factory=dict)
    unchanged_since: float | None = None

    def to_json(self) -> Json:
        plain = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return {**plain, "entry": self.entry.to_json()}

    @classmethod
    def from_json(cls, data: Json) -> Order:
        known: dict[str, Any] = {**data, "entry": Entry.from_json(data["entry"])}
        return cls(**known)
