"""The XML contract: every document is valid and says what the image says; no reply can hurt."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from chalicelib.delivery import xml_document
from chalicelib.delivery.xml_document import NAMESPACE, reference_in, to_xml
from chalicelib.model import Box, Caption, Failure, Image, Instance, Label, Model
from tests.thorough import examples

SCHEMA_FILE = Path(xml_document.__file__).with_name("image-1.xsd")
SCHEMA = xmlschema.XMLSchema(str(SCHEMA_FILE))
LXML_SCHEMA = etree.XMLSchema(etree.parse(SCHEMA_FILE))

DOG = Label(
    "Dog",
    98.4249,
    parents=("Animal", "Pet"),
    aliases=("Hound",),
    categories=("Animals and Pets",),
    instances=(Instance(97.1, Box(0.1, 0.2, 0.30000000000000004, 0.4)),),
)
IMAGE = Image(
    id="01JD0000000000000000000000",
    owner="owner-of-it",
    key="uploads/~owner-of-it/key",
    status="labelled",
    filename="holiday/a b+c é&d.jpg",
    created_at="2026-11-21T01:00:00.123Z",
    started_at="2026-11-21T01:00:01Z",
    completed_at="2026-11-21T01:00:02Z",
    callback_url="https://example.com/?token=secret",
    metadata={"album": 'A "quoted" <name>'},
    content_type="image/jpeg",
    size=12345,
    width=640,
    height=480,
    labels=(DOG, Label("Grass", 55.0, source="person")),
    model=Model("onnx", "1"),
    result=3,
)
FAILED = dataclasses.replace(
    IMAGE,
    status="failed",
    labels=(),
    model=None,
    width=None,
    height=None,
    error=Failure("truncated", "It ends early."),
)

HOSTILE = [
    "<&>\"'",
    "]]>",
    "<!--x-->",
    "<?pi?>",
    "&amp;&#0;&lol;",
    '" onload="x',
    "line\nfeed",
    "carriage\rreturn",
    "both\r\nof them",
    "tab\tand  two spaces ",
    " edges ",
    "\x00\x01\x08\x0b\x0c\x1f",
    "\x7f\x85\xa0\u2028\u2029",
    "\ud800 alone \udfff",
    "\ufffe\uffff\ufdd0",
    "\U0001f415\U0010ffff",
    "\ufeff\u202e\u200b",
    "مرحبا 犬 é é",
    "",
]
TEXTS = st.sampled_from(HOSTILE) | st.text(alphabet=st.characters(), max_size=30)
CONFIDENCES = st.floats(0, 100)
EDGES = st.floats(-0.5, 1.5)
TIMES = st.datetimes(min_value=datetime(1970, 1, 1)).map(lambda t: t.replace(tzinfo=UTC).isoformat())
INSTANCES = st.builds(Instance, CONFIDENCES, st.builds(Box, EDGES, EDGES, EDGES, EDGES))
NAMES = st.lists(TEXTS, max_size=3).map(tuple)
LINES = st.builds(
    lambda text, confidence: {"type": "line", "text": text, "confidence": confidence}, TEXTS, CONFIDENCES
)
LABELS = st.builds(
    Label,
    name=TEXTS,
    confidence=CONFIDENCES,
    parents=NAMES,
    aliases=NAMES,
    categories=NAMES,
    instances=st.lists(INSTANCES, max_size=3).map(tuple),
    source=st.sampled_from(["model", "person"]),
)
IMAGES = st.builds(
    Image,
    id=TEXTS,
    owner=TEXTS,
    key=TEXTS,
    status=st.sampled_from(["awaiting_upload", "labelling", "labelled", "failed"]),
    filename=TEXTS,
    created_at=TIMES,
    started_at=st.none() | TIMES,
    completed_at=st.none() | TIMES,
    metadata=st.dictionaries(TEXTS, TEXTS, max_size=4),
    content_type=st.none() | TEXTS,
    size=st.none() | st.integers(0, 10**12),
    width=st.none() | st.integers(1, 10**6),
    height=st.none() | st.integers(1, 10**6),
    preview=st.booleans(),
    warnings=st.lists(TEXTS, max_size=2).map(tuple),
    taken_at=st.none() | TIMES,
    taken_at_source=st.none() | TEXTS,
    labels=st.lists(LABELS, max_size=4).map(tuple),
    model=st.none() | st.builds(Model, TEXTS, TEXTS),
    text=st.none() | st.lists(LINES, max_size=2).map(lambda lines: {"detections": lines}),
    caption=st.none() | st.builds(Caption, TEXTS, TEXTS, st.sampled_from(["model", "template", "person"])),
    error=st.none() | st.builds(Failure, TEXTS, TEXTS),
    result=st.integers(0, 10**6),
)


def scrubbed(value: object) -> object:
    """What arrives: U+FFFD where XML 1.0 has no such character, found here by asking for each one alone."""
    if isinstance(value, str):
        return "".join(char if in_xml(ord(char)) else "\ufffd" for char in value)
    if isinstance(value, list):
        return [scrubbed(one) for one in value]
    return {key: scrubbed(one) for key, one in value.items()} if isinstance(value, dict) else value


def in_xml(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def said(image: Image) -> object:
    return scrubbed([label.to_json() for label in image.labels])


def labels_in(document: bytes) -> tuple[Label, ...]:
    """The labels as a reader of the document finds them."""
    root = etree.fromstring(document)
    return tuple(_label_in(element) for element in root.iterfind("labels/label", {None: NAMESPACE}))


def _label_in(element: Any) -> Label:
    def names(tag: str) -> tuple[str, ...]:
        return tuple(one.get("name") for one in element.iterfind(tag, {None: NAMESPACE}))

    instances = tuple(
        Instance(float(one.get("confidence")), Box(**{name: float(edge) for name, edge in one[0].items()}))
        for one in element.iterfind("instance", {None: NAMESPACE})
    )
    return Label(
        element.get("name"),
        float(element.get("confidence")),
        names("parent"),
        names("alias"),
        names("category"),
        instances,
        element.get("source"),
    )


@settings(max_examples=examples(300), deadline=None)
@given(IMAGES)
def test_every_document_is_valid_and_parses_back_to_the_same_labels(image: Image) -> None:
    document = to_xml(image)
    SCHEMA.validate(document)
    assert LXML_SCHEMA.validate(etree.fromstring(document))
    assert [label.to_json() for label in labels_in(document)] == said(image)


@settings(max_examples=examples(200), deadline=None)
@given(IMAGES)
def test_two_independent_parsers_read_the_same_attributes(image: Image) -> None:
    root = etree.fromstring(to_xml(image))
    space = {"s": NAMESPACE}
    assert root.get("filename") == scrubbed(image.filename)
    assert root.xpath("s:metadata/s:entry/@value", namespaces=space) == scrubbed(
        list(image.metadata.values())
    )
    assert root.xpath("s:error/@detail", namespaces=space) == (
        [scrubbed(image.error.detail)] if image.error else []
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_arrives_whole_wherever_it_stands(text: str) -> None:
    image = dataclasses.replace(
        IMAGE, filename=text, metadata={"k": text}, labels=(Label(text, 1, parents=(text,)),)
    )
    root = etree.fromstring(to_xml(image))
    assert root.get("filename") == scrubbed(text)
    assert labels_in(to_xml(image)) == (Label(str(scrubbed(text)), 1, parents=(str(scrubbed(text)),)),)


def test_a_document_reads_as_the_contract_says() -> None:
    assert to_xml(IMAGE).decode("utf-8").splitlines() == [
        "<?xml version='1.0' encoding='UTF-8'?>",
        '<image xmlns="urn:sightline:image:1" id="01JD0000000000000000000000" status="labelled" result="3" '
        'filename="holiday/a b+c é&amp;d.jpg" created_at="2026-11-21T01:00:00.123Z" '
        'started_at="2026-11-21T01:00:01Z" completed_at="2026-11-21T01:00:02Z" content_type="image/jpeg" '
        'size="12345" width="640" height="480">',
        '  <model name="onnx" version="1" />',
        "  <metadata>",
        '    <entry name="album" value="A &quot;quoted&quot; &lt;name&gt;" />',
        "  </metadata>",
        "  <labels>",
        '    <label name="Dog" confidence="98.42" source="model">',
        '      <parent name="Animal" />',
        '      <parent name="Pet" />',
        '      <alias name="Hound" />',
        '      <category name="Animals and Pets" />',
        '      <instance confidence="97.1">',
        '        <box left="0.1" top="0.2" width="0.3" height="0.4" />',
        "      </instance>",
        "    </label>",
        '    <label name="Grass" confidence="55" source="person" />',
        "  </labels>",
        "</image>",
    ]


def test_a_failed_image_carries_its_error_and_no_labels() -> None:
    document = to_xml(FAILED)
    SCHEMA.validate(document)
    assert b'<error code="truncated" detail="It ends early." />' in document
    assert labels_in(document) == ()


def test_what_is_missing_from_a_picture_and_when_it_was_taken_travel_along() -> None:
    image = dataclasses.replace(
        IMAGE,
        preview=True,
        warnings=("truncated",),
        taken_at="2026-02-28T17:05:12",
        taken_at_source="exif:DateTimeOriginal",
    )
    document = to_xml(image)
    SCHEMA.validate(document)
    assert (
        b'preview="true" taken_at="2026-02-28T17:05:12" taken_at_source="exif:DateTimeOriginal"' in document
    )
    assert b'<warning code="truncated" />' in document
    assert Image.from_json(image.to_json()).to_json() == image.to_json()


def test_a_document_never_holds_the_owner_the_key_or_the_callback() -> None:
    assert not re.search(rb"owner|uploads/|secret", to_xml(IMAGE))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.1 + 0.2, "0.3"),
        (1e-7, "0"),
        (-1e-9, "0"),
        (100.0, "100"),
        (1e-05, "0.00001"),
        (0.123456789, "0.12346"),
    ],
)
def test_numbers_are_plain_decimals(value: float, written: str) -> None:
    instance = Instance(50, Box(value, 0, 0, 0))
    assert f'left="{written}"'.encode() in to_xml(
        dataclasses.replace(IMAGE, labels=(Label("x", 1, instances=(instance,)),))
    )


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (b'status="sorted"', b'status="labelled"'),
        (b'confidence="100.5"', b'confidence="98.42"'),
        (b'source="rumour"', b'source="person"'),
        (b'xmlns="urn:other"', b'xmlns="urn:sightline:image:1"'),
        (b"yesterday", b"2026-11-21T01:00:02Z"),
        (b"<labelz", b"<labels"),
    ],
)
def test_the_schema_refuses_what_the_contract_does_not_allow(wrong: bytes, right: bytes) -> None:
    document = to_xml(IMAGE)
    assert right in document
    broken = document.replace(right, wrong).replace(
        b"</labels", b"</labelz" if wrong == b"<labelz" else b"</labels"
    )
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        SCHEMA.validate(broken)


# ── replies ──────────────────────────────────────────────────────────────────────────────────
LONG = "x" * 200


@pytest.mark.parametrize(
    ("reply", "reference"),
    [
        (b"<receipt><reference>R-1</reference></receipt>", "R-1"),
        (b"<receipt reference='R-1'/>", "R-1"),
        (b"<reference>R-1</reference>", "R-1"),
        (b"<r:receipt xmlns:r='urn:x'><r:reference> R-1\n </r:reference></r:receipt>", "R-1"),
        (b"<receipt xmlns='urn:x' xmlns:y='urn:y' y:Reference='R-1'/>", "R-1"),
        (
            b"<a><b reference=''/><reference/><c reference='R-1'/><reference>R-2</reference></a>",
            "R-1",
        ),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><reference>é</reference>".encode("latin-1"), "é"),
        ("<?xml version='1.0'?><reference>é</reference>".encode("utf-16"), "é"),
        (b"<reference>a&amp;b&#x1F415;</reference>", "a&b\U0001f415"),
        (f"<reference>{LONG}</reference>".encode(), LONG),
    ],
)
def test_a_reference_is_found_in_a_receipt(reply: bytes, reference: str) -> None:
    assert reference_in(reply) == reference


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"OK",
        b'{"reference": "R-1"}',
        b"\x00\xff\xfe",
        b"<receipt/>",
        b"<reference>R-1",
        b"<reference>\xff</reference>",
        b"<reference>\x01</reference>",
        b"<x:reference>R-1</x:reference>",
        b"<?xml version='1.0' encoding='no-such'?><reference>R-1</reference>",
        b"<?xml version='1.0' encoding='utf-7'?><reference>R-1</reference>",
        b"<?xml version='1.0' encoding='rot13'?><reference>R-1</reference>",
        b"<!DOCTYPE reference><reference>R-1</reference>",
        b"<!DOCTYPE r [<!ENTITY x 'R-1'>]><reference>&x;</reference>",
        b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><reference>&x;</reference>",
        b"<!DOCTYPE r SYSTEM 'http://169.254.169.254/'><reference>R-1</reference>",
        f'<!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><reference>&l9;</reference>'.encode(),
        b"<reference>&undefined;</reference>",
        f"<reference>{LONG}x</reference>".encode(),
        b"<a>" * 20_000,
    ],
)
def test_a_reply_that_cannot_or_should_not_be_read_has_no_reference(reply: bytes) -> None:
    assert reference_in(reply) is None


def test_a_deeply_nested_reply_is_read_without_harm() -> None:
    reply = b"<a>" * 9000 + b"<reference>R-1</reference>" + b"</a>" * 9000
    assert reference_in(reply) == "R-1"


@given(
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: f"<reference>{text}</reference>".encode())
)
def test_no_reply_raises(reply: bytes) -> None:
    reference = reference_in(reply)
    assert reference is None or 0 < len(reference) <= 200


def test_caption_and_text_are_there_where_the_image_has_them() -> None:
    text = {
        "detections": [
            {"type": "line", "text": "TOTAL EUR 12", "confidence": 99.1},
            {"type": "word", "text": "TOTAL", "confidence": 99.1},
        ]
    }
    caption = Caption("A dog on grass.", "A dog", "person")
    written = to_xml(dataclasses.replace(IMAGE, text=text, caption=caption))
    root = etree.fromstring(written)
    assert (root.get("caption"), root.get("alt")) == ("A dog on grass.", "A dog")
    assert root.get("caption_source") == "person"
    assert [dict(one.attrib) for one in root.iter(f"{{{NAMESPACE}}}line")] == [
        {"value": "TOTAL EUR 12", "confidence": "99.1"}
    ]
    assert b"caption" not in to_xml(IMAGE)
