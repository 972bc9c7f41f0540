"""What version 1 stored and sent can be read by this version, and nothing of it is lost."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import pytest

from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.events import ImageFinished
from chalicelib.library.markers import Marker
from chalicelib.library.record import Record, record_key
from chalicelib.model import Image, ObjectUploaded
from chalicelib.pipeline.batches import records_of, upload_in
from tests.golden.__main__ import DELIVERY, FOLDER, LABELLED, MARKER, RECORDS, files


def golden(name: str) -> Any:
    content = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    packed = content.keys() & {"body", "seen", "entries"}
    return {**content, **{name: base64.b64decode(content[name]) for name in packed}}


def where(image: Image) -> dict[str, str]:
    key = record_key(image.owner, image.id)
    return {"pk": key.pk, "sk": key.sk}


@pytest.mark.parametrize("kind", ["labelled", "failed"])
def test_a_record_is_read_whole(kind: str) -> None:
    item = golden(f"record-{kind}.json")
    assert Record.from_item({**item, **where(RECORDS[kind].image)}) == RECORDS[kind]


def test_a_marker_is_read_whole() -> None:
    read = Marker.from_item(golden("marker.json"))
    assert dataclasses.replace(read, revision="") == MARKER


def test_a_delivery_is_read_whole() -> None:
    assert Delivery.from_item(golden("delivery.json")) == DELIVERY


def test_messages_that_are_still_on_a_queue_are_understood() -> None:
    message = golden("delivery-message.json")
    told: list[ObjectUploaded] = []
    told += map(upload_in, records_of(golden("upload-message.json")))
    [uploaded] = told
    finished = ImageFinished.from_message(golden("result-message.json"))

    assert (message["owner"], message["delivery_id"]) == (DELIVERY.owner, DELIVERY.id)
    assert (uploaded.key, uploaded.etag, uploaded.sequencer) == (
        LABELLED.key,
        LABELLED.etag,
        LABELLED.sequencer,
    )
    assert (finished.owner, finished.image_id, finished.result) == (LABELLED.owner, LABELLED.id, 2)
    assert [label["name"] for label in finished.data["labels"]] == ["Cat", "Animal"]


def test_what_is_sent_says_its_version() -> None:
    assert golden("delivery-message.json")["version"] == 1


@pytest.mark.parametrize("name", sorted(files()))
def test_nothing_that_an_older_version_reads_is_left_out_while_both_run(name: str) -> None:
    """During a deployment functions of both versions are at work on the same table and queues."""
    assert set(golden(name)) <= set(files()[name])
