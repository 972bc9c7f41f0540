"""The sample in the documentation is what is sent, byte for byte, and holds to the contract."""

from __future__ import annotations

import re
from pathlib import Path

import xmlschema

from chalicelib.delivery.documents import SCHEMA, to_xml
from chalicelib.model import Box, Image, Instance, Label, Model

DOCS = (Path(__file__).parents[2] / "docs" / "xml.md").read_text()
SAMPLE = Image(
    id="01JD3Y7V4M8B5WZ0QX6T2K9RCA",
    owner="default",
    key="uploads/holiday/cat & dog.jpg",
    status="labelled",
    filename="holiday/cat & dog.jpg",
    created_at="2026-03-01T09:30:00.000Z",
    started_at="2026-03-01T09:30:01.120Z",
    completed_at="2026-03-01T09:30:01.480Z",
    content_type="image/jpeg",
    size=183_042,
    width=1024,
    height=768,
    metadata={"album": "holiday"},
    labels=(
        Label(
            "Cat",
            97.31,
            parents=("Animal", "Pet"),
            aliases=("Kitty",),
            categories=("Animals and Pets",),
            instances=(Instance(96.4, Box(0.12, 0.08, 0.61, 0.77)),),
        ),
        Label("Sofa", 88.0, source="person"),
    ),
    model=Model("rekognition", "3.0"),
    result=1,
)


def test_the_documented_sample_is_what_is_sent() -> None:
    [sample] = re.findall(r"```xml\n(<\?xml.*?)```", DOCS, re.S)
    assert sample.strip() == to_xml(SAMPLE).decode().strip()
    xmlschema.XMLSchema(SCHEMA).validate(sample)
