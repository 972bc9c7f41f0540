"""The keywords that people gave a photo, read from its XMP packet.

Read are Dublin Core's ``subject``, Lightroom's ``hierarchicalSubject``, digiKam's ``TagsList`` and
``MicrosoftPhoto:LastKeywordXMP``, which digiKam reads and writes by default with the other three (digiKam,
``DMetadataSettingsContainer``, "Default tag namespaces") and Windows writes besides ``subject``; and the
names of image regions (Metadata Working Group), which are people's faces most of the time. A packet says
itself which keywords a service of ours has written (:mod:`chalicelib.model.xmp`): they are nobody's here.

A packet is not trusted: no document type, no entity, a bounded size. One that cannot be read to its end has
no keywords at all, as it might end before it says which are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError  # raised by the parser below

from defusedxml.ElementTree import DefusedXMLParser

from chalicelib.errors import BadRequest
from chalicelib.model import normalised
from chalicelib.model.xmp import LOOKS_LIKE, qualified

MOST_BYTES = 4 << 20
MOST_KEYWORDS = 100  # of a packet; a person's own corrections find room beside them
MOST_READ = 2_000
LONGEST = 4_096  # characters of an entry: a path of many names
_FLAT = ""
_OURS = qualified("sightline:Keywords")
_ITEM = qualified("rdf:li")
_MICROSOFT = qualified("MicrosoftPhoto:LastKeywordXMP")
# What separates the names of a path in each field.
_SEPARATORS: Mapping[str, str] = {
    qualified("dc:subject"): _FLAT,
    qualified("lr:hierarchicalSubject"): "|",
    qualified("digiKam:TagsList"): "/",
    _MICROSOFT: "/",
    _MICROSOFT.replace("/1.0/", "/1.0"): "/",  # as exiftool spells the namespace
    qualified("mwg-rs:Name"): _FLAT,
}
_BOOKKEEPING = "darktable"  # the root of tags that this program keeps for itself and does not show
_OWN_FORM = str.maketrans({written: plain for plain, written in LOOKS_LIKE.items()})


@dataclass(frozen=True)
class Keyword:
    """A keyword and the general terms that it is filed under, the nearest first."""

    name: str
    parents: tuple[str, ...] = ()


def keywords_in(packet: bytes) -> tuple[Keyword, ...]:
    """People's keywords in a packet, each once; none where the packet cannot be read."""
    try:
        return read(packet)
    except BadRequest:
        return ()


def read(packet: bytes) -> tuple[Keyword, ...]:
    """People's keywords in a packet, each once.

    :raises BadRequest: the packet cannot be read.
    """
    if not packet.startswith((b"\xfe\xff", b"\xff\xfe")):  # of UTF-16 every other byte may be zero
        packet = packet.strip(b"\x00 \r\n\t")
    if len(packet) > MOST_BYTES:
        raise BadRequest(f"XMP may have {MOST_BYTES} bytes, not {len(packet)}.", code="not-xmp")
    fields = _Fields()
    try:
        # The parser's own type does not tell of its target.
        parser = DefusedXMLParser(target=fields, forbid_dtd=True)
        parser.feed(packet)
        parser.close()
    except (ParseError, ValueError, LookupError) as error:  # what is forbidden, or encoded in an unknown way
        raise BadRequest(f"That is no XMP: {error or 'its XML'}.", code="not-xmp") from error
    ours = {_compared(text) for text in fields.ours}
    found: dict[str, Keyword] = {}
    for one in fields.keywords():
        name = _compared(one.name)
        known = found.get(name)
        if name and name not in ours and (known or len(found) < MOST_KEYWORDS):
            above = tuple(each for each in one.parents if _compared(each) not in ours)
            found[name] = known if known and len(known.parents) >= len(above) else Keyword(one.name, above)
    return tuple(found.values())


def _compared(name: str) -> str:
    """A name as it is compared, also where a separator in it was written as its look-alike."""
    return normalised(name.translate(_OWN_FORM))


class _Fields:
    """Collects the entries of the fields while a packet is parsed: no tree is made of it."""

    def __init__(self) -> None:
        self.ours: list[str] = []
        self._entries: list[tuple[str, str]] = []
        self._field = ""
        self._depth = 0  # below the field's element
        self._text: list[str] | None = None
        self._length = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        for name in attributes.keys() & _SEPARATORS.keys():
            self._add(name, attributes[name])
        if self._field:
            self._depth += 1
        elif tag in _SEPARATORS or tag == _OURS:
            self._field, self._depth = tag, 0
        if tag == _ITEM or (self._field and self._depth == 0):
            self._text, self._length = [], 0

    def data(self, text: str) -> None:
        if self._field and self._text is not None and self._length <= LONGEST:
            self._text.append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        if not self._field:
            return
        if self._text is not None and (tag == _ITEM or self._depth == 0):
            self._add(self._field, "".join(self._text))
            self._text = None
        if self._depth == 0:
            self._field = ""
        self._depth -= 1

    def close(self) -> None:
        """The end of the packet."""

    def keywords(self) -> Iterator[Keyword]:
        """What the entries say, field by field as they came."""
        entries = [_path(text, _SEPARATORS[field]) for field, text in self._entries]
        paths = [one for one in entries if len(one) > 1]
        # Such tags may stand among flat keywords as well, whole or name by name.
        kept = {name for path in paths if path[0] == _BOOKKEEPING for name in path}
        kept -= {name for path in paths if path[0] != _BOOKKEEPING for name in path}
        for *above, name in entries:
            if _BOOKKEEPING not in above and not name.startswith(f"{_BOOKKEEPING}|") and name not in kept:
                yield Keyword(name, tuple(reversed(above)))

    def _add(self, field: str, text: str) -> None:
        if not text.strip():
            return
        if field == _OURS:
            self.ours.append(text)
        elif len(text) <= LONGEST and len(self._entries) < MOST_READ:
            self._entries.append((field, text))


def _path(text: str, separator: str) -> list[str]:
    """The names of an entry, the most general first; one that is empty where it has none."""
    names = [one.strip() for one in (text.split(separator) if separator else [text])]
    return [one for one in names if one] or [""]
