"""JPEG (ITU-T T.81, annex B): read segment by segment before it is decoded.

The decoder gets the picture's own segments and nothing else. So no APPn segment or comment can make a photo
fail, nor can data after the end, such as the video of a motion photo.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from chalicelib.intake.undecoded_image import MOSTLY, TRUNCATED, Size, Truncated, UndecodedImage, Unsupported

_SOI, _EOI, _SOS, _DHT, _DNL, _COM = 0xD8, 0xD9, 0xDA, 0xC4, 0xDC, 0xFE
_END = b"\xff\xd9"
_NO_CONTENT = frozenset({0x01, *range(0xD0, 0xD9)})  # markers that stand alone
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_READ_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_NAMES_OF_FRAMES = {0xC3: "lossless", 0xF7: "JPEG-LS", 0xCB: "lossless"}
_OWN = frozenset({0xE0, 0xEE})  # JFIF's and Adobe's, which say what the colours are
_BYTES_A_SAMPLE = 2.2  # measured
_MOST_SCANS = 100  # encoders write about ten; each costs a pass over the whole picture
_EMPTY_TAIL = 64  # so many zeros at the end come from an interrupted copy

# A cut picture is decoded with two different continuations: rows that come out the same are really there.
_NOISE = bytes(range(1, 255)) * 64
_RESTARTS = range(0xD0, 0xD8)


@dataclass
class Segments:
    """What the segments of a JPEG say; ``own`` are those of the picture itself."""

    frame: int = 0
    width: int = 0
    height: int = 0
    bits: int = 8
    factors: list[tuple[int, int]] = field(default_factory=list)
    scans: list[tuple[tuple[int, ...], int, int]] = field(default_factory=list)
    own: list[memoryview] = field(default_factory=list)
    exif: bytes = b""
    xmp: bytes = b""
    profile: dict[int, bytes] = field(default_factory=dict)
    ended: bool = False
    dropped: bool = False
    tells_height_late: bool = False


def read(content: bytes) -> UndecodedImage:
    """A JPEG, not decoded yet; one that is cut off is read as far as it goes."""
    found = parsed(content)
    if not found.frame:
        raise Truncated("no frame") if not found.ended else ValueError("no frame")
    if found.frame not in _READ_FRAMES:
        name = _NAMES_OF_FRAMES.get(found.frame, "hierarchical")
        raise Unsupported(f"a JPEG image of the {name} kind")
    if found.bits != 8:
        raise Unsupported(f"a JPEG image with {found.bits} bits")
    if len(found.factors) not in (1, 3, 4):
        raise Unsupported(f"a JPEG image of {len(found.factors)} components")
    if found.height == 0 and found.tells_height_late:
        raise Unsupported("a JPEG image that tells its height only at its end")
    plain = b"".join(found.own) if found.dropped or not found.ended else content
    picture = _Picture(found, plain)
    return UndecodedImage(
        (found.width, found.height),
        coefficient_bytes(found) + (0 if plain is content else len(plain)),
        picture.decode,
        exif=found.exif,
        xmp=found.xmp,
        profile=b"".join(part for _, part in sorted(found.profile.items())),
        plain=plain if found.ended and len(found.factors) != 4 else None,
        warnings=picture.warnings,
    )


def parsed(content: bytes) -> Segments:
    """The segments up to the end of the picture, or as far as they can be followed."""
    found, view = Segments(), memoryview(content)
    kept = 0  # everything before it is in found.own already
    at = 2
    while at + 2 <= len(content):
        if content[at] != 0xFF:
            following = content.find(b"\xff", at)
            at = following if following >= 0 else len(content)
            continue
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _EOI:
            at += 2
            found.ended = True
            break
        if marker in _NO_CONTENT or marker == 0:
            at += 2
            continue
        size = int.from_bytes(content[at + 2 : at + 4], "big")
        if size < 2 or at + 2 + size > len(content):
            break
        body = view[at + 4 : at + 2 + size]
        if _is_note(marker):
            _noted(found, marker, bytes(body))
        if _is_note(marker) and not (marker in _OWN and size <= 64):
            found.own.append(view[kept:at])
            kept, found.dropped = at + 2 + size, True
        elif marker in _FRAMES or marker == 0xF7:
            _frame(found, marker, body)
        found.tells_height_late |= marker == _DNL
        at += 2 + size
        if marker == _SOS:
            _scan(found, body)
            at = _entropy_end(content, at)
    end = at if found.ended else len(content)
    if not found.ended and content[-_EMPTY_TAIL:] == bytes(_EMPTY_TAIL):
        end = len(content.rstrip(b"\x00"))
    found.own.append(view[kept : max(kept, end)])
    found.dropped |= end < len(content)
    return found


def _is_note(marker: int) -> bool:
    return 0xE0 <= marker <= 0xEF or marker == _COM


def _entropy_end(content: bytes, at: int) -> int:
    """The offset of the next marker that is not one of those inside a scan's data."""
    while (at := content.find(b"\xff", at)) >= 0:
        follows = content[at + 1 : at + 2]
        if follows and follows[0] not in (0x00, 0xFF) and not 0xD0 <= follows[0] <= 0xD7:
            return at
        at += 1
    return len(content)


def _frame(found: Segments, marker: int, body: memoryview) -> None:
    if found.frame or len(body) < 6:
        return
    found.frame, found.bits = marker, body[0]
    found.height, found.width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    sampling = body[7 : 6 + 3 * body[5] : 3]
    found.factors = [(one >> 4, one & 15) for one in sampling]


def _scan(found: Segments, body: memoryview) -> None:
    count = body[0] if body else 0
    components, rest = tuple(body[1 : 1 + 2 * count : 2]), bytes(body[1 + 2 * count :]).ljust(3, b"\x00")
    found.scans.append((components, rest[0], rest[1]))
    if len(found.scans) > _MOST_SCANS:
        raise ValueError("too many scans")


def _noted(found: Segments, marker: int, body: bytes) -> None:
    if marker == 0xE1 and body.startswith(b"Exif\x00") and not found.exif:
        found.exif = body
    elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\x00") and not found.xmp:
        found.xmp = body.partition(b"\x00")[2]
    elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\x00") and len(body) > 14:
        found.profile.setdefault(body[12], body[14:])


def coefficient_bytes(found: Segments) -> int:
    """Bytes of memory that the decoder needs for the whole picture before the first pixel is there.

    0 if a single scan holds all components; else each sample's two bytes (libjpeg, ``jdcoefct.c``) and
    something for the rest.
    """
    progressive = found.frame in (0xC2, 0xCA)
    if not progressive and found.scans and len(found.scans[0][0]) == len(found.factors):
        return 0
    widest = max(h * v for h, v in found.factors)
    samples = sum(h * v for h, v in found.factors) / max(1, widest)
    return int(_BYTES_A_SAMPLE * samples * found.width * found.height)


class _Picture:
    """The pixels of a JPEG, decoded at the smallest scale that is large enough."""

    def __init__(self, found: Segments, plain: bytes) -> None:
        self._found, self._plain = found, plain
        self.warnings: list[str] = []

    def decode(self, at_least: Size) -> Image.Image:
        if self._found.ended:
            return _decoded(self._plain, at_least)
        if not self._found.scans:
            raise Truncated("no scan")
        shown = _decoded(self._plain + _END, at_least)
        if self._share(shown, at_least) < MOSTLY:
            raise Truncated("most rows are missing")
        self.warnings.append(TRUNCATED)
        return shown

    def _share(self, shown: Image.Image, at_least: Size) -> float:
        """The share of rows that is there.

        A progressive picture counts as whole if the scans before the one that was cut hold all coefficients
        of the first component, however coarsely.
        """
        first = self._found.scans[0][0][:1]
        whole = self._found.scans[:-1]
        if self._found.frame in (0xC2, 0xCA):
            covered = {k for names, low, high in whole if names[:1] == first for k in range(low, high + 1)}
            if covered >= set(range(64)):
                return 1.0
        other = _decoded(self._plain + self._going_on() + _END, at_least)
        differing = ImageChops.difference(shown, other).convert("L").getbbox()
        return 1.0 if differing is None else differing[1] / shown.height

    def _going_on(self) -> bytes:
        """Noise in place of what is missing, with the restarts (section B.2.1) that the decoder waits for."""
        last = max(self._plain.rfind(bytes((0xFF, marker))) for marker in _RESTARTS)
        if last < 0:
            return _NOISE
        following = self._plain[last + 1] - _RESTARTS.start + 1
        marks = (bytes((0xFF, _RESTARTS.start + (following + one) % 8)) for one in range(len(_RESTARTS)))
        return _NOISE + b"".join(mark + _NOISE[:2_000] for mark in marks)


def _decoded(content: bytes, at_least: Size) -> Image.Image:
    with BytesIO(content) as stream:
        image = JpegImageFile(stream)
        image.draft(image.mode, at_least)
        image.load()
        return image


def is_whole(content: bytes) -> bool:
    """Whether the segments reach the mark of the end."""
    try:
        return parsed(content).ended
    except ValueError:
        return True
