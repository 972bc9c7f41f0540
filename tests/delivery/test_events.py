"""What the topic is told fits a message, whatever an image's document is made of."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from chalicelib.delivery.events import ATTRIBUTE_BYTES, TOPIC_BYTES, ImageFinished
from chalicelib.model import Box, Correction, Image, Instance, Label

SNS_BYTES = 256 * 1024  # of a message and its attributes together (Amazon SNS, "Publish")
IMAGE = Image(
    "01", "owner", "uploads/x", "labelled", "x", "2026-01-01", labels=(Label("Cat", 93.0),), result=3
)
BOXES = tuple(Instance(90.0, Box(0.1, 0.2, 0.3, 0.4)) for _ in range(100))
LARGE: dict[str, dict[str, Any]] = {
    "boxes": {"labels": tuple(Label(f"Person {n}", 90.0, instances=BOXES) for n in range(100))},
    "labels": {"labels": tuple(Label(f"{n} {'x' * 900}", 90.0, parents=("y" * 900,)) for n in range(1000))},
    "corrections": {
        "corrections": tuple(Correction(f"{n} {'x' * 900}", True, "anna", "2026-01-01") for n in range(1000))
    },
    "metadata": {"metadata": {f"{n}": "\U0001f408" * 5000 for n in range(50)}},
    "properties": {"properties": {"foreground": ["x" * 1000] * 1000}},
    "text": {"text": {"lines": [{"text": "\x00" * 1000}] * 1000}},
    "all of it": {
        "metadata": {f"{n}": "x" * 5000 for n in range(50)},
        "properties": {"foreground": ["x" * 1000] * 1000},
        "labels": tuple(Label("\U0001f408" * 250, 90.0, instances=BOXES) for n in range(100)),
    },
}


def test_an_event_survives_its_message() -> None:
    event = ImageFinished.of(IMAGE)
    assert ImageFinished.from_message(json.loads(json.dumps(event.message()))) == event


@pytest.mark.parametrize("what", LARGE)
@pytest.mark.slow
def test_whatever_is_large_is_made_to_fit_and_the_message_says_so(what: str) -> None:
    event = ImageFinished.of(dataclasses.replace(IMAGE, **LARGE[what]))
    message, attributes = event.message(), event.attributes()
    sent = json.dumps(message, ensure_ascii=False) + json.dumps(attributes, ensure_ascii=False)
    assert len(sent.encode()) < SNS_BYTES
    assert message["data"]["truncated"] is True
    assert (message["data"]["id"], message["data"]["status"]) == ("01", "labelled")
    assert len(json.dumps(attributes["labels"], ensure_ascii=False).encode()) <= ATTRIBUTE_BYTES + 500
    assert len(json.dumps(event.to_json()["data"])) > TOPIC_BYTES


@pytest.mark.slow
def test_of_too_many_boxes_all_labels_stay() -> None:
    event = ImageFinished.of(dataclasses.replace(IMAGE, **LARGE["boxes"]))
    assert [one["name"] for one in event.message()["data"]["labels"]] == [f"Person {n}" for n in range(100)]
