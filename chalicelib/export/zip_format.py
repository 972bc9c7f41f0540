"""The parts of a ZIP file, which can be written apart (PKWARE, APPNOTE.TXT 6.3.10; sections in brackets).

A ZIP file has the entries one after the other, then a directory, then an end record. Photos are stored
without compression, because they are compressed already. Names are in UTF-8. ZIP64 fields are used beyond
4 GB and beyond 65,534 entries.
"""

from __future__ import annotations

import datetime
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_VERSION = 45  # what is needed to read ZIP64 (4.4.3.2)
_UTF8 = 0x0800  # (4.4.4, bit 11)
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True)
class ZipEntry:
    """One file in an archive, up to 4 GB: its ``name``, its date (``moment``) and its ``content``."""

    name: str
    moment: datetime.datetime
    content: bytes

    def local(self) -> bytes:
        """The local header (4.3.7) and the content."""
        name = self.name.encode()
        return struct.pack("<IHHHHHIIIHH", 0x04034B50, *self._facts(), len(name), 0) + name + self.content

    def listed(self, offset: int) -> bytes:
        """The directory's record (4.3.12) of the entry, which begins at ``offset`` in the archive."""
        name = self.name.encode()
        far = offset >= _FULL_32
        extra = struct.pack("<HHQ", 0x0001, 8, offset) if far else b""  # (4.5.3)
        rest = (len(name), len(extra), 0, 0, 0, 0, _FULL_32 if far else offset)
        head = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, _VERSION, *self._facts(), *rest)
        return head + name + extra

    def _facts(self) -> tuple[int, ...]:
        at = self.moment
        time = at.hour << 11 | at.minute << 5 | at.second // 2  # (4.4.6)
        day = max(at.year - 1980, 0) << 9 | at.month << 5 | at.day
        size = len(self.content)
        return (_VERSION, _UTF8, 0, time, day, zlib.crc32(self.content), size, size)


def names_in(directory: bytes) -> Iterator[str]:
    """The names of the entries in a piece of a directory (4.3.12)."""
    at = 0
    while at < len(directory):
        name, extra, comment = struct.unpack_from("<HHH", directory, at + 28)
        yield directory[at + 46 : at + 46 + name].decode()
        at += 46 + name + extra + comment


def end(entries: int, directory_bytes: int, directory_offset: int) -> bytes:
    """The end records, which follow the directory (4.3.14 to 4.3.16)."""
    small = (
        min(entries, _FULL_16),
        min(entries, _FULL_16),
        min(directory_bytes, _FULL_32),
        min(directory_offset, _FULL_32),
    )
    old = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, *small, 0)
    if entries < _FULL_16 and directory_bytes < _FULL_32 and directory_offset < _FULL_32:
        return old
    counts = (entries, entries, directory_bytes, directory_offset)
    new = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, _VERSION, _VERSION, 0, 0, *counts)
    locator = struct.pack("<IIQI", 0x07064B50, 0, directory_offset + directory_bytes, 1)
    return new + locator + old
