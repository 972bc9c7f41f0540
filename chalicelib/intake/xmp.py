"""The value of a property in an XMP packet, be it an attribute or an element: looked for, not parsed."""

from __future__ import annotations

import re

_MOST_BYTES = 4 << 20


def property_named(name: bytes, *, least: int) -> re.Pattern[bytes]:
    """What finds a property, prefix and all, of ``least`` to 40 characters."""
    return re.compile(rb"[<\s]" + name + rb"\s*(?:=\s*[\"']|>)\s*([^\"'<]{%d,40}?)\s*[\"'<]" % least)


def value(of: re.Pattern[bytes], packet: bytes) -> str:
    """The first value of a property; empty where the packet has none."""
    found = of.search(packet[:_MOST_BYTES])
    return found[1].decode("ascii", "replace") if found else ""
