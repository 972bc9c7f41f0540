"""What was measured, beside what is promised of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A line of a part's table: ``what`` was ``measured``, and what is promised of it, if anything.

    ``broken`` is empty where the promise is kept; else it says in a sentence what is wrong. A figure of
    nothing (no ``what``) is such a sentence and no line.
    """

    what: str
    measured: str
    promise: str = ""
    broken: str = ""


Figures = Sequence[Figure]


def noted(what: str, measured: float, unit: str = "") -> Figure:
    """Something to know, of which nothing is promised."""
    return Figure(what, _with(unit, measured))


def exactly(what: str, measured: float, promised: float, unit: str = "") -> Figure:
    """A number that has to be what it is promised to be."""
    broken = "" if measured == promised else _sentence(what, measured, f"not {_plain(promised)}", unit)
    return Figure(what, _with(unit, measured), _with(unit, promised), broken)


def at_most(what: str, measured: float, promised: float, unit: str = "") -> Figure:
    """A number that may not be larger than it is promised to be."""
    broken = "" if measured <= promised else _sentence(what, measured, f"more than {_plain(promised)}", unit)
    return Figure(what, _with(unit, measured), f"≤ {_with(unit, promised)}", broken)


def at_least(what: str, measured: float, promised: float, unit: str = "") -> Figure:
    """A number that may not be smaller than it is promised to be."""
    broken = "" if measured >= promised else _sentence(what, measured, f"less than {_plain(promised)}", unit)
    return Figure(what, _with(unit, measured), f"≥ {_with(unit, promised)}", broken)


def table(figures: Figures) -> str:
    """The lines in columns: what, measured, promised, and whether that was kept."""
    rows = [("", "measured", "promised", "")]
    rows += [(one.what, one.measured, one.promise, _verdict(one)) for one in figures if one.what]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        f"  {what:<{widths[0]}}  {measured:>{widths[1]}}  {promise:>{widths[2]}}  {verdict}".rstrip()
        for what, measured, promise, verdict in rows
    )
    return "\n".join(lines)


def broken(figures: Figures) -> list[str]:
    """The sentences about the promises that were not kept."""
    return [one.broken for one in figures if one.broken]


def _verdict(figure: Figure) -> str:
    if figure.broken:
        return "BROKEN"
    return "kept" if figure.promise else ""


def _sentence(what: str, measured: float, instead: str, unit: str) -> str:
    return f"{what}: {_with(unit, measured)}, {instead}."


def _with(unit: str, number: float) -> str:
    return f"{_plain(number)} {unit}".rstrip()


def _plain(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"
