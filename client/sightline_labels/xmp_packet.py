"""An XMP packet of a service's joined with one that is there already, of which every other byte stays.

Nothing is written anew: a parser tells where lists of keywords lie, and ours are put between the others. What
a service has written before goes, by its own list (``sightline:Keywords``); what anybody else has written
stays and is never claimed to be ours. (XMP specification, part 1.)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from sightline_labels.errors import SightlineError

OURS = "urn:sightline:xmp:1/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_REGIONS = "http://www.metadataworkinggroup.com/schemas/regions/"
_ALT = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/ AltTextAccessibility"
_SINGLE = {f"{_REGIONS} Regions": "Regions", _ALT: "AltText"}  # by which note they are ours
# The lists of keywords, and what parts the names of a path in them.
_LISTS = {
    "http://purl.org/dc/elements/1.1/ subject": "",
    "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject": "|",
    "http://www.digikam.org/ns/1.0/ TagsList": "/",
}
# What a service reads besides: in Microsoft's namespace as it is spelled by most, and by exiftool.
_READ = {
    **_LISTS,
    "http://ns.microsoft.com/photo/1.0/ LastKeywordXMP": "/",
    "http://ns.microsoft.com/photo/1.0 LastKeywordXMP": "/",
}
_ATTRIBUTE = rb"\s+[^\s=/>]+\s*=\s*(?:\"[^\"]*\"|'[^']*')"
_TAG = re.compile(rb"<[^\s/>]+(?:%s)*\s*/?>" % _ATTRIBUTE)
_DECLARED = re.compile(rb"\sxmlns:[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_LOOK_ALIKES = str.maketrans({"\u2223": "|", "\u2215": "/"})  # as a service writes separators within names

Edit = tuple[int, int, bytes]


class NoPacket(SightlineError):
    """What is there is no XMP that ours can be joined with."""


@dataclass
class Element:
    """Where an element lies, from ``start`` to ``end``, and its ``text``.

    Of a list there are ``items``, of regions their ``names``.
    """

    name: str
    start: int
    end: int = 0
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    items: list[Element] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


class Packet:
    """A packet in a file: its descriptions, and their properties by name.

    :raises NoPacket: it is none, or not of the kind that can be edited.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.descriptions: list[Element] = []
        self.properties: dict[str, Element] = {}
        self.noted: dict[str, str] = {}  # what a service has noted, by name
        self.prefixes: list[str] = []  # of our namespace
        self.rdf_end = 0
        self._open: list[Element] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartNamespaceDeclHandler = self._declare
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            content.decode()  # of another encoding the places would be wrong
            self._parser.Parse(content, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise NoPacket(f"Its XMP cannot be read ({error}).") from error
        if not self.rdf_end:
            raise NoPacket("Its XMP is empty.")

    @property
    def ours(self) -> set[str]:
        """The keywords that a service has written, as they are compared."""
        return {_compared(one.text) for one in self.items(f"{OURS} Keywords")}

    @property
    def words(self) -> set[str]:
        """All keywords, as they are compared; of a path the last name."""
        regions = self.properties.get(f"{_REGIONS} Regions")
        bare = [one for name, one in self.properties.items() if name in _READ and not one.items]  # no list
        named = [_last(one.text, separator) for name, separator in _READ.items() for one in self.items(name)]
        named += [one.text for one in bare]
        return {_compared(one) for one in (*named, *(regions.names if regions else ()))} - {""}

    @property
    def is_ours_alone(self) -> bool:
        """Whether there is nothing in it but what a service has written."""
        known = {name for name in self.properties if name.startswith(OURS)} | {*_LISTS}
        known |= _SINGLE.keys() - self.kept
        attributes = {
            name for one in self.descriptions for name in one.attributes if not name.startswith(OURS)
        }
        others = (self.properties.keys() - known) | {
            name for name in attributes if not name.endswith(" about")
        }
        return bool(self.noted) and not others and self.words <= self.ours

    @property
    def kept(self) -> set[str]:
        """What there is once in a packet and is not ours: regions, an alternative text."""
        regions = self.properties.get(f"{_REGIONS} Regions")
        ours = {
            f"{_REGIONS} Regions": self.noted.get("Regions") == str(len(regions.names)) if regions else True,
            _ALT: [self.noted.get("AltText")] == [one.text for one in self.items(_ALT)],
        }
        return {name for name, is_ours in ours.items() if name in self.properties and not is_ours}

    def items(self, name: str) -> list[Element]:
        """The entries of a list; none where it is not there."""
        one = self.properties.get(name)
        return one.items if one else []

    def source(self, name: str) -> bytes:
        """A property as it is written; nothing where it is not there."""
        one = self.properties.get(name)
        return self.content[one.start : one.end] if one else b""

    def tag_end(self, one: Element) -> int:
        """Where the start tag of an element ends."""
        found = _TAG.match(self.content, one.start)
        if not found:
            raise ValueError("a tag")
        return found.end()

    def _declare(self, prefix: str | None, address: str) -> None:
        if address == OURS and prefix:
            self.prefixes.append(prefix)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        one = Element(name, self._parser.CurrentByteIndex, attributes=attributes)
        path = [each.name for each in self._open]
        depth = len(path) - path.index(f"{_RDF} RDF") if f"{_RDF} RDF" in path else 0
        if depth == 1:
            self.descriptions.append(one)
            own = {key: value for key, value in attributes.items() if key.startswith(OURS)}
            self.noted.update({key.partition(" ")[2]: value for key, value in own.items()})
        elif depth == 2:
            self.properties[name] = one
        elif depth == 4 and name == f"{_RDF} li":
            self._open[-2].items.append(one)
        elif depth > 4 and f"{_REGIONS} Name" in attributes:
            self._open[-depth + 2].names.append(attributes[f"{_REGIONS} Name"])
        self._open.append(one)

    def _end(self, name: str) -> None:
        at, one = self._parser.CurrentByteIndex, self._open.pop()
        one.end = self.tag_end(one) if at == one.start else self.content.index(b">", at) + 1
        if name == f"{_RDF} RDF" and at > one.start:
            self.rdf_end = at
        if name.startswith(OURS) and self.properties.get(name) is one and not one.items:
            self.noted[name.partition(" ")[2]] = one.text.strip()
        if name == f"{_REGIONS} Name" and self._open:
            path = [each.name for each in self._open]
            if f"{_REGIONS} Regions" in path:
                self._open[path.index(f"{_REGIONS} Regions")].names.append(one.text)

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text


def joined(there: Packet, new: Packet, more: Mapping[str, str]) -> bytes:
    """What is ``there``, with the ``new`` packet of a service in place of an older one.

    ``more`` are names and values that are noted besides, in the namespace of ours.

    :raises NoPacket: what is there is written in a way in which something of others' would be lost.
    """
    before, others = there.ours, there.words - there.ours
    edits: list[Edit] = []
    for name, separator in _LISTS.items():
        if there.items(name):
            edits += _list_edits(there, new, name, separator, outdated=before - new.words)
        elif name in there.properties:  # an empty list, or none at all
            edits.append((*_span(there, there.properties[name]), b""))
    missing = b"".join(new.source(name) for name in _LISTS if not there.items(name))
    kept = there.kept
    unsaid = {_SINGLE[name] for name in kept}  # notes that would be of what we have not written
    notes = {name: value for name, value in new.noted.items() if name not in unsaid}
    claimed = [one.text for one in new.items(f"{OURS} Keywords") if _compared(one.text) not in others]
    own = _keywords(claimed) + new.source(f"{OURS} Labels")
    own += b"".join(new.source(name) for name in _SINGLE if name not in kept)
    edits += _without_ours(there, kept)
    blocks = [_description(new, b"", missing)] if missing else []
    blocks.append(_description(new, _attributes({**notes, **more}), own))
    edits.append((there.rdf_end, there.rdf_end, b"".join(blocks)))
    content = there.content
    for start, end, text in sorted(edits, key=lambda one: one[:2], reverse=True):
        content = content[:start] + text + content[end:]
    if not others <= Packet(content).words:
        raise NoPacket("Its XMP has keywords in an unknown form.")
    return content


def _list_edits(there: Packet, new: Packet, name: str, separator: str, outdated: set[str]) -> Iterator[Edit]:
    """How a list gets the entries of ours that it lacks, and loses those that are ours no more."""
    items = there.items(name)
    for item in items:
        if _compared(_last(item.text, separator)) in outdated:
            yield (*_span(there, item), b"")
    known = {_compared(item.text) for item in items}
    added = [one.text for one in new.items(name) if _compared(one.text) not in known]
    tag = re.split(rb"[\s/>]", there.content[items[-1].start + 1 : items[-1].end], maxsplit=1)[0]
    written = b"".join(b"<%s>%s</%s>" % (tag, escape(text).encode(), tag) for text in added)
    yield items[-1].end, items[-1].end, written


def _without_ours(there: Packet, kept: set[str]) -> Iterator[Edit]:
    """How what a service has noted goes: its properties, and descriptions that then hold nothing."""
    prefixes = b"|".join(re.escape(one.encode()) for one in there.prefixes) or rb"\0"
    ours = re.compile(rb"\s+(?:%s):[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*')" % prefixes)
    single = _SINGLE.keys() - kept
    gone = [one for name, one in there.properties.items() if name.startswith(OURS) or name in single]
    for one in there.descriptions:
        inside = [each for each in there.properties.values() if one.start < each.start < one.end]
        own = [name for name in one.attributes if name.startswith(OURS)]
        others = [name for name in one.attributes if name not in own and not name.endswith("about")]
        if (own or inside) and not others and all(each in gone for each in inside):
            yield one.start, one.end, b""
            continue
        if own:
            tag = there.content[one.start : there.tag_end(one)]
            yield one.start, one.start + len(tag), ours.sub(b"", tag)
        yield from ((*_span(there, each), b"") for each in inside if each in gone)


def _span(there: Packet, one: Element) -> tuple[int, int]:
    """An element with the white space before it."""
    return len(there.content[: one.start].rstrip()), one.end


def _description(new: Packet, attributes: bytes, content: bytes) -> bytes:
    declared = b"".join(dict.fromkeys(_DECLARED.findall(new.content)))
    return b'<rdf:Description rdf:about=""%s%s>%s</rdf:Description>' % (declared, attributes, content)


def _attributes(values: Mapping[str, str]) -> bytes:
    return "".join(f" sightline:{name}={quoteattr(value)}" for name, value in values.items()).encode()


def _keywords(texts: list[str]) -> bytes:
    items = "".join(f"<rdf:li>{escape(one)}</rdf:li>" for one in texts)
    return f"<sightline:Keywords><rdf:Bag>{items}</rdf:Bag></sightline:Keywords>".encode() if texts else b""


def _last(text: str, separator: str) -> str:
    names = [one for one in (text.split(separator) if separator else [text]) if one.strip()]
    return names[-1] if names else ""


def _compared(name: str) -> str:
    """A name in the form in which services compare names."""
    folded = unicodedata.normalize("NFKC", name.translate(_LOOK_ALIKES)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a document type")
