"""``make bench``: measures, prints one table, and writes it as JSON and as a chart.

``BENCH="cold warm"`` measures those only; all names are those of modules here. What was measured goes to
``build/bench.json``, where a run of some replaces their rows alone; ``docs/speed.svg`` and the table in
``docs/speed.md`` are made of that file by ``CHART=1``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path

from benchmarks import chart
from benchmarks.figures import Figure
from local.config import ROOT

ALL = (
    "packages",
    "cold",
    "warm",
    "images",
    "samples",
    "memory",
    "search",
    "deliveries",
    "recogniser",
    "stack",
    "start",
    "offline",
)
KEPT = ROOT / "build" / "bench.json"


def main() -> int:
    """Measure; 1 where a figure is not as far as it was to be."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help=f"of {', '.join(ALL)}, page")
    parser.add_argument("--json", type=Path, default=KEPT, help="where the figures are kept")
    parser.add_argument("--chart", action="store_true", help="write docs/speed.svg and the table in the docs")
    asked = parser.parse_args()
    found: dict[str, list[Figure]] = {}
    for name in asked.names or ALL:
        began = time.monotonic()
        found[name] = list(importlib.import_module(f"benchmarks.{name}").figures(_say))
        _say(f"{name}: measured in {time.monotonic() - began:.0f} s")
    _keep(asked.json, found)
    figures = [one for rows in found.values() for one in rows]
    sys.stdout.write(chart.table(figures))
    if asked.chart:
        chart.write(json.loads(asked.json.read_text()))
    missed = [one.what for one in figures if one.reached is False]
    sys.stdout.write("not reached: " + "; ".join(missed) + "\n" if missed else "every figure is reached\n")
    return int(bool(missed))


def _say(what: str) -> None:
    sys.stderr.write(f"… {what}\n")
    sys.stderr.flush()


def _keep(path: Path, found: dict[str, list[Figure]]) -> None:
    kept = json.loads(path.read_text()) if path.exists() else {"measures": {}}
    kept["machine"] = {"python": platform.python_version(), "processors": os.cpu_count()}
    for name, rows in found.items():
        kept["measures"][name] = [one.to_json() for one in rows]
    kept["measures"] = {name: kept["measures"][name] for name in (*ALL, "page") if name in kept["measures"]}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
