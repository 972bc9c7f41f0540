"""What a JPEG asks of its reader, told from its markers (ITU-T T.81, annex B) before it is decoded."""

from __future__ import annotations

from PIL.JpegImagePlugin import JpegImageFile

_START_OF_SCAN = 0xDA
_BYTES_A_SAMPLE = 2.2  # measured
_MOST_SCANS = 100  # encoders write about ten; each costs a pass over the whole picture


class JpegReader(JpegImageFile):
    """Pillow's reader, which leaves EXIF alone: looking there for a resolution costs memory without bound."""

    def _read_dpi_from_exif(self) -> None:
        pass


def coefficient_bytes(image: JpegImageFile, content: bytes) -> int:
    """Memory that the decoder needs for the whole picture before the first pixel is there.

    None if a single scan holds all components; else each sample's two bytes (libjpeg, ``jdcoefct.c``) and
    something for the rest.

    :raises ValueError: there are more scans than any encoder writes.
    """
    if not image.info.get("progressive") and _first_scan_components(content) == image.layers:
        return 0
    if content.count(b"\xff\xda") > _MOST_SCANS:
        raise ValueError("too many scans")
    widest = max(h * v for _, h, v, _ in image.layer)
    samples = sum(h * v for _, h, v, _ in image.layer) / max(1, widest)
    return int(_BYTES_A_SAMPLE * samples * image.width * image.height)


def _first_scan_components(content: bytes) -> int:
    """How many components the first scan holds; 0 if it is not where the segments before it lead to."""
    at = 2
    while at + 5 <= len(content) and content[at] == 0xFF:
        if content[at + 1] == _START_OF_SCAN:
            return content[at + 4]
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0
