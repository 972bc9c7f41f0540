"""Many images in one file, which no spreadsheet of any country takes for formulas."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools

import pytest

from chalicelib.export.tabular import COLUMNS, written
from chalicelib.model import Caption, Image, Label

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
FORMULAS = [
    *(f"{sign}1+1" for sign in SIGNS),
    *(
        f"a{separator}{space}{sign}1+1"
        for separator, space, sign in itertools.product(",;\t|\n", ("", " "), "=\uff1d")
    ),
    " =1+1",
    '"=1+1',
    'a;"=1+1',
    "\t=1+1",
    "\r=1+1",
]


def image(filename: str, *labels: Label) -> Image:
    made = Image("01JD3Y7V4M8B5WZ0QX6T2K9RCA", "anna", "k", "labelled", filename, "2026-03-01", labels=labels)
    return dataclasses.replace(made, caption=Caption(filename, filename, "person"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_with_a_formula_whatever_separates_cells(text: str, delimiter: str) -> None:
    file = written([image(text, Label(text, 91.0), Label(text, 80.0))], "csv").decode()
    cells = [cell for row in csv.reader(io.StringIO(file, newline=""), delimiter=delimiter) for cell in row]
    # Split at every place where a spreadsheet may, however it treats quotes.
    cells += [part for line in file.splitlines() for part in line.split(delimiter)]
    begun = [cell.lstrip(" \"'\t\r\n")[:1] for cell in cells if not cell.lstrip(' "').startswith("'")]
    assert not set(begun) & set(SIGNS), file


@pytest.mark.parametrize(
    "text", ["a-b.jpg", "2026-03-01", "rock & roll", "a=b", "x@y", "1+1 = 2", "O'Neil; B"]
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    [row] = csv.reader(io.StringIO(written([image(text)], "csv").decode(), newline=""))
    assert [row[COLUMNS.index(one)] for one in ("filename", "caption", "alt")] == [text] * 3
