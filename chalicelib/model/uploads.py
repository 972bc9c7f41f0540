"""An image on its way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote_plus, unquote_plus

from chalicelib.ids import new_id
from chalicelib.model.json import Json
from chalicelib.model.recognition import Asked

CallbackFormat = Literal["event", "blob"]


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
        detail = {"key": quote_plus(self.key), "eTag": self.etag, "sequencer": self.sequencer}
        return {"eventSource": "aws:s3", "s3": {"object": detail}}

    @classmethod
    def from_json(cls, record: Json) -> ObjectUploaded:
        """Read one record of an S3 notification; its key comes form-encoded."""
        detail = record["s3"]["object"]
        return cls(unquote_plus(detail["key"]), detail.get("eTag", ""), detail.get("sequencer", ""))


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
