"""The CloudEvents 1.0 event for each result of an image."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chalicelib.model import Image, Json, time_of

LABELLED, FAILED, CORRECTED = EVENT_TYPES = (
    "sightline.image.labelled",
    "sightline.image.failed",
    "sightline.image.corrected",
)
# Sent only to subscriptions that name them.
DELETED, RESTORED = ON_REQUEST = ("sightline.image.deleted", "sightline.image.restored")
TEST_TYPE = "sightline.test"
CHALLENGE_TYPE = "sightline.challenge"
WHOLE_BYTES = 64_000  # up to which a document is sent in full, and from which on as a link
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
TOPIC_BYTES = 200_000  # of SNS's 256 KiB; the rest is left for the attributes and for escaping on the way
ATTRIBUTE_BYTES = 30_000  # of label names among the attributes
FILTERABLE = 100  # of them


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
            type=type_of(image.document()),
            time=time_of(image.document()),
            data=image.document(),
        )

    def to_json(self) -> Json:
        """The event as it is sent to receivers."""
        return {
            "specversion": "1.0",
            "id": f"{self.image_id}.{self.result}",
            "source": "/sightline",
            "type": self.type,
            "subject": self.image_id,
            "time": self.time,
            "datacontenttype": "application/json",
            "data": self.data,
        }

    def linked(self, url: str) -> Json:
        """The event with a link to the document in its place (CloudEvents 1.0, "Dataref")."""
        return {**{name: value for name, value in self.to_json().items() if name != "data"}, "dataref": url}

    def message(self) -> Json:
        """The event for the topic: short enough, and with the owner of the image."""
        return {**self.to_json(), "owner": self.owner, "data": _fitting(self.data)}

    @classmethod
    def from_message(cls, event: Json) -> ImageFinished:
        """:raises KeyError, ValueError: this is no message of ours."""
        image_id, _, result = event["id"].rpartition(".")
        return cls(event["owner"], image_id, int(result), event["type"], event["time"], event["data"])

    def attributes(self) -> dict[str, str | list[str]]:
        """What a subscription of the topic can filter by: ``type``, ``owner`` and ``labels``."""
        return {"type": self.type, "owner": self.owner, "labels": _filterable(self.data["labels"])}


def type_of(document: Json) -> str:
    """The type of the event of an image's present result, by its public document."""
    if document["status"] == "binned":
        return DELETED
    if document.get("restored_at"):
        return RESTORED
    return CORRECTED if document["corrected_at"] else f"sightline.image.{document['status']}"


def _fitting(document: Json) -> Json:
    """The document, or what of it fits into a message: boxes go first, then half of the largest part."""
    if _bytes(document) <= TOPIC_BYTES:
        return document
    shorter: Json = {**document, "truncated": True}
    shorter["labels"] = [{**label, "instances": []} for label in document["labels"]]
    while _bytes(shorter) > TOPIC_BYTES:
        largest = max(shorter, key=lambda name: _bytes(shorter[name]))
        value = shorter[largest]
        shorter[largest] = value[: len(value) // 2] if isinstance(value, list | str) else type(value)()
    return shorter


def _filterable(labels: list[Json]) -> list[str]:
    """The names of the first labels, as many as the attributes have room for."""
    names: list[str] = []
    room = ATTRIBUTE_BYTES
    for label in labels[:FILTERABLE]:
        room -= _bytes(label["name"])
        if room < 0:
            break
        names.append(label["name"])
    return names


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
