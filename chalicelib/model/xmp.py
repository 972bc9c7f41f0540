"""Writes an image's labels as an XMP packet, which photo programs read as keywords and regions.

(XMP specification part 1; Dublin Core's ``subject``; Lightroom's ``hierarchicalSubject``; digiKam's
``TagsList``; Metadata Working Group, "Guidelines for Handling Image Metadata" 2.0, image regions; IPTC Photo
Metadata Standard, "Alt Text (Accessibility)".) Confidence, source and model have no standard property; they
are in this project's namespace. That namespace also lists the keywords that were written here: all other
keywords in a packet are a person's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree  # writes only

from chalicelib.model.image import Image
from chalicelib.model.labels import Box, Label

# The final slash is needed: Adobe's toolkit, which Lightroom and exiv2 use, appends one if it is missing.
NAMESPACE = "urn:sightline:xmp:1/"
CONTENT_TYPE = "text/xml; charset=utf-8"
NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "sightline": NAMESPACE,
}
# Everything but the characters of XML 1.0's "Char" without line breaks, because a keyword is one line.
_NOT_A_LINE = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A path separator within a name is replaced by a character that looks like it.
LOOKS_LIKE = {"|": "\u2223", "/": "\u2215"}

Node = ElementTree.Element

for _prefix, _address in NAMESPACES.items():
    ElementTree.register_namespace(_prefix, _address)


def to_xmp(image: Image) -> bytes:
    """The packet for ``image`` in UTF-8, without the padding of packets inside files."""
    root = Node(qualified("x:xmpmeta"))
    about = _inside(_inside(root, "rdf:RDF"), "rdf:Description")
    about.set(qualified("rdf:about"), "")
    labels = image.labels
    _list(about, "dc:subject", "Bag", (one.name for one in labels))
    _list(about, "lr:hierarchicalSubject", "Bag", (_path(one, "|") for one in labels))
    _list(about, "digiKam:TagsList", "Seq", (_path(one, "/") for one in labels))
    _alternative(about, image)
    _regions(about, image)
    _own(about, image)
    ElementTree.indent(root)
    packet: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return packet


def _path(label: Label, separator: str) -> str:
    """A label's path: its parents, the most general first, then its name."""
    names = (*reversed(label.parents), label.name)
    return separator.join(one.replace(separator, LOOKS_LIKE[separator]) for one in names)


def _alternative(about: Node, image: Image) -> None:
    """Write the alternative text, and a copy in this project's namespace that marks it as written here."""
    if image.caption and image.caption.alt:
        _set(about, {"sightline:AltText": image.caption.alt})
        _list(about, "Iptc4xmpCore:AltTextAccessibility", "Alt", [image.caption.alt])
        item = about.find(".//" + qualified("rdf:Alt") + "/" + qualified("rdf:li"))
        if item is not None:
            item.set("{http://www.w3.org/XML/1998/namespace}lang", "x-default")


def _regions(about: Node, image: Image) -> None:
    found = [(label, one.box) for label in image.labels for one in label.instances]
    if not found or not image.width or not image.height:
        return
    _set(about, {"sightline:Regions": len(found)})  # a different number later shows a person's regions
    regions = _structure(_inside(about, "mwg-rs:Regions"))
    size = _structure(_inside(regions, "mwg-rs:AppliedToDimensions"))
    _set(size, {"stDim:w": image.width, "stDim:h": image.height, "stDim:unit": "pixel"})
    bag = _inside(_inside(regions, "mwg-rs:RegionList"), "rdf:Bag")
    for label, box in found:
        region = _structure(_inside(bag, "rdf:li"))
        _set(region, {"mwg-rs:Name": label.name})
        _set(_structure(_inside(region, "mwg-rs:Area")), _area(box))


def _area(box: Box) -> dict[str, object]:
    """A box by its centre and size, as fractions of the picture."""
    x, y = box.left + box.width / 2, box.top + box.height / 2
    numbers = {"x": x, "y": y, "w": box.width, "h": box.height}
    return {**{f"stArea:{name}": f"{one:.5f}" for name, one in numbers.items()}, "stArea:unit": "normalized"}


def _own(about: Node, image: Image) -> None:
    _set(about, {"sightline:Id": image.id})
    if image.model:
        _set(about, {"sightline:Model": image.model.name, "sightline:ModelVersion": image.model.version})
    if not image.labels:
        return
    _list(
        about,
        "sightline:Keywords",
        "Bag",
        (name for one in image.labels for name in (one.name, *one.parents)),
    )
    bag = _inside(_inside(about, "sightline:Labels"), "rdf:Bag")
    for label in image.labels:
        one = _structure(_inside(bag, "rdf:li"))
        values = {"Name": label.name, "Confidence": f"{label.confidence:.2f}", "Source": label.source}
        _set(one, {f"sightline:{name}": value for name, value in values.items()})


def _list(about: Node, name: str, kind: str, values: Iterable[str]) -> None:
    unique = dict.fromkeys(map(_line, values))
    if not unique:
        return
    items = _inside(_inside(about, name), f"rdf:{kind}")
    for value in unique:
        _inside(items, "rdf:li").text = value


def _set(node: Node, values: dict[str, object]) -> None:
    for name, value in values.items():
        node.set(qualified(name), _line(str(value)))


def _structure(node: Node) -> Node:
    return _inside(node, "rdf:Description")


def _inside(node: Node, name: str) -> Node:
    return ElementTree.SubElement(node, qualified(name))


def qualified(prefixed: str) -> str:
    """A property's name in ElementTree's form: ``{namespace}name``."""
    prefix, _, name = prefixed.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _line(text: str) -> str:
    """A text with the characters replaced that a line of XML cannot hold."""
    return _NOT_A_LINE.sub("\ufffd", text)
