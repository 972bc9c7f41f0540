"""Write the files again: ``python -m tests.golden``. Only for as long as version 1 has not been released."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from chalicelib.delivery.delivery import Attempt, Delivery
from chalicelib.delivery.destinations import Place
from chalicelib.delivery.events import ImageFinished
from chalicelib.library.index import IndexEntry
from chalicelib.library.markers import Marker
from chalicelib.library.record import Record
from chalicelib.model import Box, Failure, Image, Instance, Label, Model, ObjectUploaded

FOLDER = Path(__file__).parent
SEEN = Instance(97.5, Box(0.25, 0.1, 0.5, 0.75))
LABELS = (
    Label("Cat", 98.25, ("Animal", "Pet"), ("Kitty",), ("Animals and Pets",), (SEEN,)),
    Label("Animal", 98.5),
)
LABELLED = Image(
    id="01JCX000000000000000000000",
    owner="default",
    key="uploads/holiday/a b+c é.jpg",
    status="labelled",
    filename="holiday/a b+c é.jpg",
    created_at="2026-11-21T01:02:03.456Z",
    min_confidence=55.0,
    max_labels=50,
    callback_url="https://example.com/hook",
    metadata={"album": "Été"},
    started_at="2026-11-21T01:02:04.000Z",
    completed_at="2026-11-21T01:02:05.000Z",
    content_type="image/jpeg",
    size=240512,
    width=451,
    height=300,
    etag="9a0364b9e99bb480dd25e1f0284c8555",
    sequencer="0065A0F0C0FFEE0001",
    labels=LABELS,
    model=Model("rekognition", "3.0"),
    result=2,
)
BROKEN = Image(
    id="01JCX000000000000000000001",
    owner="anna",
    key="uploads/~anna/01JCX000000000000000000001",
    status="failed",
    filename="",
    created_at="2026-11-21T01:02:03.456Z",
    error=Failure("truncated", "The file ends too early."),
    result=1,
)
RECORDS = {
    "labelled": Record(
        LABELLED,
        "01JCX00000000000000000000R",
        version=1795222925000,
        kind="recognised",
        calls={"rekognition": 1},
        recognition="0f.00",
        attempts=1,
        seen=LABELS,
    ),
    "failed": Record(BROKEN, "01JCX00000000000000000000S", version=1795222925001, kind="failed"),
}
MARKER = Marker(1795222925000, 2, {"all": IndexEntry(), "label:cat": IndexEntry(98.25, 1)}, LABELLED.key)
DELIVERY = Delivery(
    "01JCX00000000000000000000D",
    "default",
    LABELLED.id,
    2,
    "sightline.image.labelled",
    "integration",
    Place("https://partner.example", "9f2c4be07d1a35c8e6f0b2d4a8179c53"),
    created_at="2026-11-21T01:02:06.000Z",
    next_attempt_at=1795222931.5,
    tries=1,
    attempts=(Attempt("2026-11-21T01:02:07.000Z"),),
    revision="01JCX00000000000000000000T",
)


def files() -> dict[str, Any]:
    """What each file holds."""
    return {
        "record-labelled.json": RECORDS["labelled"].to_item(),
        "record-failed.json": RECORDS["failed"].to_item(),
        "marker.json": MARKER.to_item(),
        "delivery.json": DELIVERY.to_item(),
        "delivery-message.json": DELIVERY.message(),
        "result-message.json": ImageFinished.of(LABELLED).message(),
        "upload-message.json": {
            "Records": [ObjectUploaded(LABELLED.key, LABELLED.etag, LABELLED.sequencer).to_json()]
        },
    }


def in_json(content: Any) -> str:
    """Bytes as the text of their base64, as they go over the wire."""
    return json.dumps(
        content, ensure_ascii=False, indent=1, default=lambda one: base64.b64encode(one).decode()
    )


if __name__ == "__main__":
    for name, content in files().items():
        (FOLDER / name).write_text(in_json(content) + "\n", encoding="utf-8")
