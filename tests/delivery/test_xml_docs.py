"""The sample in the documentation is what is sent, byte for byte, and holds to the contract."""

from __future__ import annotations

import importlib
import re
import time
from pathlib import Path
from typing import Any

import defusedxml.ElementTree
import pytest
import standardwebhooks
import xmlschema

from chalicelib.delivery import signatures
from chalicelib.delivery.xml_document import SCHEMA, to_xml
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


SECRET = signatures.secret_of(b"o" * 32)
PYTHON = re.findall(r"```python\n(.*?)```", DOCS, re.S)
METHODS = re.findall(r"^\| Python, `(\w+)`.* \| `(.*)` \|$", DOCS, re.M)
MODULES = {"standardwebhooks": "standardwebhooks", "svix": "svix.webhooks"}


def sent(now: int, secret: str = SECRET) -> dict[str, Any]:
    """What a receiver has in hand: the secret it knows, and a document that was signed with ``secret``."""
    body = to_xml(SAMPLE)
    return {"secret": SECRET, "body": body, "headers": signatures.sign([secret], "msg_1", now, body)}


@pytest.mark.parametrize(("library", "method"), METHODS)
def test_the_methods_that_it_names_take_xml_and_refuse_forgeries(library: str, method: str) -> None:
    known = {"Webhook": importlib.import_module(MODULES[library]).Webhook}
    eval(method, {**known, **sent(int(time.time()))})  # noqa: S307 - the documentation's own words
    for forged in (
        sent(int(time.time()), signatures.secret_of(bytes(32))),
        sent(int(time.time()) - 600),
    ):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            eval(method, {**known, **forged})  # noqa: S307


def test_the_lines_in_python_check_and_read_a_document() -> None:
    [lines] = PYTHON
    names: dict[str, Any] = {
        "Webhook": standardwebhooks.Webhook,
        "defusedxml": defusedxml,
        **sent(int(time.time())),
    }
    exec(lines, names)  # noqa: S102
    assert names["labels"] == ["Cat", "Sofa"]
