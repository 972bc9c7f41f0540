"""``make bench``: measures, prints one table, and writes it as JSON and as a chart.

``BENCH="cold warm"`` measures those only; all names are those of modules here. ``build/bench.json`` holds
what this run measured. ``CHART=1`` puts it into ``docs/speed.json``, beside what earlier runs measured, and
makes ``docs/speed.svg`` and the table of ``docs/speed.md`` from that file.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from benchmarks import chart, results
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
RUN = ROOT / "build" / "bench.json"


def main() -> int:
    """Measure; 1 where a figure is not as far as it was to be."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help=f"of {', '.join(ALL)}, page")
    parser.add_argument("--json", type=Path, default=RUN, help="where this run's figures go")
    parser.add_argument("--chart", action="store_true", help="renew figures, chart and table in docs")
    asked = parser.parse_args()
    found: dict[str, list[Figure]] = {}
    for name in asked.names or ALL:
        began = time.monotonic()
        found[name] = list(importlib.import_module(f"benchmarks.{name}").figures(_say))
        _say(f"{name}: measured in {time.monotonic() - began:.0f} s")
    run = results.of(found)
    asked.json.parent.mkdir(exist_ok=True)
    results.write(run, asked.json)
    figures = [one for rows in found.values() for one in rows]
    sys.stdout.write(chart.table(figures))
    if asked.chart:
        chart.renew(run, order=(*ALL, "page"))
    missed = [one.what for one in figures if one.reached is False]
    sys.stdout.write("not reached: " + "; ".join(missed) + "\n" if missed else "every figure is reached\n")
    return int(bool(missed))


def _say(what: str) -> None:
    sys.stderr.write(f"… {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
