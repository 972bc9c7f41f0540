"""The figures as JSON: those of one run, and those of the documentation, each measure with its day."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

Run = dict[str, dict[str, Any]]  # by measure: the day, the machine and the rows


def of(found: Mapping[str, Sequence[Figure]]) -> Run:
    """What was measured now."""
    made = {
        "measured": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
    }
    return {name: {**made, "rows": [one.to_json() for one in rows]} for name, rows in found.items()}


def read(path: Path) -> Run:
    """What a file holds; nothing where there is none."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def write(run: Run, path: Path) -> None:
    """Put a run into a file, readable in a diff."""
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def merged(old: Run, new: Run, order: Iterable[str]) -> Run:
    """The measures of both, the new ones in the place of the old; a measure that is no more goes."""
    both = {**old, **new}
    return {name: both[name] for name in order if name in both}


def figures(run: Run) -> list[Figure]:
    """All rows."""
    return [
        Figure(**{name: value for name, value in row.items() if name != "reached"})
        for measure in run.values()
        for row in measure["rows"]
    ]


def days(run: Run) -> str:
    """A sentence on when all of it was measured."""
    by_day: dict[str, list[str]] = {}
    for name, measure in run.items():
        by_day.setdefault(measure["measured"], []).append(f"`{name}`")
    latest = max(by_day)
    older = "; ".join(
        f"{', '.join(names)} on {day}" for day, names in sorted(by_day.items()) if day != latest
    )
    return f"Measured on {latest}{f', but {older}' if older else ''}."
