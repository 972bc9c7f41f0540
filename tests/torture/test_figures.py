"""Figures stand beside their promises, and what breaks one is said in a sentence."""

from __future__ import annotations

import pytest

from torture import __main__, parts
from torture.figures import Figure, Figures, at_least, at_most, broken, exactly, noted, table

KEPT = [
    noted("images", 10_000),
    exactly("lost", 0, 0),
    at_most("took", 1.5, 2.0, "s"),
    at_least("rate", 9, 8),
]


def test_the_table_shows_what_was_measured_and_promised() -> None:
    lines = [line.split() for line in table(KEPT).splitlines()]
    assert lines == [
        ["measured", "promised"],
        ["images", "10,000"],
        ["lost", "0", "0", "kept"],
        ["took", "1.50", "s", "≤", "2.00", "s", "kept"],
        ["rate", "9", "≥", "8", "kept"],
    ]


@pytest.mark.parametrize(
    ("figure", "sentence"),
    [
        (exactly("images lost", 3, 0), "images lost: 3, not 0."),
        (at_most("memory", 600, 512, "MB"), "memory: 600 MB, more than 512."),
        (at_least("images a second", 2.5, 10.0), "images a second: 2.50, less than 10.00."),
    ],
)
def test_a_broken_promise_is_a_sentence(figure: Figure, sentence: str) -> None:
    assert broken([*KEPT, figure]) == [sentence]
    assert "BROKEN" in table([figure])


@pytest.mark.parametrize(("figures", "code"), [(KEPT, 0), ([*KEPT, exactly("lost", 1, 0)], 1)])
def test_it_ends_by_whether_all_promises_were_kept(
    figures: Figures, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, int, float]] = []

    def part(*arguments: tuple[str, int, float]) -> Figures:
        asked.append(arguments)  # type: ignore[arg-type]
        return figures

    monkeypatch.setattr(parts, "apart", part)
    assert __main__.main(["--part", "schedules", "--seed", "7", "--size", "0.5"]) == code
    assert asked == [("schedules", 7, 0.5)]
    assert ("Every promise was kept." in capsys.readouterr().out) == (code == 0)


def test_a_sentence_without_a_figure_is_no_line() -> None:
    assert table([Figure("", "", "", "schedule 7: lost: cat.png")]) == table([])
