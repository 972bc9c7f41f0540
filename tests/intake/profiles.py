"""ICC profiles made here: of a screen with given primaries (ICC.1:2001-04, sections 6.1 to 6.5)."""

from __future__ import annotations

import struct

# Display P3's red, green and blue, in XYZ under the profile's light D50.
DISPLAY_P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
GAMMA = 2.2
_D50 = (0.9642, 1.0, 0.8249)


def screen(primaries: tuple[tuple[float, float, float], ...] = DISPLAY_P3, space: bytes = b"RGB ") -> bytes:
    """The profile of a screen, or of what says to be of another colour ``space``."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(GAMMA * 256)) + bytes(2)
    tags = {b"desc": _description(b"A screen"), b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": _xyz(*_D50)}
    for name, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags |= {name + b"XYZ": _xyz(*primary), name + b"TRC": curve}
    return _file(tags, space)


def _file(tags: dict[bytes, bytes], space: bytes) -> bytes:
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    light = struct.pack(">iii", *(round(65_536 * value) for value in _D50))
    head = struct.pack(">I4xI4s4s4s12x4s28x", start + len(body), 0x02400000, b"mntr", space, b"XYZ ", b"acsp")
    return (head + light).ljust(128, b"\0") + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">iii", *(round(65_536 * value) for value in values))


def _description(text: bytes) -> bytes:
    return b"desc" + struct.pack(">II", 0, len(text) + 1) + text + bytes(1 + 4 + 4 + 2 + 1 + 67)
