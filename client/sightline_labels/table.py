"""What a terminal shows of photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sightline_labels.uploads import Outcome, problem_of

Json = dict[str, Any]


def heading(names: Iterable[str]) -> str:
    """The first line of a table of photos with these names."""
    return f"  {'photo':{width_of(names)}}     ms   seen"


def width_of(names: Iterable[str]) -> int:
    """How wide the column of names is."""
    return max([len("photo"), *(len(printable(name)) for name in names)])


def line(outcome: Outcome, width: int) -> str:
    """A photo's name, the milliseconds, and its top labels or its problem."""
    known = "known already: " if outcome.known else ""
    text = f"✗ {outcome.problem}" if outcome.failed else known + seen(outcome.image)
    return f"  {printable(outcome.name):{width}}  {outcome.seconds * 1000:5.0f}   {printable(text)}"


def seen(image: Json, most: int = 3) -> str:
    """The most telling labels: those that are nobody's parent, each with its own nearest parents."""
    if image.get("status") == "failed":
        return f"✗ {problem_of(image)}"
    if "labels" not in image or image.get("status") not in (None, "labelled"):
        return str(image.get("status", ""))
    labels: Sequence[Json] = image["labels"]
    parents = {parent for label in labels for parent in label["parents"]}
    telling = [label for label in labels if label["name"] not in parents]
    return ", ".join(map(_told, telling[:most])) or "nothing it is sure of"


def _told(label: Json) -> str:
    above = f" ({', '.join(label['parents'][:3])})" if label["parents"] else ""
    return f"{label['name']} {label['confidence']:.0f}{above}"


def printable(text: str) -> str:
    """A text without control characters, which could move the terminal's cursor."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def columns(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    told = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*told, strict=True)] if told else []
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in told
    ]
