"""The table of ``make bench``: what it says, what the docs show of it, and that all of it is explained.

Nothing is measured here.
"""

from __future__ import annotations

import importlib
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import chart, results
from benchmarks.__main__ import ALL
from benchmarks.figures import Figure
from local.config import ROOT

MEASURES = (*ALL, "page")
EXPLAINED = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
KEPT = Figure("cold start", 1.1, "×", most=1.2)
MISSED = Figure("photos a second", 5.0, "", least=12)
TOLD = Figure("memory", 90.0, "MB")


def test_every_measure_is_explained_and_nothing_else_is() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", EXPLAINED, re.MULTILINE)) == set(MEASURES)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_yields_figures(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").figures)


@pytest.mark.parametrize(("figure", "reached"), [(KEPT, True), (MISSED, False), (TOLD, None)])
def test_a_figure_knows_whether_it_is_as_far_as_it_was_to_be(figure: Figure, reached: bool | None) -> None:
    assert figure.reached is reached


def test_the_table_marks_what_is_reached_and_what_is_not() -> None:
    heading, kept, missed, told = chart.table([KEPT, MISSED, TOLD]).splitlines()

    assert heading.split() == ["what", "measured", "reach", "made", "of"]
    assert "1.10 ×  ≤ 1.2  ✓" in kept
    assert missed.endswith("≥ 12  ✗")
    assert told.endswith("90 MB")


def test_a_bar_that_ends_before_the_line_keeps_its_reach() -> None:
    drawn = ElementTree.fromstring(chart.picture([KEPT, MISSED]))  # noqa: S314 - our own
    line = next(one for one in drawn if one.tag.endswith("line"))
    ends = [float(one.get("x", 0)) + float(one.get("width", 0)) for one in drawn if one.tag.endswith("rect")]

    assert [end < float(line.get("x1", 0)) for end in ends] == [True, False]


def test_the_documentation_shows_the_figures_that_are_kept_beside_it() -> None:
    figures = results.read(chart.FIGURES)

    assert list(figures) == [name for name in MEASURES if name in figures]
    assert set(ALL) <= set(figures)
    assert chart.markdown(figures) in chart.DOCUMENT.read_text("utf-8")
    assert chart.picture(results.figures(figures)) == chart.PICTURE.read_text("utf-8")


def test_a_run_of_some_measures_leaves_the_rows_of_the_others_with_their_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DOCUMENT", "PICTURE", "FIGURES"):
        there: Path = getattr(chart, name)
        monkeypatch.setattr(chart, name, shutil.copy(there, tmp_path / there.name))
    before = results.figures(results.read(chart.FIGURES))
    run = {"cold": {**results.of({"cold": [KEPT]})["cold"], "measured": "2999-12-31"}}

    chart.renew(run, MEASURES)

    text = (tmp_path / "speed.md").read_text("utf-8")
    assert "| cold start | 1.10 × | ≤ 1.2 ✓ |" in text
    assert "Measured on 2999-12-31, but `packages`" in text
    others = [one.what for one in before if not one.what.startswith("cold start")]
    assert others == [one.what for one in results.figures(results.read(chart.FIGURES)) if one != KEPT]
    assert all(f"| {what} |" in text for what in others)
