"""Where a photo was taken is read from XMP too, and never made up: exiftool is the judge.

Holds `chalicelib/intake/metadata.py`.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from chalicelib.intake import metadata
from chalicelib.model import Location
from tests.intake.judge import read
from tests.intake.pictures import saved, texture
from tests.intake.test_dates import EXIFTOOL

PICTURE = texture((90, 90)).convert("RGB")


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("51,30.25N", "0,7.5W", Location(51.504167, -0.125)),
        ("51,30,15N", "0,7,30W", Location(51.504167, -0.125)),
        ("90,0S", "180,0E", Location(-90.0, 180.0)),
        ("90,0.1N", "0,0E", None),
        ("51,60N", "0,0E", None),
        ("51,30.25E", "0,7.5W", None),
        ("51,30.25N", "", None),
        ("51.5", "0.125", None),
        ("somewhere", "0,7.5W", None),
    ],
)
def test_an_angle_is_read_as_xmp_spells_it(latitude: str, longitude: str, expected: Location | None) -> None:
    attributes = f"<x exif:GPSLatitude='{latitude}' exif:GPSLongitude='{longitude}'/>"
    elements = (
        f"<exif:GPSLatitude>{latitude}</exif:GPSLatitude><exif:GPSLongitude>{longitude}</exif:GPSLongitude>"
    )
    for packet in (attributes, elements):
        assert metadata.place_in_xmp(packet.encode()) == expected


@pytest.mark.slow
@pytest.mark.skipif(
    not EXIFTOOL.exists(), reason="exiftool (Debian's libimage-exiftool-perl) is not installed"
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exiftool_reads_the_same_places(form: str, tmp_path: Path) -> None:
    chance = random.Random(form)  # noqa: S311 - not a secret
    where = [(round(chance.uniform(-90, 90), 5), round(chance.uniform(-180, 180), 5)) for _ in range(4)]
    for number, (latitude, longitude) in enumerate(where):
        path = tmp_path / f"{number}.{form.lower()}"
        path.write_bytes(saved(PICTURE, form))
        asked = [f"-XMP-exif:GPSLatitude={latitude}", f"-XMP-exif:GPSLongitude={longitude}"]
        subprocess.run([EXIFTOOL, "-q", "-overwrite_original", *asked, path], check=True)  # noqa: S603
    asked = ["-j", "-n", "-XMP:GPSLatitude", "-XMP:GPSLongitude", tmp_path]  # type: ignore[list-item]
    told = json.loads(subprocess.run([EXIFTOOL, *asked], capture_output=True, check=True).stdout)  # noqa: S603
    assert len(told) == len(where)
    for one in told:
        found = read(Path(one["SourceFile"]).read_bytes()).exif.location
        assert found
        assert found.latitude == pytest.approx(one["GPSLatitude"], abs=2e-6)
        assert found.longitude == pytest.approx(one["GPSLongitude"], abs=2e-6)
