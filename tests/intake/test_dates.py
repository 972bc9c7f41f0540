"""When a photo was taken is read in every spelling that occurs, and never made up: exiftool is the judge.

Holds `chalicelib/intake/metadata.py`.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from chalicelib.intake import metadata
from tests.intake.judge import read
from tests.intake.pictures import chunk, saved, texture

EXIFTOOL = Path("/usr/bin/exiftool")
PICTURE = texture((90, 90)).convert("RGB")


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("2024:05:06 07:08:09", "", "2024-05-06T07:08:09"),
        ("2024:05:06 07:08:09", "+02:00", "2024-05-06T07:08:09+02:00"),
        ("2024:05:06 07:08:09", "Z", "2024-05-06T07:08:09+00:00"),
        ("2024:05:06 07:08:09", "-0930", "2024-05-06T07:08:09-09:30"),
        ("2024:05:06 07:08:09", "+99:00", "2024-05-06T07:08:09"),
        ("2024-05-06 07:08:09", "", "2024-05-06T07:08:09"),
        ("2024/05/06 07:08:09", "", "2024-05-06T07:08:09"),
        ("2024.05.06 07:08:09", "", "2024-05-06T07:08:09"),
        ("2024-05-06T07:08:09+02:00", "-05:00", "2024-05-06T07:08:09+02:00"),
        ("2024-05-06T07:08:09Z", "", "2024-05-06T07:08:09+00:00"),
        ("2024:05:06 07:08:09.250", "", "2024-05-06T07:08:09"),
        ("2024:05:06 07:08", "", "2024-05-06T07:08:00"),
        ("2024:5:6 7:08:09", "", "2024-05-06T07:08:09"),
        (" 2024:05:06 07:08:09 ", "", "2024-05-06T07:08:09"),
        ("2024:05:06", "", None),
        ("2024:02:30 07:08:09", "", None),
        ("2024:05:06 24:00:00", "", None),
        ("2024:05:06 07:61:09", "", None),
        ("0000:00:00 00:00:00", "+02:00", None),
        ("    :  :     :  :  ", "", None),
        ("2024:05-06 07:08:09", "", None),
        ("20240506 070809", "", None),
        ("yesterday", "", None),
        ("", "", None),
    ],
)
def test_a_moment_is_read_as_it_is_spelt(text: str, offset: str, expected: str | None) -> None:
    assert metadata.moment_of(text, offset) == expected


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b"<x xmp:CreateDate='2024-05-06T07:08:09'/>", ("2024-05-06T07:08:09", "xmp:CreateDate")),
        (
            b"<xmp:CreateDate>2024-05-06T07:08:09.25Z</xmp:CreateDate>",
            ("2024-05-06T07:08:09+00:00", "xmp:CreateDate"),
        ),
        (
            b'<x xmp:CreateDate="2025-01-01T00:00:00" photoshop:DateCreated="2024-05-06T07:08"/>',
            ("2024-05-06T07:08:00", "xmp:DateCreated"),
        ),
        (
            b'<x photoshop:DateCreated="2025-01-01T00:00:00"'
            b' exif:DateTimeOriginal="2024-05-06T07:08:09+02:00"/>',
            ("2024-05-06T07:08:09+02:00", "xmp:DateTimeOriginal"),
        ),
        (b"<photoshop:DateCreated>2024-05-06</photoshop:DateCreated>", (None, None)),
        (b'<x xmp:ModifyDate="2024-05-06T07:08:09" stEvt:when="2024-05-06T07:08:09"/>', (None, None)),
        (b'<x notxmp:CreateDate="2024-05-06T07:08:09"/>', (None, None)),
        (b"", (None, None)),
    ],
)
def test_xmp_is_asked_for_the_shutter_then_the_work_then_the_file(
    packet: bytes, expected: tuple[str | None, str | None]
) -> None:
    assert metadata.time_in_xmp(packet) == expected


SPELLINGS = [
    "2024:05:06 07:08:09",
    "2024-05-06 07:08:09",
    "2024-05-06T07:08:09",
    "2024:05:06 07:08:09.25",
    "2024:05:06 07:08:09+02:00",
    "0000:00:00 00:00:00",
    "",
]
DIGITIZED = ["2023:04:05 06:07:08", ""]
OFFSETS = ["+02:00", ""]
XMP = [
    b"",
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    b' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmp:CreateDate="2022-03-04T05:06:07+01:00"'
    b' photoshop:DateCreated="2021-02-03T04:05:06"/></rdf:RDF></x:xmpmeta>',
]
KINDS = ["jpg", "png", "tif", "webp", "text.png", "heic"]
# What exiftool calls our sources, and which offset of its belongs to each.
NAMES = {
    "exif:DateTimeOriginal": ("ExifIFD:DateTimeOriginal", "ExifIFD:OffsetTimeOriginal"),
    "exif:DateTimeDigitized": ("ExifIFD:CreateDate", "ExifIFD:OffsetTimeDigitized"),
    "xmp:DateCreated": ("XMP-photoshop:DateCreated", ""),
    "xmp:CreateDate": ("XMP-xmp:CreateDate", ""),
}


def files() -> Iterator[tuple[str, bytes]]:
    """A file for every way in which notes may stand beside one another."""
    every = itertools.product(KINDS, SPELLINGS, DIGITIZED, OFFSETS, XMP)
    for number, (kind, taken, digitized, offset, xmp) in enumerate(every):
        tags = Image.Exif()
        tags[0x132] = "2020:01:02 03:04:05"  # when the file was changed, which says nothing of the photo
        notes = {0x9003: taken, 0x9004: digitized, 0x9011: offset, 0x9010: "+05:00"}
        tags.get_ifd(0x8769).update({tag: text for tag, text in notes.items() if text})
        yield f"{number}.{kind}", written(kind, tags.tobytes(), xmp)


def written(kind: str, exif: bytes, xmp: bytes) -> bytes:
    known = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP", "heic": "HEIF"}
    if kind == "text.png":
        digits = exif.hex().encode()
        text = b"\nexif\n%8d\n" % len(exif) + b"\n".join(
            digits[at : at + 72] for at in range(0, len(digits), 72)
        )
        whole = saved(PICTURE, "PNG")
        notes = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text + b"\n"))
        if xmp:
            notes += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
        return whole[:33] + notes + whole[33:]
    options: dict[str, object] = {"exif": exif}
    if xmp and kind == "tif":
        options["tiffinfo"] = {700: xmp}
    elif xmp:
        options["xmp"] = xmp
    if kind == "png" and xmp:
        whole = saved(PICTURE, "PNG", exif=exif)
        return whole[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) + whole[33:]
    return saved(PICTURE, known[kind], **options)


@pytest.mark.slow
@pytest.mark.skipif(
    not EXIFTOOL.exists(), reason="exiftool (Debian's libimage-exiftool-perl) is not installed"
)
def test_exiftool_reads_the_same_times_from_more_than_three_hundred_files(tmp_path: Path) -> None:
    ours = {}
    for name, content in files():
        (tmp_path / name).write_bytes(content)
        noted = read(content).exif
        ours[name] = (noted.taken_at, noted.taken_at_source)
    assert len(ours) > 300
    done = subprocess.run(  # noqa: S603
        [str(EXIFTOOL), "-json", "-G1", "-time:all", "-d", "%Y-%m-%dT%H:%M:%S", str(tmp_path)],
        capture_output=True,
        timeout=120,
    )
    theirs = {Path(one["SourceFile"]).name: one for one in json.loads(done.stdout)}
    wrong = {name: (found, theirs[name]) for name, found in ours.items() if not agrees(found, theirs[name])}
    assert not wrong


def agrees(ours: tuple[str | None, str | None], theirs: dict[str, str]) -> bool:
    """Whether the time is the one of the first note that exiftool takes for a time, with the offset of it."""
    for source, (name, offset) in NAMES.items():
        said = str(theirs.get(name, ""))
        if len(said) == 19 and said[4] == "-" and not said.startswith("0000"):
            inline = ours[0] is not None and ours[0][19:] in ("+02:00", "+01:00")  # -d leaves it out
            allowed = (
                {said + str(theirs.get(offset, "")), said} if inline else {said + str(theirs.get(offset, ""))}
            )
            return ours[1] == source and (ours[0] in allowed or (inline and str(ours[0])[:19] == said))
    return ours == (None, None)
