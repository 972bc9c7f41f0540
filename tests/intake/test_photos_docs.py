"""The page on photos says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.intake import formats, heif, photos, webp

DOCS = (Path(__file__).parents[2] / "docs" / "photos.md").read_text("utf-8")
TABLE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DOCS.partition("## What can be read")[2].partition("\n\nThe type")[0].splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| type"))
]


def limits(kind: str) -> list[int]:
    """The megapixels of a kind's row."""
    return [int(found) for row in TABLE if row[0] == kind for found in re.findall(r"(\d+) MP", row[2])]


def test_the_table_lists_what_is_read_with_its_content_type() -> None:
    assert [(row[0], row[1].strip("`")) for row in TABLE] == [
        (one.name, one.content_type) for one in formats.FORMATS.values()
    ]


@pytest.mark.parametrize(
    ("kind", "bytes_a_pixel"),
    [
        ("WebP", [webp.BYTES_A_PIXEL]),
        ("AVIF", [heif.BYTES_A_PIXEL["AVIF"]]),
        ("HEIC", [heif.BYTES_A_PIXEL["RGB"], heif.BYTES_A_PIXEL["RGBA"]]),
        ("BMP", [4, 12]),
        ("PNG", [4]),
        ("TIFF", [4, 7]),
        ("JPEG", [3.3, 6.6]),
    ],
)
def test_the_limits_are_those_of_the_code(kind: str, bytes_a_pixel: list[float]) -> None:
    expected = [min(200, int(photos.MEMORY_BYTES / one / 1_000_000)) for one in bytes_a_pixel]
    assert limits(kind) == expected


def test_the_memory_that_they_come_from_is_named() -> None:
    assert f"can do in {photos.MEMORY_BYTES // 1_000_000} MB" in DOCS


def test_every_code_of_a_refusal_is_explained() -> None:
    source = Path(photos.__file__).read_text("utf-8")
    for code in set(re.findall(r'code="([a-z-]+)"', source)):
        assert f"| `{code}` |" in DOCS
