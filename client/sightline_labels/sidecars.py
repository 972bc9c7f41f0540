"""XMP sidecars beside photos: ours are written and renewed; another program's is never overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sightline_labels.errors import SightlineError
from sightline_labels.files import written_whole
from sightline_labels.xmp_packet import NoPacket, Packet, joined

WHOLE, STEM = "photo.jpg.xmp", "photo.xmp"  # how a sidecar is called
MOST_BYTES = 4 << 20  # that a service reads


def write_sidecar(photo: Path, packet: bytes, called: str = WHOLE) -> Path:
    """Write the labels beside a photo; what people have added to a sidecar of ours stays in it.

    :raises SightlineError: another program's is there.
    """
    path = _path(photo, called)
    content = packet
    if path.exists():
        content = path.read_bytes()
        try:
            there = Packet(content)
        except NoPacket:
            there = None
        if there is None or not there.noted:
            raise SightlineError(f"{path.name} belongs to another program and was not changed.")
        content = packet if there.is_ours_alone else joined(there, Packet(packet), {})
        if content == there.content:
            return path
    with written_whole(path) as file:
        file.write(content)
    return path


def others_beside(photo: Path) -> Iterator[bytes]:
    """The sidecars of a photo that hold keywords which no service has written."""
    for path in dict.fromkeys((_path(photo, WHOLE), _path(photo, STEM))):
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            try:
                found = Packet(path.read_bytes())
            except NoPacket:
                continue
            if found.words - found.ours:
                yield found.content


def _path(photo: Path, called: str) -> Path:
    return photo.with_name(f"{photo.name}.xmp") if called == WHOLE else photo.with_suffix(".xmp")
