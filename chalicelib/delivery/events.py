"""The message on the topic: a CloudEvents 1.0 event for each result of an image."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chalicelib.model import Image, Json

TOPIC_BYTES = 200_000  # of SNS's 256 KiB; the rest is left for the attributes and for escaping on the way
FILTERABLE = 100  # label names among the attributes


@dataclass(frozen=True)
class ImageFinished:
    """An image has a result: ``data`` is its document, ``result`` the number of this result."""

    owner: str
    image_id: str
    result: int
    type: str
    time: str
    data: Json

    @classmethod
    def of(cls, image: Image) -> ImageFinished:
        """The event of an image's present, final result."""
        return cls(
            owner=image.owner,
            image_id=image.id,
            result=image.result,
            type=f"sightline.image.{image.status}",
            time=image.completed_at or image.created_at,
            data=_fitting(image.document()),
        )

    def to_json(self) -> Json:
        return {
            "specversion": "1.0",
            "id": f"{self.image_id}.{self.result}",
            "source": "/sightline",
            "type": self.type,
            "subject": self.image_id,
            "time": self.time,
            "datacontenttype": "application/json",
            "owner": self.owner,
            "data": self.data,
        }

    @classmethod
    def from_json(cls, event: Json) -> ImageFinished:
        """:raises KeyError, ValueError: this is no event of ours."""
        image_id, _, result = event["id"].rpartition(".")
        return cls(event["owner"], image_id, int(result), event["type"], event["time"], event["data"])

    def attributes(self) -> dict[str, str | list[str]]:
        """What a subscription of the topic can filter by: ``type``, ``owner`` and ``labels``."""
        names = [label["name"] for label in self.data["labels"]]
        return {"type": self.type, "owner": self.owner, "labels": names[:FILTERABLE]}


def _fitting(document: Json) -> Json:
    """The document, or what of it fits a message: first the instances go, then the least certain labels."""
    if _bytes(document) <= TOPIC_BYTES:
        return document
    labels = [{**label, "instances": []} for label in document["labels"]]
    while _bytes(shorter := {**document, "labels": labels, "truncated": True}) > TOPIC_BYTES and labels:
        labels = labels[: len(labels) // 2]
    return shorter


def _bytes(document: Json) -> int:
    return len(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))
