"""Sound files that other readers of pictures take wrongly: each has its right value here."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from chalicelib.errors import UnusableImage
from tests.intake.judge import distance, read, shown

FOLDER = Path(__file__).parent / "cases"
SIZE = (150, 100)
PLAIN = Image.open(BytesIO((FOLDER / "date_ok.jpg").read_bytes())).convert("RGB")
GREY = PLAIN.convert("L").convert("RGB")
WHEN = "2024-05-06T07:08:09"
ORIGINAL, DIGITIZED = "exif:DateTimeOriginal", "exif:DateTimeDigitized"

# The picture, what is missing from it, when it was taken and which note says so.
VALUES: dict[str, tuple[Image.Image, tuple[str, ...], str | None, str | None]] = {
    "cut_20_bytes.jpg": (PLAIN, ("truncated",), None, None),
    "cut_without_EOI.jpg": (PLAIN, ("truncated",), None, None),
    "cut_without_EOI_progressive.jpg": (PLAIN, ("truncated",), None, None),
    "date_dashes.jpg": (PLAIN, (), WHEN, ORIGINAL),
    "date_digitized_only.jpg": (PLAIN, (), WHEN, DIGITIZED),
    "date_fraction.jpg": (PLAIN, (), WHEN, ORIGINAL),
    "date_iso.jpg": (PLAIN, (), f"{WHEN}+02:00", ORIGINAL),
    "date_modified_only.jpg": (PLAIN, (), None, None),
    "date_offset_0x9010.jpg": (PLAIN, (), WHEN, ORIGINAL),  # that offset is another clock's
    "date_ok.jpg": (PLAIN, (), f"{WHEN}+02:00", ORIGINAL),
    "date_zero_but_digitized.jpg": (PLAIN, (), WHEN, DIGITIZED),
    "exif_pointer_type13.tif": (PLAIN, (), WHEN, ORIGINAL),
    "exif_pointer_type4.tif": (PLAIN, (), WHEN, ORIGINAL),
    "float_one_nan.tif": (GREY, (), None, None),
    "grey16_trns.png": (GREY, (), None, None),
    "progressive_FFDA_in_comment.jpg": (PLAIN, (), None, None),
    "progressive_trailer.jpg": (PLAIN, (), None, None),
    "rgb16_planar.tif": (PLAIN, (), None, None),
    "rgb_float32.tif": (PLAIN, (), None, None),
    "text_1MB_ztxt.png": (PLAIN, (), None, None),
}


@pytest.mark.parametrize("name", VALUES)
def test_it_is_the_picture_that_it_is(name: str) -> None:
    picture, warnings, taken_at, source = VALUES[name]
    content = (FOLDER / name).read_bytes()
    made = read(content)
    assert (made.width, made.height, made.warnings) == (*SIZE, warnings)
    assert (made.exif.taken_at, made.exif.taken_at_source) == (taken_at, source)
    # The grey one with fractions is stretched over the range in use, which is nearly all of it.
    assert distance(shown(content), picture) < (12 if "float" in name else 6)


def test_a_raw_file_without_a_preview_of_its_size_is_refused_as_one() -> None:
    with pytest.raises(UnusableImage, match="camera raw") as raised:
        read((FOLDER / "like_nikon.NEF").read_bytes())
    assert raised.value.code == "unsupported-type"


def test_no_case_is_left_out() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*VALUES, "like_nikon.NEF"}
