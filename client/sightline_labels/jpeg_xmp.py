"""Labels inside a JPEG, in its XMP: every segment but that one, and all of the picture, stay byte for byte.

(XMP specification, part 3, JPEG; CIPA DC-007, multi-picture format.) What a photo's bytes were before is
noted in the packet, so that it is known again by the service, which had it without.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sightline_labels.errors import SightlineError
from sightline_labels.files import written_whole
from sightline_labels.xmp_packet import OURS, NoPacket, Packet, joined

HEAD_BYTES = 1 << 18  # in which XMP stands, with what may be before it
HEAD = b"http://ns.adobe.com/xap/1.0/\x00"
MOST_BYTES = 65_533 - len(HEAD)  # of a packet: a segment tells its length in 16 bits
_WRAPPED = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    b"</rdf:RDF></x:xmpmeta>",
    b'<?xpacket end="w"?>',
)
_SOI, _APP0, _APP1, _APP2, _SOS, _EOI = 0xD8, 0xE0, 0xE1, 0xE2, 0xDA, 0xD9


class NotEmbeddable(SightlineError):
    """A file whose XMP cannot be written without touching what must stay."""


@dataclass(frozen=True)
class Photo:
    """A JPEG in its parts: what stands before its ``packet`` of XMP, and what behind it."""

    before: bytes
    packet: bytes
    behind: bytes

    @classmethod
    def of(cls, content: bytes) -> Photo:
        """:raises NotEmbeddable: it is no JPEG, or one whose further pictures would be lost."""
        at, pictures = 2, False
        for start, end, marker in _segments(content):
            body = content[start + 4 : end]
            if marker == _APP1 and body.startswith(HEAD):
                if pictures:  # their places are told from there on
                    raise NotEmbeddable("Its XMP cannot grow: other pictures in the file follow it.")
                return cls(content[:start], body[len(HEAD) :], content[end:])
            if marker == _APP2 and body.startswith(b"MPF\x00"):
                pictures = True
            if at == start and (marker == _APP0 or (marker == _APP1 and body.startswith(b"Exif\x00"))):
                at = end
        return cls(content[:at], b"", content[at:])

    def with_packet(self, packet: bytes) -> bytes:
        """The JPEG with another packet.

        :raises NotEmbeddable: it is too long for a segment.
        """
        if len(packet) > MOST_BYTES:
            raise NotEmbeddable(f"Its XMP would have {len(packet)} bytes; at most {MOST_BYTES} fit.")
        size = (len(HEAD) + len(packet) + 2).to_bytes(2, "big")
        return self.before + b"\xff\xe1" + size + HEAD + packet + self.behind


def embed(path: Path, packet: bytes) -> None:
    """Write a service's labels into a JPEG, whole or not at all; times and permissions stay.

    Where nothing would change nothing is written.

    :raises NotEmbeddable: they do not fit.
    :raises NoPacket: what is there cannot be joined with them.
    """
    path = path.resolve()  # a link stays one
    content = path.read_bytes()
    photo = Photo.of(content)
    there = photo.packet.rstrip(b"\x00 \r\n\t") or b"".join(_WRAPPED)
    original = original_digest(content) or hashlib.sha256(content).hexdigest()
    notes = {"Original": original, "Rest": _digest_of_rest(photo)}
    made = photo.with_packet(joined(Packet(there), Packet(packet), notes))
    if made == content:
        return
    with written_whole(path, like=path) as file:
        file.write(made)


def known_as(path: Path) -> str:
    """What :func:`original_digest` says of a file; most are not read for it."""
    return original_digest(path.read_bytes()) if OURS.encode() in _head(path) else ""


def original_digest(content: bytes) -> str:
    """The SHA-256 of a JPEG as it was before labels were embedded; empty where it has changed otherwise."""
    try:
        photo = Photo.of(content)
        noted = Packet(photo.packet).noted if photo.packet else {}
    except (NotEmbeddable, NoPacket):
        return ""
    return noted.get("Original", "") if noted.get("Rest") == _digest_of_rest(photo) else ""


def others_in(path: Path) -> bytes:
    """A photo's XMP where it holds keywords that no service has written; else nothing."""
    if HEAD not in _head(path):
        return b""
    try:
        found = Packet(Photo.of(path.read_bytes()).packet)
    except (NotEmbeddable, NoPacket):
        return b""
    return found.content if found.words - found.ours else b""


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _digest_of_rest(photo: Photo) -> str:
    return hashlib.sha256(photo.before + photo.behind).hexdigest()


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Start, end and marker of each segment before the picture's data.

    :raises NotEmbeddable: it is none, or a damaged one.
    """
    if content[:2] != bytes((0xFF, _SOI)):
        raise NotEmbeddable("Only JPEGs can hold labels.")
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == _SOS:
            return
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _EOI or end > len(content) or end < at + 4:
            break
        yield at, end, marker
        at = end
    raise NotEmbeddable("The file is damaged.")
