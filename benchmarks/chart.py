"""The figures to look at: a table for the terminal, a table and a chart for the documentation."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from benchmarks import results
from benchmarks.figures import Figure
from local.config import ROOT

DOCUMENT = ROOT / "docs" / "speed.md"
PICTURE = ROOT / "docs" / "speed.svg"
FIGURES = ROOT / "docs" / "speed.json"
_TABLE = re.compile(r"(?<=<!-- figures -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
ROW, LEFT, WIDE, MARGIN = 30, 460, 300, 14
GOOD, BAD, TEXT, LINE = "#2f7d5b", "#b4462f", "#555c66", "#8a919c"


def table(figures: Sequence[Figure]) -> str:
    """A line for each figure: what, how much, how much it was to be, and whether it is."""
    rows = [("what", "measured", "reach", "", "made of")]
    rows += [
        (one.what, _amount(one.value, one.unit), one.reach, _mark(one.reached), one.detail) for one in figures
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    what, value, reach, mark = widths
    lines = (
        f"{row[0]:<{what}}  {row[1]:>{value}}  {row[2]:>{reach}}  {row[3]:<{mark}}  {row[4]}" for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def renew(run: results.Run, order: Sequence[str]) -> None:
    """Put a run's rows into the documentation's figures, and make its chart and its table of all of them."""
    whole = results.merged(results.read(FIGURES), run, order)
    results.write(whole, FIGURES)
    PICTURE.write_text(picture(results.figures(whole)), encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(_TABLE.sub(lambda _: markdown(whole), text), encoding="utf-8")


def picture(all_figures: Iterable[Figure]) -> str:
    """A bar for each figure with a reach, as long as its part of it: what ends before the line keeps it."""
    figures = [one for one in all_figures if one.reached is not None]
    height = 2 * MARGIN + ROW * len(figures)
    full = WIDE / 1.5  # where the line is
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 130} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">',
        "<title>Each figure beside its reach: bars that end before the line keep it</title>",
    ]
    for place, one in enumerate(figures):
        top = MARGIN + ROW * place
        share = _share(one)
        colour = GOOD if one.reached else BAD
        parts += [
            f'<text x="{LEFT - 10}" y="{top + 19}" text-anchor="end" fill="{TEXT}">'
            f"{html.escape(one.what)}</text>",
            f'<rect x="{LEFT}" y="{top + 6}" width="{min(share, 1.5) * full:.0f}" height="18" rx="3" '
            f'fill="{colour}"/>',
            f'<text x="{LEFT + WIDE + 8}" y="{top + 19}" fill="{TEXT}">'
            f"{html.escape(f'{_amount(one.value, one.unit)} ({one.reach})')}</text>",
        ]
    across = LEFT + full
    line = f'x1="{across:.0f}" x2="{across:.0f}" y1="{MARGIN}" y2="{height - MARGIN}"'
    parts.append(f'<line {line} stroke="{LINE}" stroke-dasharray="4 3"/></svg>')
    return "\n".join(parts) + "\n"


def _share(one: Figure) -> float:
    """Which part of its reach a figure takes: more than 1 where it is not kept."""
    if one.most is not None:
        return one.value / one.most if one.most else float(one.value > 0)
    return (one.least or 0) / one.value if one.value else 2.0


def markdown(run: results.Run) -> str:
    """The table of the documentation, and when it was measured."""
    lines = ["| what | measured | reach | beside | made of |", "|---|---|---|---|---|"]
    for one in results.figures(run):
        shown = (one.what, _amount(one.value, one.unit), f"{one.reach} {_mark(one.reached)}".strip())
        lines.append("| " + " | ".join((*shown, one.beside or "–", one.detail or "–")) + " |")
    return "\n".join([*lines, "", results.days(run)])


def _amount(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def _mark(reached: bool | None) -> str:
    return {True: "✓", False: "✗", None: ""}[reached]
