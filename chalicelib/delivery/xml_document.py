"""The XML document that a partner gets about an image (``image-1.xsd``), and the reference in the reply.

All values are attributes. There the standard library's writer escapes tabs, line feeds and carriage returns;
in text a carriage return would become a line feed at the reader.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree  # writes only; what others wrote is read by defusedxml

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from chalicelib.model import Image, Instance, Json, Label

logger = logging.getLogger("sightline.delivery")

NAMESPACE = "urn:sightline:image:1"
SCHEMA = Path(__file__).parent / "image-1.xsd"
CONTENT_TYPE = "application/xml; charset=utf-8"
MAX_REFERENCE_LENGTH = 200

# What is outside of XML 1.0's production 2, "Char", cannot be written in any escaped form either.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# expat's for what is no XML, defusedxml's for DTDs and entities, the codecs' for unknown or wrong encodings.
_UNREADABLE = (ElementTree.ParseError, DefusedXmlException, LookupError, ValueError)


def to_xml(image: Image) -> bytes:
    """The document about ``image``: UTF-8 with its declaration; U+FFFD stands for what XML cannot hold."""
    root = _element(
        "image",
        xmlns=NAMESPACE,
        id=image.id,
        status=image.status,
        result=image.result,
        filename=image.filename,
        created_at=image.created_at,
        started_at=image.started_at,
        completed_at=image.completed_at,
        binned_at=image.binned_at,
        erases_at=image.erases_at,
        content_type=image.content_type,
        size=image.size,
        width=image.width,
        height=image.height,
        preview="true" if image.preview else None,
        taken_at=image.taken_at,
        taken_at_source=image.taken_at_source,
        caption=(image.caption and image.caption.text) or None,
        alt=(image.caption and image.caption.alt) or None,
        caption_source=image.caption.source if image.caption else None,
    )
    root.extend(_parts(image))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def reference_in(reply: bytes) -> str | None:
    """A partner's own reference: the first element or attribute named ``reference``, in any namespace.

    None where the reply has none of 1–200 characters, or cannot or, for its DTD, should not be read.
    """
    try:
        root = defusedxml.ElementTree.fromstring(reply, forbid_dtd=True)
    except _UNREADABLE as error:
        logger.info("reply without a reference: %r", error)
        return None
    found = (" ".join(text.split()) for text in _references(root))
    return next((text for text in found if 0 < len(text) <= MAX_REFERENCE_LENGTH), None)


def _parts(image: Image) -> Iterator[ElementTree.Element]:
    if image.model:
        yield _element("model", name=image.model.name, version=image.model.version)
    yield _element(
        "metadata", (_element("entry", name=key, value=value) for key, value in image.metadata.items())
    )
    yield _element("labels", map(_label, image.labels))
    if image.text:
        lines = (one for one in image.text["detections"] if one["type"] == "line")
        yield _element("text", map(_line, lines))
    yield from (_element("warning", code=code) for code in image.warnings)
    if image.error:
        yield _element("error", code=image.error.code, detail=image.error.detail)


def _line(detection: Json) -> ElementTree.Element:
    return _element("line", value=detection["text"], confidence=_decimal(detection["confidence"], 2))


def _label(label: Label) -> ElementTree.Element:
    return _element(
        "label",
        [
            *(_element("parent", name=name) for name in label.parents),
            *(_element("alias", name=name) for name in label.aliases),
            *(_element("category", name=name) for name in label.categories),
            *map(_instance, label.instances),
        ],
        name=label.name,
        confidence=_decimal(label.confidence, 2),
        source=label.source,
    )


def _instance(instance: Instance) -> ElementTree.Element:
    edges = {name: _decimal(value, 5) for name, value in instance.box.to_json().items()}
    return _element("instance", [_element("box", **edges)], confidence=_decimal(instance.confidence, 2))


def _element(
    tag: str, children: Iterable[ElementTree.Element] = (), /, **attributes: str | int | None
) -> ElementTree.Element:
    element = ElementTree.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            element.set(name, _NOT_XML.sub("\ufffd", str(value)))
    element.extend(children)
    return element


def _decimal(value: float, places: int) -> str:
    """Without an exponent, without zeros that say nothing, and never ``-0``."""
    return f"{round(value, places) + 0.0:.{places}f}".rstrip("0").rstrip(".")


def _references(root: ElementTree.Element) -> Iterator[str]:
    for element in root.iter():
        yield from (value for name, value in element.attrib.items() if _is_reference(name))
        if _is_reference(element.tag):
            yield element.text or ""


def _is_reference(name: str) -> bool:
    return name.rpartition("}")[2].lower() == "reference"
